"""日志查询 over the columns that are projected from the entries."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, literal, select, type_coerce

from seal_service.ports.reading import LogFilter
from seal_service.ports.records import LogRow
from seal_service.storage.mapping import log_row_of
from seal_service.storage.tables import LogLeafRow, SignLogRow

_HOUR_US = 3_600_000_000
DAY_US = 24 * _HOUR_US
SHANGHAI_US = 8 * _HOUR_US  # UTC+8 all year since 1992
DAY_OF_ENTRY: ColumnElement[Any] = (
    type_coerce(SignLogRow.at, BigInteger) + literal(SHANGHAI_US, BigInteger)
) // literal(DAY_US, BigInteger)
"""In Asia/Shanghai, from 1970-01-01."""


def log_conditions(chosen: LogFilter) -> list[ColumnElement[bool]]:
    """What a filter asks, as conditions on `sign_log`."""
    row = SignLogRow
    equal = {
        row.seal_code: chosen.seal_code,
        row.unit_id: chosen.unit_id,
        row.account_id: chosen.account_id,
        row.operator_ref: chosen.operator_ref,
        row.scenario: chosen.scenario,
        row.document_sha256: chosen.document_sha256,
        row.use_id: chosen.use_id,
        row.kind: chosen.kind and chosen.kind.value,
        row.result: chosen.result and chosen.result.value,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    if chosen.at_from is not None:
        conditions.append(row.at >= chosen.at_from)
    if chosen.at_until is not None:
        conditions.append(row.at < chosen.at_until)
    return conditions


def log_of_seal(connection: Connection, seal_code: str, limit: int) -> list[LogRow]:
    """Entries of a seal that belong to no use of it, the newest `limit`, oldest first."""
    row = SignLogRow
    of_the_seal = select(row).where(row.seal_code == seal_code, row.use_id.is_(None))
    newest = of_the_seal.order_by(row.at.desc(), row.seq.desc()).limit(limit)
    return [log_row_of(one) for one in connection.execute(newest)][::-1]


def log_placed(
    connection: Connection, first: int, size: int, chosen: LogFilter, limit: int
) -> list[tuple[int, LogRow]]:
    """Entries with their places, in the order of the tree. Moments are no order: commits overtake each other."""
    row, leaf = SignLogRow, LogLeafRow
    wanted = select(row, leaf.idx).join(leaf, leaf.entry_id == row.entry_id)
    wanted = wanted.where(leaf.idx >= first, leaf.idx < size, *log_conditions(chosen))
    return [(one.idx, log_row_of(one)) for one in connection.execute(wanted.order_by(leaf.idx).limit(limit))]

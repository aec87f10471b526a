"""日志查询和统计 over the columns that are projected from the entries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, func, literal, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute

from seal_service.domain.errors import InvalidInput
from seal_service.ports.reading import LogFilter, StatisticsKey, StatisticsRow
from seal_service.storage.tables import SignLogRow

_MOST_ROWS = 10_000
_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_SHANGHAI_US = 8 * _HOUR_US  # UTC+8 all year since 1992

_COLUMN: dict[StatisticsKey, InstrumentedAttribute[Any]] = {
    StatisticsKey.UNIT: SignLogRow.unit_id,
    StatisticsKey.SEAL: SignLogRow.seal_code,
    StatisticsKey.SYSTEM: SignLogRow.account_id,
    StatisticsKey.SCENARIO: SignLogRow.scenario,
    StatisticsKey.KIND: SignLogRow.kind,
    StatisticsKey.RESULT: SignLogRow.result,
}


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


def count_log(connection: Connection, keys: Sequence[StatisticsKey], chosen: LogFilter) -> tuple[StatisticsRow, ...]:
    """Counts by keys, most first; InvalidInput without a key."""
    if not keys:
        raise InvalidInput("Statistics are counted by at least one key", field="by")
    columns = [_grouping(key).label(f"key_{position}") for position, key in enumerate(keys)]
    count = func.count()
    wanted = (
        select(*columns, count)
        .where(*log_conditions(chosen))
        .group_by(*columns)
        .order_by(count.desc(), *columns)
        .limit(_MOST_ROWS)
    )
    return tuple(
        StatisticsRow(
            key=tuple(_shown(key, value) for key, value in zip(keys, row[:-1], strict=True)),
            count=row[-1],
        )
        for row in connection.execute(wanted)
    )


def _grouping(key: StatisticsKey) -> ColumnElement[Any]:
    if key is StatisticsKey.DAY:
        return (type_coerce(SignLogRow.at, BigInteger) + literal(_SHANGHAI_US, BigInteger)) // literal(
            _DAY_US, BigInteger
        )
    return type_coerce(_COLUMN[key], _COLUMN[key].type)


def _shown(key: StatisticsKey, value: Any) -> str | None:
    if key is StatisticsKey.DAY:
        return (date(1970, 1, 1) + timedelta(days=value)).isoformat()
    return None if value is None else str(value)

"""日志统计: from the counts that are kept a day, or counted again where a filter asks for what they do not say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute

from seal_service.domain.errors import InvalidInput
from seal_service.domain.local_time import FIRST_DAY
from seal_service.domain.paging import PageRequest
from seal_service.ports.reading import LogFilter, LogStatistics, StatisticsKey, StatisticsRow
from seal_service.storage.cursor import decode_counted, encode_counted
from seal_service.storage.log_queries import DAY_OF_ENTRY, DAY_US, SHANGHAI_US, log_conditions
from seal_service.storage.tables import (
    EPOCH,
    AccountRow,
    LogHeadRow,
    LogLeafRow,
    LogStatRow,
    ScenarioRow,
    SealRow,
    SignLogRow,
    UnitRow,
)

_MICROSECOND = timedelta(microseconds=1)
_CALENDAR_BEGINS = date(1900, 3, 1)
"""From here every fourth year has a leap day, until 2100-02-28; and from March on a year's leap day is its last."""

Day = ColumnElement[Any]
"""In Asia/Shanghai, counted from 1970-01-01."""

_COLUMN: dict[StatisticsKey, InstrumentedAttribute[Any]] = {
    StatisticsKey.UNIT: SignLogRow.unit_id,
    StatisticsKey.SEAL: SignLogRow.seal_code,
    StatisticsKey.SYSTEM: SignLogRow.account_id,
    StatisticsKey.SCENARIO: SignLogRow.scenario,
    StatisticsKey.KIND: SignLogRow.kind,
    StatisticsKey.RESULT: SignLogRow.result,
}
_KEPT: dict[StatisticsKey, InstrumentedAttribute[Any]] = {
    StatisticsKey.UNIT: LogStatRow.unit_id,
    StatisticsKey.SEAL: LogStatRow.seal_code,
    StatisticsKey.SYSTEM: LogStatRow.account_id,
    StatisticsKey.SCENARIO: LogStatRow.scenario,
    StatisticsKey.KIND: LogStatRow.kind,
    StatisticsKey.RESULT: LogStatRow.result,
}
_NAMED: dict[StatisticsKey, tuple[InstrumentedAttribute[str], InstrumentedAttribute[str]]] = {
    StatisticsKey.UNIT: (UnitRow.id, UnitRow.name),
    StatisticsKey.SEAL: (SealRow.code, SealRow.name),
    StatisticsKey.SYSTEM: (AccountRow.id, AccountRow.name),
    StatisticsKey.SCENARIO: (ScenarioRow.code, ScenarioRow.name),
}


def count_log(
    connection: Connection, keys: Sequence[StatisticsKey], chosen: LogFilter, page: PageRequest
) -> LogStatistics:
    """Counts by keys, most first and then in the order of the keys' values; InvalidInput without a key."""
    if not keys:
        raise InvalidInput("Statistics are counted by at least one key", field="by")
    order = f"count {' '.join(keys)}"
    size = connection.scalar(select(LogHeadRow.size).where(LogHeadRow.id == 1)) or 0
    counted = (_kept(keys, chosen) if _is_kept(chosen) else _recounted(keys, chosen, size)).subquery()
    values, count = [counted.c[_label(at)] for at in range(len(keys))], counted.c.count_of
    wanted = select(*values, count).order_by(count.desc(), *values).limit(page.limit + 1)
    if page.cursor is not None:
        after, beyond = decode_counted(order, page.cursor, [_value_type(key) for key in keys])
        wanted = wanted.where(or_(count < after, and_(count == after, tuple_(*values) > tuple_(*beyond))))
    found = connection.execute(wanted).all()
    rows, last = found[: page.limit], found[page.limit - 1] if len(found) > page.limit else None
    shown = [tuple(_shown(key, value) for key, value in zip(keys, row[:-1], strict=True)) for row in rows]
    names = [_names(connection, key, {one[at] for one in shown}) for at, key in enumerate(keys)]
    return LogStatistics(
        rows=tuple(
            StatisticsRow(
                key=key,
                count=int(row[-1]),
                names=tuple(named.get(value or "") for named, value in zip(names, key, strict=True)),
            )
            for key, row in zip(shown, rows, strict=True)
        ),
        upto_size=size,
        next_cursor=None if last is None else encode_counted(order, int(last[-1]), list(last[:-1])),
    )


def month_of(day: Day) -> ColumnElement[Any]:
    """The month of a day, counted from year 0: integers alone, which every database has in the same way."""
    since = day + literal((FIRST_DAY - _CALENDAR_BEGINS).days, BigInteger)
    years = (since * 4 + 3) // literal(1461, BigInteger)
    within = since - years * 1461 // literal(4, BigInteger)
    return (years + _CALENDAR_BEGINS.year) * 12 + (within * 5 + 2) // literal(153, BigInteger) + 2


def _is_kept(chosen: LogFilter) -> bool:
    """Whether counts of whole days say it."""
    moments = (one for one in (chosen.at_from, chosen.at_until) if one is not None)
    whole_days = all((_microseconds(one) + SHANGHAI_US) % DAY_US == 0 for one in moments)
    return whole_days and chosen.operator_ref is chosen.document_sha256 is chosen.use_id is None


def _kept(keys: Sequence[StatisticsKey], chosen: LogFilter) -> Select[Any]:
    row = LogStatRow
    columns = [_grouping(key, type_coerce(row.day, BigInteger), _KEPT).label(_label(at)) for at, key in enumerate(keys)]
    equal = {
        row.seal_code: chosen.seal_code,
        row.unit_id: chosen.unit_id,
        row.account_id: chosen.account_id,
        row.scenario: chosen.scenario,
        row.kind: chosen.kind and chosen.kind.value,
        row.result: chosen.result and chosen.result.value,
    }
    conditions: list[ColumnElement[bool]] = [column == value for column, value in equal.items() if value is not None]
    if chosen.at_from is not None:
        conditions.append(row.day >= _day_of(chosen.at_from))
    if chosen.at_until is not None:
        conditions.append(row.day < _day_of(chosen.at_until))
    count = type_coerce(func.sum(row.count), BigInteger).label("count_of")
    return select(*columns, count).where(*conditions).group_by(*columns)


def _recounted(keys: Sequence[StatisticsKey], chosen: LogFilter, size: int) -> Select[Any]:
    columns = [_grouping(key, DAY_OF_ENTRY, _COLUMN).label(_label(at)) for at, key in enumerate(keys)]
    counted = select(*columns, func.count().label("count_of"))
    counted = counted.join(LogLeafRow, LogLeafRow.entry_id == SignLogRow.entry_id)
    return counted.where(LogLeafRow.idx < size, *log_conditions(chosen)).group_by(*columns)


def _grouping(
    key: StatisticsKey, day: Day, columns: dict[StatisticsKey, InstrumentedAttribute[Any]]
) -> ColumnElement[Any]:
    if key is StatisticsKey.DAY:
        return day
    if key is StatisticsKey.MONTH:
        return month_of(day)
    # Not NULL, which databases put first or last as they like.
    return func.coalesce(type_coerce(columns[key], columns[key].type), "")


def _label(position: int) -> str:
    return f"key_{position}"


def _value_type(key: StatisticsKey) -> type[int] | type[str]:
    return int if key in (StatisticsKey.DAY, StatisticsKey.MONTH) else str


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // _MICROSECOND


def _day_of(moment: datetime) -> int:
    """The day of Asia/Shanghai, counted from 1970-01-01."""
    return (_microseconds(moment) + SHANGHAI_US) // DAY_US


def _shown(key: StatisticsKey, value: Any) -> str | None:
    if key is StatisticsKey.DAY:
        return (FIRST_DAY + timedelta(days=value)).isoformat()
    if key is StatisticsKey.MONTH:
        return f"{value // 12:04}-{value % 12 + 1:02}"
    return str(value) if value else None


def _names(connection: Connection, key: StatisticsKey, values: set[str | None]) -> dict[str, str]:
    """What the values of a key are called now."""
    if key not in _NAMED:
        return {}
    value, name = _NAMED[key]
    named = select(value, name).where(value.in_(values - {None}))
    return {row[0]: row[1] for row in connection.execute(named)}

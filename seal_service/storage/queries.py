"""Lists, log queries and statistics, straight from SQL, paged by keyset, newest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, DateTime, Row, Select, exists, func, literal, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from seal_service.domain.access import Account
from seal_service.domain.application import Application, ApplicationState
from seal_service.domain.grant import Grant
from seal_service.domain.organization import Unit
from seal_service.domain.paging import Page, PageRequest
from seal_service.domain.seal import Seal, SealState
from seal_service.domain.use import SealUse
from seal_service.ports.reading import LogFilter, LogStatistics, SealFilter, StatisticsKey
from seal_service.ports.records import LogRow
from seal_service.storage.cursor import decode_cursor, encode_cursor
from seal_service.storage.engine import Database
from seal_service.storage.log_queries import log_conditions, log_of_seal, log_placed
from seal_service.storage.log_statistics import count_log
from seal_service.storage.mapping import account_of, application_of, grant_of, log_row_of, seal_of, unit_of, use_of
from seal_service.storage.refusals import database_failures
from seal_service.storage.schema import SchemaState, state_of
from seal_service.storage.tables import (
    AccountRow,
    ApplicationRow,
    GrantRow,
    IssuedCertificateRow,
    LogHeadRow,
    LogPendingRow,
    SealCredentialRow,
    SealRow,
    SealUseRow,
    SignLogRow,
    StoredRow,
    TrustedCertificateRow,
    UnitRow,
)

Item = TypeVar("Item")
_IDS_AT_ONCE = 500
_COUNTED: dict[str, type[StoredRow]] = {
    "units": UnitRow,
    "accounts": AccountRow,
    "applications": ApplicationRow,
    "seals": SealRow,
    "grants": GrantRow,
    "uses": SealUseRow,
    "log_entries": SignLogRow,
    "trusted_certificates": TrustedCertificateRow,
}


@dataclass(frozen=True, slots=True)
class SqlQueries:
    """Lists and statistics; each call is one read transaction."""

    database: Database

    def units(self, page: PageRequest, *, area_code: str | None = None) -> Page[Unit]:
        """Units."""
        wanted = select(UnitRow)
        if area_code is not None:
            wanted = wanted.where(UnitRow.area_code == area_code)
        with self._reading() as connection:
            return _page(connection, page, wanted, UnitRow.registered_at, UnitRow.id, unit_of)

    def accounts(self, page: PageRequest) -> Page[Account]:
        """Accounts."""
        with self._reading() as connection:
            return _page(connection, page, select(AccountRow), AccountRow.created_at, AccountRow.id, account_of)

    def applications(
        self,
        page: PageRequest,
        *,
        state: ApplicationState | None = None,
        unit_ids: Sequence[str] | None = None,
    ) -> Page[Application]:
        """Applications, of some units only if they are named."""
        row = ApplicationRow
        wanted = select(row)
        if state is not None:
            wanted = wanted.where(row.state == state.value)
        if unit_ids is not None:
            wanted = wanted.where(row.unit_id.in_(unit_ids))
        with self._reading() as connection:
            return _page(connection, page, wanted, row.applied_at, row.id, application_of)

    def units_of_channel(self, unit_id: str) -> Sequence[str]:
        """The ids of a unit and of all whose channel (扎口单位) it is."""
        wanted = select(UnitRow.id).where(or_(UnitRow.id == unit_id, UnitRow.channel_unit_id == unit_id))
        with self._reading() as connection:
            return connection.scalars(wanted.order_by(UnitRow.id)).all()

    def seals(self, page: PageRequest, chosen: SealFilter) -> Page[Seal]:
        """Seals; InvalidInput for a name longer than 200 characters."""
        wanted = _chosen_seals(chosen)
        with self._reading() as connection:
            rows = _page(connection, page, wanted, SealRow.made_at, SealRow.code, _as_it_is)
            credentials: dict[str, list[Row[Any]]] = {row.code: [] for row in rows.items}
            of_these = select(SealCredentialRow).where(SealCredentialRow.seal_code.in_(credentials))
            for one in connection.execute(of_these.order_by(SealCredentialRow.position)):
                credentials[one.seal_code].append(one)
        seals = tuple(seal_of(row, credentials[row.code]) for row in rows.items)
        return Page(items=seals, next_cursor=rows.next_cursor)

    def grants(
        self,
        page: PageRequest,
        *,
        seal_code: str | None = None,
        grantee_id: str | None = None,
        unit_id: str | None = None,
    ) -> Page[Grant]:
        """Grants, of a seal, a grantee or the seals of a unit."""
        wanted = select(GrantRow)
        if seal_code is not None:
            wanted = wanted.where(GrantRow.seal_code == seal_code)
        if grantee_id is not None:
            wanted = wanted.where(GrantRow.grantee_id == grantee_id)
        if unit_id is not None:
            wanted = wanted.where(GrantRow.seal_code.in_(select(SealRow.code).where(SealRow.unit_id == unit_id)))
        with self._reading() as connection:
            return _page(connection, page, wanted, GrantRow.granted_at, GrantRow.id, grant_of)

    def uses(self, page: PageRequest, *, seal_code: str, account_id: str | None = None) -> Page[SealUse]:
        """Uses of a seal, of one account only if it is named."""
        wanted = select(SealUseRow).where(SealUseRow.seal_code == seal_code)
        if account_id is not None:
            wanted = wanted.where(SealUseRow.account_id == account_id)
        with self._reading() as connection:
            return _page(connection, page, wanted, SealUseRow.reserved_at, SealUseRow.id, use_of)

    def uses_of_document(self, sha256: str, limit: int) -> Sequence[SealUse]:
        """Uses that sealed a document or gave it out, oldest first."""
        row = SealUseRow
        wanted = select(row).where(or_(row.document_sha256 == sha256, row.sealed_sha256 == sha256))
        with self._reading() as connection:
            return [use_of(one) for one in connection.execute(wanted.order_by(row.reserved_at, row.id).limit(limit))]

    def uses_of_grant(self, grant_id: str, limit: int) -> Sequence[SealUse]:
        """Uses of a grant, the newest `limit`, oldest first."""
        row = SealUseRow
        wanted = select(row).where(row.grant_id == grant_id).order_by(row.reserved_at.desc(), row.id.desc())
        with self._reading() as connection:
            return [use_of(one) for one in connection.execute(wanted.limit(limit))][::-1]

    def log(self, page: PageRequest, chosen: LogFilter) -> Page[LogRow]:
        """Log entries without their private fields."""
        wanted = select(SignLogRow).where(*log_conditions(chosen))
        with self._reading() as connection:
            return _page(connection, page, wanted, SignLogRow.at, SignLogRow.entry_id, log_row_of)

    def log_of_uses(self, use_ids: Sequence[str]) -> Sequence[LogRow]:
        """All entries of some uses, oldest first."""
        found: list[LogRow] = []
        with self._reading() as connection:
            for start in range(0, len(use_ids), _IDS_AT_ONCE):
                of_these = SignLogRow.use_id.in_(use_ids[start : start + _IDS_AT_ONCE])
                found += [log_row_of(row) for row in connection.execute(select(SignLogRow).where(of_these))]
        # Within a millisecond the seal's own counter knows which came first.
        return sorted(found, key=lambda row: (row.at, row.seq or 0, row.entry_id))

    def log_of_seal(self, seal_code: str, limit: int) -> Sequence[LogRow]:
        """Entries of a seal that belong to no use of it, the newest `limit`, oldest first."""
        with self._reading() as connection:
            return log_of_seal(connection, seal_code, limit)

    def log_placed(self, first: int, size: int, chosen: LogFilter, limit: int) -> Sequence[tuple[int, LogRow]]:
        """Entries with their places, in the order of the tree."""
        with self._reading() as connection:
            return log_placed(connection, first, size, chosen, limit)

    def statistics(
        self, keys: Sequence[StatisticsKey], chosen: LogFilter, page: PageRequest = PageRequest()
    ) -> LogStatistics:
        """Counts by one or more keys, most first; InvalidInput without a key."""
        with self._reading() as connection:
            return count_log(connection, keys, chosen, page)

    def log_size(self) -> int:
        """How many entries the log has."""
        with self._reading() as connection:
            placed = select(LogHeadRow.size).where(LogHeadRow.id == 1).scalar_subquery()
            waiting = select(func.count()).select_from(LogPendingRow).scalar_subquery()
            return connection.scalar(select(placed + waiting)) or 0

    def schema_is_current(self) -> bool:
        """Whether the database has exactly the schema of this program."""
        return state_of(self.database.reader).state is SchemaState.CURRENT

    def database_time(self) -> datetime | None:
        """The time of the database's machine; None for SQLite, which has this machine's."""
        with self._reading() as connection:
            if connection.dialect.name == "sqlite":
                connection.execute(select(literal(1)))
                return None
            moment: datetime | None = connection.scalar(select(func.clock_timestamp(type_=DateTime(timezone=True))))
            return None if moment is None else moment.astimezone(UTC)

    def certificates_from_outside(self, now: datetime) -> Sequence[bytes]:
        """Certificates of the newest versions of active seals that are not among those that were issued here."""
        credential = SealCredentialRow
        ours = exists().where(IssuedCertificateRow.serial == credential.serial)
        wanted = (
            select(credential.certificate)
            .join(SealRow, SealRow.code == credential.seal_code)
            .where(SealRow.state == SealState.ACTIVE.value, SealRow.not_after > now)
            .where(credential.version == SealRow.version, ~ours)
            .order_by(credential.id)
        )
        with self._reading() as connection:
            return connection.scalars(wanted).all()

    def counts(self) -> Mapping[str, int]:
        """How many rows the registers have."""
        with self._reading() as connection:
            return {
                name: connection.scalar(select(func.count()).select_from(row)) or 0 for name, row in _COUNTED.items()
            }

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with database_failures(), self.database.reader.begin() as connection:
            yield connection


def _as_it_is(row: Row[Any]) -> Row[Any]:
    return row


def _chosen_seals(chosen: SealFilter) -> Select[Any]:
    row = SealRow
    wanted = select(row)
    if chosen.state is SealState.EXPIRED:
        wanted = wanted.where(row.state != SealState.CANCELLED.value, row.not_after <= chosen.now)
    elif chosen.state is SealState.CANCELLED:
        wanted = wanted.where(row.state == SealState.CANCELLED.value)
    elif chosen.state is not None:
        wanted = wanted.where(row.state == chosen.state.value, row.not_after > chosen.now)
    if chosen.unit_id is not None:
        wanted = wanted.where(row.unit_id == chosen.unit_id)
    if chosen.expiring_before is not None:
        expiring = (row.not_after > chosen.now) & (row.not_after < chosen.expiring_before)
        wanted = wanted.where(row.state != SealState.CANCELLED.value, expiring)
    return wanted


def _page(
    connection: Connection,
    page: PageRequest,
    wanted: Select[Any],
    at: InstrumentedAttribute[datetime],
    key: InstrumentedAttribute[str],
    item_of: Callable[[Row[Any]], Item],
) -> Page[Item]:
    """One page, newest first; one row more is read to know whether another page follows."""
    order = f"{at.class_.__tablename__}.{at.key}"
    if page.cursor is not None:
        last_at, last_key = decode_cursor(order, page.cursor)
        wanted = wanted.where(tuple_(at, key) < tuple_(literal(last_at, at.type), literal(last_key, key.type)))
    rows = connection.execute(wanted.order_by(at.desc(), key.desc()).limit(page.limit + 1)).all()
    kept = rows[: page.limit]
    more = len(rows) > page.limit
    last = kept[-1] if more else None
    cursor = None if last is None else encode_cursor(order, getattr(last, at.key), getattr(last, key.key))
    return Page(items=tuple(item_of(row) for row in kept), next_cursor=cursor)

"""Port to lists, log queries and statistics: read-only, straight from SQL, paged by keyset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from seal_service.domain.access import Account
from seal_service.domain.application import Application, ApplicationState
from seal_service.domain.events import EventKind, Result
from seal_service.domain.grant import Grant
from seal_service.domain.organization import Unit
from seal_service.domain.paging import Page, PageRequest
from seal_service.domain.seal import Seal, SealState
from seal_service.domain.use import SealUse
from seal_service.ports.records import LogRow


@dataclass(frozen=True, slots=True, kw_only=True)
class SealFilter:
    """Which seals; None: any. `state` is the derived one (expired included), so it is asked with `now`."""

    now: datetime
    state: SealState | None = None
    unit_id: str | None = None
    expiring_before: datetime | None = None
    """Not expired yet, but before this moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which log entries; None: any. The period is [at_from, at_until)."""

    seal_code: str | None = None
    unit_id: str | None = None
    account_id: str | None = None
    operator_ref: str | None = None
    scenario: str | None = None
    document_sha256: str | None = None
    use_id: str | None = None
    kind: EventKind | None = None
    result: Result | None = None
    at_from: datetime | None = None
    at_until: datetime | None = None


class StatisticsKey(StrEnum):
    """统计维度."""

    DAY = "day"  # Asia/Shanghai
    MONTH = "month"  # of these days
    UNIT = "unit"
    SEAL = "seal"
    SYSTEM = "system"
    SCENARIO = "scenario"
    KIND = "kind"
    RESULT = "result"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsRow:
    """统计: how many entries share these values, in the order of the keys asked for."""

    key: tuple[str | None, ...]
    count: int
    names: tuple[str | None, ...] = ()
    """What units, seals, systems and scenarios of the key are called now, in its order; None for what has no name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogStatistics:
    """统计 of the tree of a size: of the entries that have a place in it, and of no other.

    A page of them, most first. Counts move: pages fit together when they are of the same size.
    """

    rows: tuple[StatisticsRow, ...]
    upto_size: int
    next_cursor: str | None = None


class Queries(Protocol):
    """Lists and statistics. Each call sees one consistent state; pages are ordered newest first."""

    def units(self, page: PageRequest, *, area_code: str | None = None) -> Page[Unit]:
        """Units."""

    def accounts(self, page: PageRequest) -> Page[Account]:
        """Accounts."""

    def applications(
        self,
        page: PageRequest,
        *,
        state: ApplicationState | None = None,
        unit_ids: Sequence[str] | None = None,
    ) -> Page[Application]:
        """Applications, of some units only if they are named."""

    def units_of_channel(self, unit_id: str) -> Sequence[str]:
        """The ids of a unit and of all whose channel it is."""

    def seals(self, page: PageRequest, chosen: SealFilter) -> Page[Seal]:
        """Seals."""

    def grants(
        self,
        page: PageRequest,
        *,
        seal_code: str | None = None,
        grantee_id: str | None = None,
        unit_id: str | None = None,
    ) -> Page[Grant]:
        """Grants, of a seal, a grantee or the seals of a unit."""

    def uses(self, page: PageRequest, *, seal_code: str, account_id: str | None = None) -> Page[SealUse]:
        """Uses of a seal, of one account only if it is named."""

    def uses_of_document(self, sha256: str, limit: int) -> Sequence[SealUse]:
        """Uses that sealed a document or gave it out, by the digest of either, oldest first, at most `limit`."""

    def uses_of_grant(self, grant_id: str, limit: int) -> Sequence[SealUse]:
        """Uses of a grant, the newest `limit`, oldest first."""

    def log(self, page: PageRequest, chosen: LogFilter) -> Page[LogRow]:
        """Log entries without their private fields."""

    def log_of_uses(self, use_ids: Sequence[str]) -> Sequence[LogRow]:
        """All entries of some uses, oldest first."""

    def log_of_seal(self, seal_code: str, limit: int) -> Sequence[LogRow]:
        """Entries of a seal that belong to no use of it (made, granted, …), the newest `limit`, oldest first."""

    def log_placed(self, first: int, size: int, chosen: LogFilter, limit: int) -> Sequence[tuple[int, LogRow]]:
        """Entries with their places from `first` on and below `size`, in that order, at most `limit`: for exports."""

    def statistics(
        self, keys: Sequence[StatisticsKey], chosen: LogFilter, page: PageRequest = PageRequest()
    ) -> LogStatistics:
        """Counts by one or more keys, most first, of the entries that have a place in the tree.

        Whoever has the tree of that size comes to the same counts. Whole days of Asia/Shanghai, and filters by what the
        keys are, are answered from counts that are kept; everything else is counted now.
        """

    def log_size(self) -> int:
        """How many entries the log has, with those that wait for their place in the tree."""

    def schema_is_current(self) -> bool:
        """Whether the database has exactly the schema of this program."""

    def database_time(self) -> datetime | None:
        """The time of the database's machine; None for a database that has no clock of its own. Unavailable."""

    def certificates_from_outside(self, now: datetime) -> Sequence[bytes]:
        """Certificates (DER) of the newest versions of active seals that our own authority did not issue."""

    def counts(self) -> Mapping[str, int]:
        """How many rows the registers have, by name."""

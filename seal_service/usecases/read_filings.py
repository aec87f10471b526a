"""备案查询: what was filed and what waits; a unit sees the filings of its own area (article 8: 信息共享机制)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import FilingNotFound
from seal_service.domain.filing import Backlog, Filing, FilingState
from seal_service.domain.paging import Page, PageRequest
from seal_service.ports.filing import FilingFilter, FilingQueries, ProvincialRegistry
from seal_service.ports.records import Records, Transaction
from seal_service.usecases.read_registers import ABOVE_UNITS, ReadById

NOWHERE = ""
"""Area of a caller who has none: no seal's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilings:
    """备案列表."""

    state: FilingState | None = None
    seal_code: str | None = None
    area_code: str | None = None
    page: PageRequest = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFilingState:
    """备案情况 now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingCondition:
    """备案情况: of everything, or of the caller's own area."""

    registry: str | None
    """Host of the provincial registry; None: none is configured."""
    area_code: str | None
    backlog: Backlog


@dataclass(frozen=True)
class ListFilingsUseCase:
    """备案列表. Another area than one's own has nothing in it."""

    permission: ClassVar[Permission] = Permission.READ_FILINGS
    records: Records
    queries: FilingQueries

    def __call__(self, caller: Caller, command: ListFilings) -> Page[Filing]:
        """A page, newest first."""
        with self.records.read() as transaction:
            own = _own_area(transaction, caller)
        if own is not None and command.area_code not in (None, own):
            return Page(items=())
        area = command.area_code if own is None else own
        chosen = FilingFilter(state=command.state, seal_code=command.seal_code, area_code=area)
        return self.queries.filings(command.page, chosen)


@dataclass(frozen=True)
class ReadFilingUseCase:
    """备案. Raises FilingNotFound, also for one of another area."""

    permission: ClassVar[Permission] = Permission.READ_FILINGS
    records: Records

    def __call__(self, caller: Caller, command: ReadById) -> Filing:
        """The filing."""
        with self.records.read() as transaction:
            own, filing = _own_area(transaction, caller), transaction.filings.find(command.id)
        if filing is None or own not in (None, filing.area_code):
            raise FilingNotFound
        return filing


@dataclass(frozen=True)
class ReadFilingStateUseCase:
    """备案情况."""

    permission: ClassVar[Permission] = Permission.READ_FILINGS
    records: Records
    registry: ProvincialRegistry | None

    def __call__(self, caller: Caller, _command: ReadFilingState) -> FilingCondition:
        """How much waits, and since when."""
        with self.records.read() as transaction:
            own = _own_area(transaction, caller)
            backlog = transaction.filings.backlog(own)
        name = None if self.registry is None else self.registry.name
        return FilingCondition(registry=name, area_code=own, backlog=backlog)


def _own_area(transaction: Transaction, caller: Caller) -> str | None:
    """The only area that a caller sees; None: every one."""
    if caller.roles & ABOVE_UNITS:
        return None
    return NOWHERE if caller.unit_id is None else transaction.units.get(caller.unit_id).area_code

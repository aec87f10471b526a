"""双人控制请求: what waits for a second person, and what became of what did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.dual_control import ControlledRequest
from seal_service.domain.paging import Page, PageRequest
from seal_service.ports.records import Records
from seal_service.usecases.read_registers import ReadById


@dataclass(frozen=True, slots=True, kw_only=True)
class ListControlledActs:
    """The requests, newest first."""

    page: PageRequest


@dataclass(frozen=True)
class ListControlledActsUseCase:
    """双人控制请求列表."""

    permission: ClassVar[Permission] = Permission.READ_CONTROLLED_ACTS
    records: Records

    def __call__(self, _caller: Caller, command: ListControlledActs) -> Page[ControlledRequest]:
        """A page; its cursor is the id of its last request."""
        page = command.page
        with self.records.read() as transaction:
            found = transaction.controlled.newest(before=page.cursor, limit=page.limit + 1)
        items = tuple(found[: page.limit])
        return Page(items=items, next_cursor=items[-1].id if len(found) > page.limit else None)


@dataclass(frozen=True)
class ReadControlledActUseCase:
    """双人控制请求. Raises ControlledRequestNotFound."""

    permission: ClassVar[Permission] = Permission.READ_CONTROLLED_ACTS
    records: Records

    def __call__(self, _caller: Caller, command: ReadById) -> ControlledRequest:
        """One request."""
        with self.records.read() as transaction:
            return transaction.controlled.lock(command.id)

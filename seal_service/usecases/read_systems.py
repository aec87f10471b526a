"""接入系统查询: systems with their contacts, and their credentials, each within what the caller may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from seal_service.domain.access import Caller, Permission, Role
from seal_service.domain.errors import InvalidCursor, SystemNotFound
from seal_service.domain.machine import ApplicationSystem, Contacts, SystemCredential, SystemState
from seal_service.domain.paging import Page, PageRequest
from seal_service.ports.records import Records, Transaction
from seal_service.ports.system import Vault
from seal_service.usecases.read_registers import ABOVE_UNITS, ReadById
from seal_service.usecases.system_contacts import opened_contacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSystems:
    """接入系统列表."""

    page: PageRequest = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSystem:
    """接入系统 with its contacts."""

    system: ApplicationSystem
    contacts: Contacts
    contacts_asked_for: Contacts | None
    """Of a change that waits."""


@dataclass(frozen=True)
class ListSystemsUseCase:
    """接入系统列表, oldest first: all for the office and auditors, its own for a unit. Raises InvalidCursor."""

    permission: ClassVar[Permission] = Permission.READ_SYSTEMS
    records: Records

    def __call__(self, caller: Caller, command: ListSystems) -> Page[ApplicationSystem]:
        """A page of systems."""
        limit, cursor = command.page.limit, command.page.cursor
        unit_id = None if caller.roles & ABOVE_UNITS else caller.unit_id or ""
        with self.records.read() as transaction:
            found = transaction.systems.chosen(unit_id=unit_id, after=_after(cursor), limit=limit + 1)
        return Page(items=tuple(found[:limit]), next_cursor=found[limit - 1].id if len(found) > limit else None)


@dataclass(frozen=True)
class ReadSystemUseCase:
    """接入系统. Raises SystemNotFound."""

    permission: ClassVar[Permission] = Permission.READ_SYSTEMS
    records: Records
    vault: Vault

    def __call__(self, caller: Caller, command: ReadById) -> ReadSystem:
        """The system and whom to call."""
        with self.records.read() as transaction:
            system = _visible(transaction, caller, command.id)
        change = system.change
        asked = change.contacts if change is not None and change.state is SystemState.PENDING else None
        return ReadSystem(
            system=system,
            contacts=opened_contacts(self.vault, system.id, system.contacts),
            contacts_asked_for=None if asked is None else opened_contacts(self.vault, system.id, asked),
        )


@dataclass(frozen=True)
class ListCredentialsUseCase:
    """系统凭据 of a system, revoked and expired ones too, oldest first. Raises SystemNotFound."""

    permission: ClassVar[Permission] = Permission.READ_SYSTEMS
    records: Records

    def __call__(self, caller: Caller, command: ReadById) -> tuple[SystemCredential, ...]:
        """All that it ever had; nothing of a secret."""
        with self.records.read() as transaction:
            system = _visible(transaction, caller, command.id)
            if system.account_id is None:
                return ()
            return tuple(transaction.systems.credentials_of(system.account_id))


def _visible(transaction: Transaction, caller: Caller, system_id: str) -> ApplicationSystem:
    system = transaction.systems.lock(system_id)
    if caller.roles & {Role.SEAL_MAKER, Role.AUDITOR} or system.unit_id == caller.unit_id:
        return system
    raise SystemNotFound


def _after(cursor: str | None) -> str | None:
    """The id that a page begins after; InvalidCursor for what no page gave."""
    if cursor is None:
        return None
    try:
        return str(UUID(cursor))
    except ValueError as error:
        raise InvalidCursor from error

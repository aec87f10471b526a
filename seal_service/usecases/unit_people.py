"""人员: whom a unit's systems may name as 签章人. Kept encrypted; found by the log's own keyed pseudonyms."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Caller, Permission, Role
from seal_service.domain.errors import InvalidCursor, PersonNotFound, UnitNotFound
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.machine import UnitPerson
from seal_service.domain.paging import Page, PageRequest
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock, Vault
from seal_service.usecases.register_unit import checked_name
from seal_service.usecases.requests import made_earlier, remember

_REFERENCE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPerson:
    """人员登记 as asked for."""

    unit_id: str
    person_id: str
    """工号: the id within the unit, which systems name as operator_id."""
    name: str
    department: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePerson:
    """人员注销 as asked for."""

    unit_id: str
    person_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPeople:
    """人员列表."""

    unit_id: str
    page: PageRequest = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPerson:
    """人员 in the clear."""

    unit_id: str
    id: str
    name: str
    department: str | None
    registered_at: datetime
    removed_at: datetime | None = None


def name_reference(log: SigningLog, person_id: str, name: str) -> str:
    """The pseudonym of id and name together."""
    return log.operator_reference(json.dumps([person_id, name], ensure_ascii=False))


@dataclass(frozen=True)
class RegisterPersonUseCase:
    """人员登记 by the unit; who is there gets the new name and department. Raises UnitNotFound, InvalidInput."""

    permission: ClassVar[Permission] = Permission.MANAGE_PEOPLE
    records: Records
    log: SigningLog
    clock: Clock
    vault: Vault

    def __call__(self, caller: Caller, command: RegisterPerson) -> OpenedPerson:
        """The person."""
        now = self.clock.now()
        _require_own(caller, command.unit_id)
        person_id, name = checked_name(command.person_id, "id"), checked_name(command.name, "name")
        department = None if command.department is None else checked_name(command.department, "department")
        content = json.dumps([person_id, name, department], ensure_ascii=False).encode()
        reference = self.log.operator_reference(person_id)
        person = UnitPerson(
            unit_id=command.unit_id,
            reference=reference,
            name_reference=name_reference(self.log, person_id, name),
            content=self.vault.encrypt(content, _context(command.unit_id, reference)),
            registered_by=caller.identity,
            registered_at=now,
        )
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            found = transaction.people.find(command.unit_id, reference) if earlier is not None else None
            if found is not None:
                return opened(self.vault, found)
            transaction.units.get(command.unit_id)
            transaction.people.put(person)
            told = {"operator_name": name, "operator_department": department}
            event = Event(
                kind=EventKind.PERSON_REGISTERED,
                unit_id=command.unit_id,
                operator_id=person_id,
                private={field: value for field, value in told.items() if value is not None},
            )
            self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, command, reference, now)
            transaction.commit()
        return opened(self.vault, person)


@dataclass(frozen=True)
class RemovePersonUseCase:
    """人员注销: no system names the person from the commit on. Raises UnitNotFound, PersonNotFound; removed is done."""

    permission: ClassVar[Permission] = Permission.MANAGE_PEOPLE
    records: Records
    log: SigningLog
    clock: Clock
    vault: Vault

    def __call__(self, caller: Caller, command: RemovePerson) -> OpenedPerson:
        """The person, removed."""
        _require_own(caller, command.unit_id)
        with self.records.write() as transaction:
            person = transaction.people.find(command.unit_id, self.log.operator_reference(command.person_id))
            if person is None:
                raise PersonNotFound
            if person.removed_at is not None:
                return opened(self.vault, person)
            removed = replace(person, removed_at=self.clock.now())
            transaction.people.put(removed)
            event = Event(
                kind=EventKind.PERSON_REMOVED,
                unit_id=command.unit_id,
                operator_id=command.person_id,
            )
            self.log.append(transaction, act_of(caller, event))
            transaction.commit()
        return opened(self.vault, removed)


@dataclass(frozen=True)
class ListPeopleUseCase:
    """人员列表, in no order that means anything: for the unit's own staff and auditors. Raises UnitNotFound."""

    permission: ClassVar[Permission] = Permission.READ_PEOPLE
    records: Records
    vault: Vault

    def __call__(self, caller: Caller, command: ListPeople) -> Page[OpenedPerson]:
        """A page of those that are not removed."""
        if Role.AUDITOR not in caller.roles:
            _require_own(caller, command.unit_id)
        limit, cursor = command.page.limit, command.page.cursor
        if cursor is not None and not _REFERENCE.fullmatch(cursor):
            raise InvalidCursor
        with self.records.read() as transaction:
            transaction.units.get(command.unit_id)
            found = transaction.people.of_unit(command.unit_id, after=cursor, limit=limit + 1)
        kept = tuple(opened(self.vault, one) for one in found[:limit])
        return Page(items=kept, next_cursor=found[limit - 1].reference if len(found) > limit else None)


def opened(vault: Vault, person: UnitPerson) -> OpenedPerson:
    """The person in the clear; IntegrityFailed when the row is not what was written."""
    content = vault.decrypt(person.content, _context(person.unit_id, person.reference))
    person_id, name, department = json.loads(content)
    return OpenedPerson(
        unit_id=person.unit_id,
        id=person_id,
        name=name,
        department=department,
        registered_at=person.registered_at,
        removed_at=person.removed_at,
    )


def _context(unit_id: str, reference: str) -> bytes:
    return f"person {reference} of unit {unit_id}".encode()


def _require_own(caller: Caller, unit_id: str) -> None:
    if caller.unit_id != unit_id:
        raise UnitNotFound

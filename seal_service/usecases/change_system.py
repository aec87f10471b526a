"""接入变更: a system's unit asks for other addresses or contacts, the office decides; until then the old ones stand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import InvalidInput, SystemNotReady
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.identifiers import uuid7
from seal_service.domain.machine import (
    ApplicationSystem,
    Contacts,
    SystemChange,
    SystemState,
    checked_networks,
    waiting_change,
    with_decided,
)
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock, Entropy, Vault
from seal_service.usecases.change_status import LONGEST_REASON
from seal_service.usecases.register_system import checked_optional, own_system, system_facts
from seal_service.usecases.requests import made_earlier, remember
from seal_service.usecases.system_contacts import opened_contacts, sealed_contacts, told_contacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSystem:
    """接入变更 as asked for; what is None stays as it is."""

    system_id: str
    address: str | None = None
    network_environment: str | None = None
    department: str | None = None
    source_networks: tuple[str, ...] | None = None
    technical_contact: str | None = None
    technical_phone: str | None = None
    department_contact: str | None = None
    department_phone: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class ChangeSystemUseCase:
    """接入变更申请 by the system's unit; one that still waits is replaced.

    Raises SystemNotFound (or another unit's), SystemNotReady (not approved), InvalidInput (also when nothing changes).
    """

    permission: ClassVar[Permission] = Permission.REGISTER_SYSTEM
    records: Records
    log: SigningLog
    clock: Clock
    entropy: Entropy
    vault: Vault

    def __call__(self, caller: Caller, command: ChangeSystem) -> ApplicationSystem:
        """The system as it stands, with the change that waits."""
        now = self.clock.now()
        given, given_contacts = _given(command), _given_contacts(command)
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            system = own_system(transaction, caller, command.system_id)
            if earlier is not None:
                return system
            if system.state is not SystemState.APPROVED:
                raise SystemNotReady("A system is changed once it is approved", state=system.state.value)
            contacts = opened_contacts(self.vault, system.id, system.contacts)
            asked, asked_contacts = replace(system, **given), replace(contacts, **given_contacts)
            if asked == system and asked_contacts == contacts:
                raise InvalidInput("Nothing would change: name what is to be other than it is")
            change = SystemChange(
                id=uuid7(now, self.entropy.token(10)),
                address=asked.address,
                network_environment=asked.network_environment,
                department=asked.department,
                source_networks=asked.source_networks,
                contacts=sealed_contacts(self.vault, system.id, asked_contacts),
                asked_by=caller.identity,
                asked_at=now,
            )
            waiting = replace(system, change=change)
            transaction.systems.replace(waiting)
            event = _event(EventKind.SYSTEM_CHANGE_REQUESTED, system, change, contacts, asked_contacts)
            self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, command, change.id, now)
            transaction.commit()
        return waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideSystemChange:
    """主管部门意见 on a change, by its id: what was asked for since is not decided with it."""

    system_id: str
    change_id: str
    approve: bool
    reason: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class DecideSystemChangeUseCase:
    """接入变更审批 by the office: approved, it holds from the commit on; rejected, what stood goes on to stand.

    Raises SystemNotFound, AlreadyDecided (also of a change that was replaced), SelfDecisionRefused, InvalidInput.
    """

    permission: ClassVar[Permission] = Permission.DECIDE_SYSTEM
    records: Records
    log: SigningLog
    clock: Clock
    vault: Vault

    def __call__(self, caller: Caller, command: DecideSystemChange) -> ApplicationSystem:
        """The system with its decision."""
        now = self.clock.now()
        reason = checked_optional(command.reason, "reason", LONGEST_REASON)
        if not command.approve and reason is None:
            raise InvalidInput("A rejection says why", field="reason")
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            system = transaction.systems.lock(command.system_id)
            if earlier is not None:
                return system
            change = waiting_change(system, command.change_id, caller.identity)
            decided = with_decided(system, change, caller.identity, now, approved=command.approve, reason=reason)
            transaction.systems.replace(decided)
            kind = EventKind.SYSTEM_CHANGED if command.approve else EventKind.SYSTEM_CHANGE_REJECTED
            contacts, asked = (opened_contacts(self.vault, system.id, one.contacts) for one in (system, change))
            event = replace(_event(kind, system, change, contacts, asked), reason=reason)
            self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, command, system.id, now)
            transaction.commit()
        return decided


def _given(command: ChangeSystem) -> dict[str, Any]:
    found = {
        "address": checked_optional(command.address, "address", 500),
        "network_environment": checked_optional(command.network_environment, "network_environment"),
        "department": checked_optional(command.department, "department"),
        "source_networks": None if command.source_networks is None else checked_networks(command.source_networks),
    }
    return {name: value for name, value in found.items() if value is not None}


def _given_contacts(command: ChangeSystem) -> dict[str, str]:
    found = {
        "technical_contact": checked_optional(command.technical_contact, "technical_contact"),
        "technical_phone": checked_optional(command.technical_phone, "technical_phone", 40),
        "department_contact": checked_optional(command.department_contact, "department_contact"),
        "department_phone": checked_optional(command.department_phone, "department_phone"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _event(
    kind: EventKind, system: ApplicationSystem, change: SystemChange, contacts: Contacts, asked: Contacts
) -> Event:
    """What was asked for, and under `former_…` what stood; of contacts those alone that differ, as commitments."""
    facts: dict[str, Scalar] = {
        **system_facts(system),
        "system_change_id": change.id,
        "change_requested_by": change.asked_by,
        "system_address": change.address,
        "former_system_address": system.address,
        "network_environment": change.network_environment,
        "former_network_environment": system.network_environment,
        "system_department": change.department,
        "former_system_department": system.department,
        "source_networks": change.source_networks,
        "former_source_networks": system.source_networks,
    }
    before, after = told_contacts(contacts), told_contacts(asked)
    changed = {name for name in after if after[name] != before.get(name)}
    private = {name: after[name] for name in changed}
    private |= {f"former_{name}": before[name] for name in changed & before.keys()}
    return Event(kind=kind, unit_id=system.unit_id, facts=facts, private=private)

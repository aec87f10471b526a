"""接入系统登记: a unit registers a system, the office decides, and an account is tied to it (standards: Table A.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain.access import Caller, Permission, Role
from seal_service.domain.errors import (
    AccountNotFound,
    AlreadyDecided,
    InvalidInput,
    PermissionDenied,
    SelfDecisionRefused,
    SystemNotFound,
    SystemNotReady,
)
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.identifiers import uuid7
from seal_service.domain.machine import ApplicationSystem, Contacts, SystemState, checked_networks
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy, Vault
from seal_service.usecases.change_status import LONGEST_REASON
from seal_service.usecases.register_unit import LONGEST_NAME, checked_name
from seal_service.usecases.requests import made_earlier, remember
from seal_service.usecases.system_contacts import sealed_contacts, told_contacts


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSystem:
    """接入申请 as asked for."""

    name: str
    address: str
    network_environment: str
    department: str
    source_networks: tuple[str, ...]
    technical_contact: str
    technical_phone: str
    department_contact: str | None = None
    department_phone: str | None = None
    idempotency_key: str | None = None


def system_facts(system: ApplicationSystem) -> dict[str, Scalar]:
    """What log entries say of a system; nothing of it is personal."""
    return {
        "system_id": system.id,
        "system_name": system.name,
        "system_address": system.address,
        "network_environment": system.network_environment,
        "source_networks": system.source_networks,
        "system_account_id": system.account_id,
    }


@dataclass(frozen=True)
class RegisterSystemUseCase:
    """接入申请 by the system's own unit. Raises InvalidInput."""

    permission: ClassVar[Permission] = Permission.REGISTER_SYSTEM
    records: Records
    log: SigningLog
    clock: Clock
    entropy: Entropy
    vault: Vault

    def __call__(self, caller: Caller, command: RegisterSystem) -> ApplicationSystem:
        """The system, which waits for its approval."""
        now = self.clock.now()
        if caller.unit_id is None:
            raise PermissionDenied("A system is registered by its unit")
        system_id = uuid7(now, self.entropy.token(10))
        contacts = Contacts(
            technical_contact=checked_name(command.technical_contact, "technical_contact"),
            technical_phone=checked_name(command.technical_phone, "technical_phone", 40),
            department_contact=checked_optional(command.department_contact, "department_contact"),
            department_phone=checked_optional(command.department_phone, "department_phone"),
        )
        system = ApplicationSystem(
            id=system_id,
            unit_id=caller.unit_id,
            name=checked_name(command.name, "name"),
            address=checked_name(command.address, "address", 500),
            network_environment=checked_name(command.network_environment, "network_environment"),
            department=checked_name(command.department, "department"),
            source_networks=checked_networks(command.source_networks),
            contacts=sealed_contacts(self.vault, system_id, contacts),
            state=SystemState.PENDING,
            applied_by=caller.identity,
            applied_at=now,
        )
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            if earlier is not None:
                return transaction.systems.lock(earlier)
            transaction.systems.add(system)
            event = Event(
                kind=EventKind.SYSTEM_REGISTERED,
                unit_id=system.unit_id,
                facts=system_facts(system),
                private=told_contacts(contacts),
            )
            self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, command, system.id, now)
            transaction.commit()
        return system


def checked_optional(text: str | None, field: str, longest: int = LONGEST_NAME) -> str | None:
    """A name that may be left out; InvalidInput."""
    return None if text is None else checked_name(text, field, longest)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideSystem:
    """主管部门意见 as given."""

    system_id: str
    approve: bool
    reason: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class DecideSystemUseCase:
    """接入审批 by the office. Raises SystemNotFound, AlreadyDecided, SelfDecisionRefused, InvalidInput (no reason)."""

    permission: ClassVar[Permission] = Permission.DECIDE_SYSTEM
    records: Records
    log: SigningLog
    clock: Clock

    def __call__(self, caller: Caller, command: DecideSystem) -> ApplicationSystem:
        """The system with its decision."""
        now = self.clock.now()
        reason = None if command.reason is None else checked_name(command.reason, "reason", LONGEST_REASON)
        if not command.approve and reason is None:
            raise InvalidInput("A rejection says why", field="reason")
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            system = transaction.systems.lock(command.system_id)
            if earlier is not None:
                return system
            if system.applied_by == caller.identity:
                raise SelfDecisionRefused
            if system.state is not SystemState.PENDING:
                raise AlreadyDecided("The system was decided on already", state=system.state.value)
            decided = replace(
                system,
                state=SystemState.APPROVED if command.approve else SystemState.REJECTED,
                decided_by=caller.identity,
                decided_at=now,
                decision_reason=reason,
            )
            transaction.systems.replace(decided)
            kind = EventKind.SYSTEM_APPROVED if command.approve else EventKind.SYSTEM_REJECTED
            event = Event(kind=kind, unit_id=system.unit_id, reason=reason, facts=system_facts(decided))
            self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, command, system.id, now)
            transaction.commit()
        return decided


@dataclass(frozen=True, slots=True, kw_only=True)
class TieAccount:
    """The account by which an approved system logs in, as named."""

    system_id: str
    account_id: str
    idempotency_key: str | None = None


@dataclass(frozen=True)
class TieAccountUseCase:
    """接入账户: from now on the account's calls come from the system's addresses alone, and it may have credentials.

    By the system's unit. Raises SystemNotFound (or another unit's), SystemNotReady (not approved, or tied already),
    AccountNotFound (or another unit's), InvalidInput (no business system), AlreadyRegistered (another system has it).
    """

    permission: ClassVar[Permission] = Permission.REGISTER_SYSTEM
    records: Records
    log: SigningLog
    clock: Clock

    def __call__(self, caller: Caller, command: TieAccount) -> ApplicationSystem:
        """The system with its account."""
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            system = own_system(transaction, caller, command.system_id)
            if earlier is not None or system.account_id == command.account_id:
                return system
            if system.state is not SystemState.APPROVED or system.account_id is not None:
                raise SystemNotReady("An account is tied once, to a system that is approved", state=system.state.value)
            account = transaction.accounts.lock(command.account_id)
            if account is None or account.unit_id != system.unit_id or account.disabled_at is not None:
                raise AccountNotFound
            if Role.BUSINESS_SYSTEM not in account.roles:
                raise InvalidInput("A system logs in by an account of the role business_system", field="account_id")
            tied = replace(system, account_id=account.id)
            transaction.systems.replace(tied)
            event = Event(kind=EventKind.SYSTEM_TIED, unit_id=system.unit_id, facts=system_facts(tied))
            self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, command, system.id, self.clock.now())
            transaction.commit()
        return tied


def own_system(transaction: Transaction, caller: Caller, system_id: str) -> ApplicationSystem:
    """The system, locked, if it is the caller's unit's; else SystemNotFound."""
    system = transaction.systems.lock(system_id)
    if system.unit_id != caller.unit_id:
        raise SystemNotFound
    return system

"""用印授权: a seal's unit lets a business system, or a person of its own, apply it for a scenario (article 20)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Account, Caller, Permission, Role
from seal_service.domain.errors import AccountNotFound, GrantNotFound, InvalidInput, ScenarioNotFound, SealNotFound
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.grant import Grant
from seal_service.domain.identifiers import digest, uuid7
from seal_service.domain.lifecycle import Action, allowed_actions, state_at
from seal_service.domain.scenario import Scenario, accepts_seal_type
from seal_service.domain.seal import Seal
from seal_service.domain.use import ADDED_LATER
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.change_status import LONGEST_REASON
from seal_service.usecases.facts import seal_facts
from seal_service.usecases.register_unit import checked_name
from seal_service.usecases.requests import made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantUse:
    """用印授权 as given."""

    seal_code: str
    grantee_id: str
    scenario: str
    """As registered: its kind is the registry's."""
    responsible_person: str
    approval_number: str
    valid_from: datetime | None = None
    """None: now."""
    valid_until: datetime | None = None
    """None: as long as the seal's present certificate."""
    maximum_uses: int | None = None
    media_types: tuple[str, ...] = field(default=(), metadata=ADDED_LATER)
    most_pages: int | None = field(default=None, metadata=ADDED_LATER)
    digests: tuple[str, ...] = field(default=(), metadata=ADDED_LATER)
    idempotency_key: str | None = None


@dataclass(frozen=True)
class GrantUseUseCase:
    """用印授权 by the seal's own unit.

    Raises SealNotFound (or another unit's), AccountNotFound, ScenarioNotFound, InvalidInput (no business system nor a
    person of the unit, article 21's kinds, a seal or scenario that is no longer used), InvalidTime.
    """

    permission: ClassVar[Permission] = Permission.GRANT_USE
    records: Records
    log: SigningLog
    clock: Clock
    entropy: Entropy

    def __call__(self, caller: Caller, command: GrantUse) -> Grant:
        """The grant."""
        now = self.clock.now()
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            if earlier is not None:
                return transaction.grants.lock(earlier)
            seal = _own(transaction, caller, command.seal_code)
            if command.grantee_id == caller.account_id:
                raise InvalidInput("A use is granted to another account than one's own", field="grantee_id")
            grantee = _grantee(transaction, command.grantee_id, seal)
            grant = Grant(
                id=uuid7(now, self.entropy.token(10)),
                seal_code=seal.code,
                grantee_id=grantee.id,
                scenario=_scenario(transaction, command.scenario, seal),
                valid_from=command.valid_from or now,
                valid_until=command.valid_until or seal.not_after,
                maximum_uses=command.maximum_uses,
                responsible_person=checked_name(command.responsible_person, "responsible_person"),
                approval_number=checked_name(command.approval_number, "approval_number"),
                granted_by=caller.identity,
                granted_at=now,
                media_types=tuple(sorted(set(command.media_types))),
                most_pages=command.most_pages,
                digests=tuple(sorted({digest(one) for one in command.digests})),
            )
            if Action.APPLY not in allowed_actions(state_at(seal, now)):
                raise InvalidInput(f"The seal is {state_at(seal, now).value}: it cannot be applied", field="seal_code")
            transaction.grants.add(grant)
            unit = transaction.units.get(seal.unit_id)
            event = Event(
                kind=EventKind.GRANT_MADE,
                seal_code=seal.code,
                unit_id=unit.id,
                scenario=grant.scenario.code,
                facts={**seal_facts(seal, unit), **grant_facts(grant), "grantee_name": grantee.name},
                private={"responsible_person": grant.responsible_person},
            )
            self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, command, grant.id, now)
            transaction.commit()
        return grant


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeGrant:
    """撤销授权 as asked for."""

    grant_id: str
    reason: str
    idempotency_key: str | None = None


@dataclass(frozen=True)
class RevokeGrantUseCase:
    """撤销授权: uses under way do not survive it. Raises GrantNotFound, InvalidInput; revoked already is done."""

    permission: ClassVar[Permission] = Permission.GRANT_USE
    records: Records
    log: SigningLog
    clock: Clock

    def __call__(self, caller: Caller, command: RevokeGrant) -> Grant:
        """The grant, revoked."""
        now = self.clock.now()
        reason = checked_name(command.reason, "reason", LONGEST_REASON)
        with self.records.read() as transaction:
            seal_code = transaction.grants.lock(command.grant_id).seal_code
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            seal = transaction.seals.lock(seal_code)  # before the grant, as whoever applies the seal does
            grant = transaction.grants.lock(command.grant_id)
            if caller.unit_id != seal.unit_id:
                raise GrantNotFound
            if earlier is not None or grant.revoked_at is not None:
                return grant
            revoked = replace(grant, revoked_at=now, epoch=grant.epoch + 1)
            transaction.grants.replace(revoked)
            unit = transaction.units.get(seal.unit_id)
            event = Event(
                kind=EventKind.GRANT_REVOKED,
                seal_code=seal.code,
                unit_id=unit.id,
                scenario=grant.scenario.code,
                reason=reason,
                facts={**seal_facts(seal, unit), **grant_facts(grant)},
            )
            self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, command, grant.id, now)
            transaction.commit()
        return revoked


def grant_facts(grant: Grant) -> dict[str, Scalar]:
    """What the log keeps of a grant."""
    return {
        "grant_id": grant.id,
        "grantee_id": grant.grantee_id,
        "scenario_kind": grant.scenario.kind.value,
        "approval_number": grant.approval_number,
        "maximum_uses": grant.maximum_uses,
        "valid_from": grant.valid_from.isoformat(),
        "valid_until": grant.valid_until.isoformat(),
        "media_types": grant.media_types or None,
        "most_pages": grant.most_pages,
        "digests": len(grant.digests) or None,
        "digests_sha256": hashlib.sha256("\n".join(grant.digests).encode()).hexdigest() if grant.digests else None,
    }


def _own(transaction: Transaction, caller: Caller, code: str) -> Seal:
    seal = transaction.seals.lock(code)
    if caller.unit_id != seal.unit_id:
        raise SealNotFound
    return seal


PERSONS = frozenset({Role.APPLICANT, Role.SEAL_KEEPER})
"""Who of a unit may be granted its seals."""


def _grantee(transaction: Transaction, account_id: str, seal: Seal) -> Account:
    account = transaction.accounts.lock(account_id)
    if account is None or account.disabled_at is not None:
        raise AccountNotFound
    own_person = bool(account.roles & PERSONS) and account.unit_id == seal.unit_id
    if Role.BUSINESS_SYSTEM not in account.roles and not own_person:
        raise InvalidInput(
            "A use is granted to a business system (业务系统), or to an applicant or keeper of the seal's own unit",
            field="grantee_id",
        )
    return account


def _scenario(transaction: Transaction, code: str, seal: Seal) -> Scenario:
    registered = transaction.scenarios.find(code)
    if registered is None:
        raise ScenarioNotFound(scenario=code)
    if not registered.active:
        raise InvalidInput(f"The scenario {code} is no longer used", field="scenario")
    if not accepts_seal_type(registered.scenario.kind, seal.seal_type):
        raise InvalidInput(
            "证明类 scenarios take the 电子证照查询专用章, and that seal takes no other (article 21)",
            field="scenario",
        )
    return registered.scenario

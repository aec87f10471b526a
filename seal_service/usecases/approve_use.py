"""用印审批: a use is asked for, and decided by someone else of the seal's unit, before the seal is applied (22)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from seal_service.domain import identifiers
from seal_service.domain.access import Caller, Permission, Role
from seal_service.domain.approval import (
    MOST_DOCUMENTS,
    ApprovalState,
    UseApproval,
    UseDecision,
    require_decidable,
    validity,
)
from seal_service.domain.errors import (
    ApprovalDecided,
    InvalidInput,
    ScenarioNotFound,
    SealNotFound,
    UseApprovalNotFound,
)
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.grant import LONGEST_APPROVAL_NUMBER
from seal_service.domain.seal import Seal
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.change_status import LONGEST_REASON
from seal_service.usecases.facts import seal_facts
from seal_service.usecases.register_unit import checked_name
from seal_service.usecases.requests import made_earlier, remember

MOST_DIGESTS_LOGGED = 100
"""Digests that stand in the log entry itself; of more the digest of their list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestApproval:
    """用印申请 as asked for: the use of a seal on one document, or on each of a list."""

    seal_code: str
    scenario: str
    title: str
    """用印事由: what is to be sealed, for whoever decides."""
    digests: tuple[str, ...]
    """SHA-256 of each document."""
    number: str | None = None
    """用章审批编号; None: the approval's id."""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideApproval:
    """用印审批结论 as given, on all documents of the request."""

    approval_id: str
    decision: UseDecision
    reason: str | None = None
    """Needed to reject."""
    valid_until: datetime | None = None
    """None: a week."""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawApproval:
    """撤回: of a request by whoever made it, of an approval also by the unit."""

    approval_id: str
    reason: str
    idempotency_key: str | None = None


@dataclass(frozen=True)
class RequestApprovalUseCase:
    """用印申请 by a system or person that holds a grant.

    Raises SealNotFound (no grant), ScenarioNotFound, InvalidInput.
    """

    permission: ClassVar[Permission] = Permission.REQUEST_APPROVAL
    records: Records
    log: SigningLog
    clock: Clock
    entropy: Entropy

    def __call__(self, caller: Caller, command: RequestApproval) -> UseApproval:
        """The request, which waits for its decision."""
        now = self.clock.now()
        digests = _checked(command.digests)
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            if earlier is not None:
                return transaction.approvals.lock(earlier)
            seal = transaction.seals.lock(identifiers.seal_code(command.seal_code))
            # Whoever holds no grant is not told that there is such a seal.
            grants = transaction.grants.lock_candidates(seal.code, caller.identity, command.scenario, digests[0], now)
            if not any(one.revoked_at is None and now < one.valid_until for one in grants):
                raise SealNotFound(seal_code=command.seal_code)
            registered = transaction.scenarios.find(command.scenario)
            if registered is None:
                raise ScenarioNotFound(scenario=command.scenario)
            approval_id = identifiers.uuid7(now, self.entropy.token(10))
            number = command.number
            approval = UseApproval(
                id=approval_id,
                seal_code=seal.code,
                unit_id=seal.unit_id,
                scenario=registered.code,
                title=checked_name(command.title, "title"),
                documents=len(digests),
                requested_by=caller.identity,
                requested_at=now,
                state=ApprovalState.REQUESTED,
                number=approval_id if number is None else checked_name(number, "number", LONGEST_APPROVAL_NUMBER),
            )
            transaction.approvals.add(approval, digests)
            self.log.append(transaction, act_of(caller, _event(transaction, approval, seal, digests)))
            remember(transaction, caller, command, approval.id, now)
            transaction.commit()
        return approval


@dataclass(frozen=True)
class DecideApprovalUseCase:
    """用印审批 by a person of the seal's unit who did not ask for it.

    Raises UseApprovalNotFound (or another unit's), ApprovalDecided, SelfDecisionRefused, InvalidInput, InvalidTime.
    """

    permission: ClassVar[Permission] = Permission.DECIDE_APPROVAL
    records: Records
    log: SigningLog
    clock: Clock

    def __call__(self, caller: Caller, command: DecideApproval) -> UseApproval:
        """The approval with its decision."""
        now = self.clock.now()
        reason = None if command.reason is None else checked_name(command.reason, "reason", LONGEST_REASON)
        with self.records.read() as transaction:
            seal_code = transaction.approvals.lock(command.approval_id).seal_code
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            seal = transaction.seals.lock(seal_code)  # before the approval, as whoever applies the seal does
            before = transaction.approvals.lock(command.approval_id)
            if caller.unit_id != seal.unit_id:
                raise UseApprovalNotFound
            if earlier is not None:
                return before
            require_decidable(before, command.decision, caller.identity, reason)
            approved = command.decision is UseDecision.APPROVE
            decided = replace(
                before,
                state=ApprovalState.APPROVED if approved else ApprovalState.REJECTED,
                epoch=before.epoch + 1,
                decided_by=caller.identity,
                decided_at=now,
                reason=reason,
                valid_until=validity(command.valid_until, now) if approved else None,
            )
            transaction.approvals.replace(decided)
            self.log.append(transaction, act_of(caller, _event(transaction, decided, seal)))
            remember(transaction, caller, command, decided.id, now)
            transaction.commit()
        return decided


@dataclass(frozen=True)
class WithdrawApprovalUseCase:
    """撤回: what is not sealed yet can no longer be, and uses under way do not survive it.

    Raises UseApprovalNotFound (of others), ApprovalDecided (rejected); withdrawn already is done.
    """

    permission: ClassVar[Permission] = Permission.WITHDRAW_APPROVAL
    records: Records
    log: SigningLog
    clock: Clock

    def __call__(self, caller: Caller, command: WithdrawApproval) -> UseApproval:
        """The approval, withdrawn."""
        now = self.clock.now()
        reason = checked_name(command.reason, "reason", LONGEST_REASON)
        with self.records.read() as transaction:
            seal_code = transaction.approvals.lock(command.approval_id).seal_code
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            seal = transaction.seals.lock(seal_code)
            before = transaction.approvals.lock(command.approval_id)
            decides = Role.UNIT_ADMINISTRATOR in caller.roles and caller.unit_id == seal.unit_id
            if not decides and caller.account_id != before.requested_by:
                raise UseApprovalNotFound
            if earlier is not None or before.state is ApprovalState.WITHDRAWN:
                return before
            if before.state is ApprovalState.REJECTED:
                raise ApprovalDecided(state=before.state.value)
            withdrawn = replace(
                before,
                state=ApprovalState.WITHDRAWN,
                epoch=before.epoch + 1,
                reason=reason,
                withdrawn_by=caller.identity,
                withdrawn_at=now,
            )
            transaction.approvals.replace(withdrawn)
            self.log.append(transaction, act_of(caller, _event(transaction, withdrawn, seal)))
            remember(transaction, caller, command, withdrawn.id, now)
            transaction.commit()
        return withdrawn


_KIND_OF: dict[ApprovalState, EventKind] = {
    ApprovalState.REQUESTED: EventKind.APPROVAL_REQUESTED,
    ApprovalState.APPROVED: EventKind.APPROVAL_GRANTED,
    ApprovalState.REJECTED: EventKind.APPROVAL_REJECTED,
    ApprovalState.WITHDRAWN: EventKind.APPROVAL_WITHDRAWN,
}


def _event(transaction: Transaction, approval: UseApproval, seal: Seal, digests: Sequence[str] | None = None) -> Event:
    covered = digests or [one.sha256 for one in transaction.approvals.documents(approval.id)]
    unit = transaction.units.get(seal.unit_id)
    facts: dict[str, Scalar] = {
        **seal_facts(seal, unit),
        "approval_id": approval.id,
        "approval_number": approval.number,
        "requested_by": approval.requested_by,
        "valid_until": approval.valid_until.isoformat() if approval.valid_until is not None else None,
        "documents": approval.documents,
        "documents_sha256": hashlib.sha256("\n".join(sorted(covered)).encode()).hexdigest(),
        "document_digests": tuple(sorted(covered)) if len(covered) <= MOST_DIGESTS_LOGGED else None,
    }
    return Event(
        kind=_KIND_OF[approval.state],
        seal_code=seal.code,
        unit_id=unit.id,
        scenario=approval.scenario,
        document_sha256=covered[0] if len(covered) == 1 else None,
        reason=approval.reason,
        facts=facts,
        private={"document_name": approval.title},
    )


def _checked(digests: Sequence[str]) -> tuple[str, ...]:
    if not 1 <= len(digests) <= MOST_DOCUMENTS:
        raise InvalidInput(f"A use is approved for 1 to {MOST_DOCUMENTS} documents", field="digests")
    if len(set(digests)) != len(digests):
        raise InvalidInput("A document stands in the list twice: each can be sealed once", field="digests")
    return tuple(identifiers.digest(one) for one in digests)

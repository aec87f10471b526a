"""用印预留: steps 1–4 of a use, in one transaction, as docs/explanation/sealing-cycle.md numbers them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime

from seal_service.domain.access import Caller
from seal_service.domain.authorization import SealingPermit, authorize, needs_approval
from seal_service.domain.conditions import FoundApproval
from seal_service.domain.conveyance import require_handle
from seal_service.domain.errors import AuthorizationDenied, LogHalted, SealNotActivated, Unavailable, UseOvertaken
from seal_service.domain.events import EventKind, Result, act_of
from seal_service.domain.grant import Grant
from seal_service.domain.identifiers import seal_code, uuid7
from seal_service.domain.operation import UseStep
from seal_service.domain.organization import Unit
from seal_service.domain.scenario import RegisteredScenario
from seal_service.domain.seal import Custody, Seal
from seal_service.domain.use import IntentReference, SealUse, UseRequest, UseState
from seal_service.ports.activation import LockedKeys
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy, Measurements
from seal_service.usecases.commit_use import committed, reread_use
from seal_service.usecases.operator_of_use import require_registered
from seal_service.usecases.requests import checked_key, request_digest
from seal_service.usecases.use_facts import permit_facts, private_facts, sha256_hex, use_event


def stands() -> str | None:
    """A log that is never halted."""
    return None


@dataclass(frozen=True, slots=True)
class ReserveUse:
    """用印预留: a permit and a reserved use, or the earlier use that the same key stands for.

    Raises SealNotFound, HandleRefused, AuthorizationDenied (with every reason; logged; OperatorNotRegistered is one),
    SealNotActivated (logged), LogHalted, Unavailable, OutcomeUnknown.
    """

    records: Records
    log: SigningLog
    clock: Clock
    entropy: Entropy
    measurements: Measurements
    locked: LockedKeys | None = None
    """Asked whether a key that the service keeps would sign; None: no key of this use is kept here."""
    halted: Callable[[], str | None] = stands
    """Why the log takes no use any more; None: it does."""

    def __call__(
        self, caller: Caller, request: UseRequest, idempotency_key: str, handle: str | None
    ) -> tuple[SealingPermit, SealUse] | SealUse:
        """Steps 1–4. `handle` is the 授权句柄 of a system to which the seal was conveyed."""
        key, digest = checked_key(idempotency_key), request_digest(request)
        halted = self.halted()
        with self.records.write() as transaction:
            seal = transaction.seals.lock(seal_code(request.seal_code))  # 2, before 1: the same request waits here
            require_handle(transaction.conveyances.of(seal.code, caller.identity), handle)
            earlier = transaction.uses.by_key(caller.identity, key)  # 1
            if earlier is None and halted is not None:
                raise LogHalted(halted)
            if earlier is None:
                permit, use = self._reserved(transaction, caller, request, seal, key, digest)  # 3, 4
                certain = committed(transaction)
        if earlier is not None:
            return earlier
        if not certain and reread_use(self.records, use) is None:
            raise Unavailable("The reservation could not be written: repeat the request with the same key")
        return permit, use

    def _reserved(
        self, transaction: Transaction, caller: Caller, request: UseRequest, seal: Seal, key: str, digest: str
    ) -> tuple[SealingPermit, SealUse]:
        unit = transaction.units.get(seal.unit_id)
        now = self.clock.now()
        try:
            with self.measurements.timed(UseStep.AUTHORIZE), self._asked(seal) as require_activated:
                permit, grant = self.authorized(transaction, caller, seal, unit, request)  # 3
                require_registered(transaction, self.log, seal.unit_id, request.operator)
                require_activated()  # last: whoever may not apply the seal does not hear how it is kept
        except (AuthorizationDenied, SealNotActivated) as denial:
            named = denial.reasons if isinstance(denial, AuthorizationDenied) else ((denial.code(), denial.message),)
            reasons = tuple(code for code, _ in named)
            denied = use_event(EventKind.SEAL_DENIED, Result.REFUSED, seal, unit, request)
            denied = replace(
                denied,
                reason=denial.message[:500],
                facts={**denied.facts, "reasons": reasons},
                operator_id=request.operator.id if request.operator else None,
                private=private_facts(request, None),
            )
            self.log.append(transaction, act_of(caller, denied))
            transaction.commit()
            raise
        use_id = uuid7(now, self.entropy.token(10))  # 4
        intent = use_event(EventKind.SEAL_INTENT, Result.UNDECIDED, seal, unit, request)
        intent = replace(
            intent,
            use_id=use_id,
            facts={**intent.facts, **permit_facts(permit), "idempotency_sha256": sha256_hex(key)},
            operator_id=request.operator.id if request.operator else None,
            private=private_facts(request, grant),
        )
        logged = self.log.append(transaction, act_of(caller, intent))
        use = SealUse(
            id=use_id,
            account_id=caller.identity,
            idempotency_key=key,
            request_digest=digest,
            seal_code=seal.code,
            seal_epoch=permit.seal_epoch,
            grant_id=permit.grant_id,
            grant_epoch=permit.grant_epoch,
            scenario=permit.scenario.code,
            state=UseState.RESERVED,
            document_sha256=request.document_sha256,
            document_sm3=request.document_sm3,
            intent=IntentReference(entry_id=logged.entry_id, leaf_hash=logged.leaf_hash),
            reserved_at=now,
            level_asked=request.level,
            approval_id=permit.approval_id,
            approval_epoch=permit.approval_epoch,
        )
        transaction.uses.add(use)
        if permit.approval_id is not None:
            taken = transaction.approvals.take(permit.approval_id, request.document_sha256, use_id)
            if not taken:  # it was free under the lock that this transaction holds
                raise UseOvertaken
        return permit, use

    def _asked(self, seal: Seal) -> AbstractContextManager[Callable[[], None]]:
        """Have the key process asked while grants are read."""
        credential = seal.signing_credential()
        if self.locked is None or credential is None or credential.custody is not Custody.SERVER:
            return nullcontext(lambda: None)
        return self.locked.asked(credential.key_reference)

    def authorized(
        self, transaction: Transaction, caller: Caller, seal: Seal, unit: Unit, request: UseRequest
    ) -> tuple[SealingPermit, Grant]:
        """Step 3: the permit by the first grant that allows the use; else the denial by the newest one."""
        now = self.clock.now()
        scenario = transaction.scenarios.find(request.scenario)
        grants = transaction.grants.lock_candidates(
            seal.code, caller.identity, request.scenario, request.document_sha256, now
        )
        approval = self._approval(transaction, caller, request, scenario, now) if grants else None
        if not grants:
            authorize(caller, seal, unit, None, 0, request, now, scenario=scenario, approval=approval)
            raise AssertionError("authorize() without a grant denies")
        first_denial: AuthorizationDenied | None = None
        # How many pages a document has is not known yet: whichever grant allows most of them stands first.
        for grant in sorted(grants, key=lambda one: -(one.most_pages or sys.maxsize)):
            counted = transaction.uses.counted(grant.id) if grant.maximum_uses is not None else 0
            try:
                permit = authorize(
                    caller, seal, unit, grant, counted, request, now, scenario=scenario, approval=approval
                )
            except AuthorizationDenied as denial:
                first_denial = first_denial or denial
            else:
                return permit, grant
        raise first_denial or AssertionError("every grant was looked at")

    @staticmethod
    def _approval(
        transaction: Transaction,
        caller: Caller,
        request: UseRequest,
        scenario: RegisteredScenario | None,
        now: datetime,
    ) -> FoundApproval | None:
        """The approval that the use names, or the first that allows it; else the one that says best why not."""
        if not needs_approval(scenario, request):
            return None
        if request.approval_id is not None:
            return transaction.approvals.lock_for(request.approval_id, request.document_sha256)
        found = transaction.approvals.lock_candidates(
            request.seal_code, caller.identity, request.scenario, request.document_sha256
        )
        usable = (one for one in found if one.approval.valid_until is not None and now < one.approval.valid_until)
        return next(usable, found[0] if found else None)

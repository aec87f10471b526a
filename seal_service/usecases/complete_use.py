"""用印完成: step 8 of a use, in one transaction, as docs/explanation/sealing-cycle.md numbers them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from seal_service.domain.access import Caller
from seal_service.domain.authorization import SealingPermit
from seal_service.domain.errors import Unavailable, UseOvertaken
from seal_service.domain.events import EventKind, Result, act_of
from seal_service.domain.lifecycle import Action, allowed_actions, state_at
from seal_service.domain.operation import DocumentKeeping
from seal_service.domain.use import SealUse, UseRequest, UseState, kept_until
from seal_service.ports.documents import SealedDocument
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock
from seal_service.usecases.commit_use import committed, reread_use
from seal_service.usecases.end_use import failure_of
from seal_service.usecases.use_facts import permit_facts, private_facts, sealed_facts, use_event


@dataclass(frozen=True, slots=True)
class CompleteUse:
    """用印完成: from reserved to completed, only if everything that permitted the use still stands.

    Raises UseOvertaken, Unavailable, OutcomeUnknown, or what ended the use meanwhile.
    """

    records: Records
    log: SigningLog
    clock: Clock
    keeping: DocumentKeeping
    hold: timedelta

    def __call__(
        self, caller: Caller, request: UseRequest, permit: SealingPermit, use: SealUse, sealed: SealedDocument
    ) -> SealUse:
        """Step 8."""
        with self.records.write() as transaction:
            now = self.clock.now()
            seal = transaction.seals.lock(permit.seal_code)
            grant = transaction.grants.lock(permit.grant_id)
            unit = transaction.units.get(seal.unit_id)
            approved = _approval_stands(transaction, permit, now)
            account = transaction.accounts.lock(use.account_id)
            stands = (
                seal.epoch == permit.seal_epoch
                and grant.epoch == permit.grant_epoch
                and now < grant.valid_until
                and approved
                and account is not None
                and account.disabled_at is None
            )
            current = transaction.uses.find(use.id)
            if current is None or current.state is not UseState.RESERVED:
                raise UseOvertaken("The reservation was closed as abandoned meanwhile: ask again with a new key")
            if not stands or Action.APPLY not in allowed_actions(state_at(seal, now)):
                raise UseOvertaken(seal_state=state_at(seal, now).value)
            event = use_event(EventKind.SEAL_COMPLETED, Result.SUCCESS, seal, unit, request)
            event = replace(
                event,
                use_id=use.id,
                intent_id=use.intent.entry_id,
                intent_leaf_hash=use.intent.leaf_hash.hex(),
                facts={**event.facts, **permit_facts(permit), **sealed_facts(sealed)},
                operator_id=request.operator.id if request.operator else None,
                private=private_facts(request, grant),
            )
            logged = self.log.append(transaction, act_of(caller, event))
            done = replace(
                use,
                state=UseState.COMPLETED,
                level_reached=sealed.level,
                repaired_sha256=sealed.repaired.sha256_hex if sealed.repaired else None,
                sealed_sha256=sealed.sha256,
                terminal_entry_id=logged.entry_id,
                terminal_leaf_hash=logged.leaf_hash,
                ended_at=now,
                document_kept_until=kept_until(self.keeping, now, self.hold),
            )
            if not transaction.uses.end(done):
                raise UseOvertaken
            certain = committed(transaction)
        if not certain:
            written = reread_use(self.records, use)
            if written is None or written.state is UseState.RESERVED:
                raise Unavailable("The use could not be completed")
            if written.state is not UseState.COMPLETED:
                raise failure_of(written)
        return done


def _approval_stands(transaction: Transaction, permit: SealingPermit, now: datetime) -> bool:
    """Whether the approval that the use took is neither withdrawn nor out of its time."""
    if permit.approval_id is None:
        return True
    approval = transaction.approvals.lock(permit.approval_id)
    in_time = approval.valid_until is not None and now < approval.valid_until
    return approval.epoch == permit.approval_epoch and in_time

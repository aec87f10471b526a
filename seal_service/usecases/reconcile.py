"""对账: close what was left open: uses whose process died, documents whose time has passed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import UseOvertaken
from seal_service.domain.observation import RECONCILE
from seal_service.domain.use import UseState
from seal_service.ports.records import Observation, Records, SigningLog
from seal_service.ports.system import BlobStore, Clock
from seal_service.usecases.end_use import end_unsuccessfully
from seal_service.usecases.prepared_state import release_state

BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcile:
    """对账 now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """How many uses were closed as abandoned and how many held documents were removed."""

    abandoned: int
    documents_removed: int


@dataclass(frozen=True)
class ReconcileUseCase:
    """对账, as often as one likes and by any number of processes: each use is closed once, by compare-and-set.

    That it ran is observed, so that readiness can tell when it no longer does.
    """

    permission: ClassVar[Permission] = Permission.RECONCILE
    records: Records
    log: SigningLog
    blobs: BlobStore
    clock: Clock
    reservation: timedelta
    """After how long a reservation counts as abandoned."""

    def __call__(self, caller: Caller, _command: Reconcile) -> Reconciled:
        """What was done."""
        abandoned = removed = 0
        while closed := self._close_abandoned(caller):
            abandoned += closed
        while gone := self._remove_documents():
            removed += gone
        while self._release_prepared():
            pass
        told = f"{abandoned} uses abandoned, {removed} documents removed"
        with self.records.write() as transaction:
            transaction.observations.put(Observation(name=RECONCILE, at=self.clock.now(), well=True, detail=told))
            transaction.commit()
        return Reconciled(abandoned=abandoned, documents_removed=removed)

    def _close_abandoned(self, caller: Caller) -> int:
        closed = 0
        with self.records.read() as transaction:
            stale = transaction.uses.reserved_before(self.clock.now() - self.reservation, BATCH)
        for use in stale:
            with self.records.write() as transaction:
                account = transaction.accounts.find(use.account_id)
                ended = end_unsuccessfully(
                    transaction,
                    self.log,
                    # The use is its system's also when it is the service that closes it.
                    Caller(account_id=use.account_id, name=account.name if account else use.account_id),
                    use,
                    UseState.ABANDONED,
                    UseOvertaken("The use did not end in its time and was closed as abandoned"),
                    self.clock,
                    closed_by=caller.account_id or "service",
                )
                if ended:
                    release_state(transaction, self.blobs, use.id, self.clock.now())
                transaction.commit()
            closed += ended
        return closed

    def _release_prepared(self) -> int:
        """What was kept of uses in two steps whose second never came; they were closed before."""
        with self.records.read() as transaction:
            overdue = transaction.prepared_uses.overdue(self.clock.now() - self.reservation, BATCH)
        for prepared in overdue:
            with self.records.write() as transaction:
                transaction.seals.lock(prepared.seal_code)
                release_state(transaction, self.blobs, prepared.use_id, self.clock.now())
                transaction.commit()
        return len(overdue)

    def _remove_documents(self) -> int:
        with self.records.read() as transaction:
            overdue = transaction.uses.held_until_before(self.clock.now(), BATCH)
        for use in overdue:
            with self.records.write() as transaction:
                transaction.uses.release_document(use.id)
                # Deleted before the commit: a crash between the two leaves a row without document, never the reverse.
                if use.sealed_sha256 is not None and not transaction.uses.holds(use.sealed_sha256):
                    self.blobs.delete(use.sealed_sha256)
                transaction.commit()
        return len(overdue)

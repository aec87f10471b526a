"""对账: close what was left open: uses whose process died, documents whose time has passed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from seal_service.domain.access import PUBLIC_CALLER, Caller, Permission
from seal_service.domain.errors import UseOvertaken
from seal_service.domain.use import UseState
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import BlobStore, Clock
from seal_service.usecases.end_use import end_unsuccessfully

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
    """对账, as often as one likes and by any number of processes: each use is closed once, by compare-and-set."""

    permission: ClassVar[Permission] = Permission.RECONCILE
    records: Records
    log: SigningLog
    blobs: BlobStore
    clock: Clock
    reservation: timedelta
    """After how long a reservation counts as abandoned."""

    def __call__(self, _caller: Caller, _command: Reconcile) -> Reconciled:
        """What was done."""
        return Reconciled(abandoned=self._close_abandoned(), documents_removed=self._remove_documents())

    def _close_abandoned(self) -> int:
        closed = 0
        with self.records.read() as transaction:
            stale = transaction.uses.reserved_before(self.clock.now() - self.reservation, BATCH)
        for use in stale:
            with self.records.write() as transaction:
                ended = end_unsuccessfully(
                    transaction,
                    self.log,
                    PUBLIC_CALLER,
                    use,
                    UseState.ABANDONED,
                    UseOvertaken("The use did not end in its time and was closed as abandoned"),
                    self.clock,
                )
                transaction.commit()
            closed += ended
        return closed

    def _remove_documents(self) -> int:
        removed = 0
        with self.records.read() as transaction:
            overdue = transaction.uses.held_until_before(self.clock.now(), BATCH)
        for use in overdue:
            with self.records.write() as transaction:
                transaction.uses.release_document(use.id)
                still_held = use.sealed_sha256 is not None and transaction.uses.holds(use.sealed_sha256)
                transaction.commit()
            if use.sealed_sha256 is not None and not still_held:
                self.blobs.delete(use.sealed_sha256)
            removed += 1
        return removed

"""用印失败: a use that broke off is ended at once, with its entry, and what was kept of it is removed."""

from __future__ import annotations

from dataclasses import dataclass

from seal_service.domain.access import Caller
from seal_service.domain.errors import SealServiceError
from seal_service.domain.use import SealUse, UseRequest, UseState
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import BlobStore, Clock
from seal_service.usecases.end_use import end_unsuccessfully
from seal_service.usecases.prepared_state import release_state
from seal_service.usecases.use_facts import private_facts


@dataclass(frozen=True, slots=True)
class FailUse:
    """用印失败, or 放弃 where it is its own system that gives it up."""

    records: Records
    log: SigningLog
    blobs: BlobStore
    clock: Clock

    def __call__(
        self,
        caller: Caller,
        request: UseRequest | None,
        use: SealUse,
        error: SealServiceError,
        *,
        kept: str | None = None,
        state: UseState = UseState.FAILED,
    ) -> bool:
        """End it, unless it has ended; whether it was still open. `kept`: digest of its sealed document, if kept."""
        with self.records.write() as transaction:
            transaction.seals.lock(use.seal_code)
            grant = transaction.grants.lock(use.grant_id)
            ended = end_unsuccessfully(
                transaction,
                self.log,
                caller,
                use,
                state,
                error,
                self.clock,
                operator_id=request.operator.id if request is not None and request.operator else None,
                private=private_facts(request, grant) if request is not None else None,
            )
            orphan = kept is not None and not transaction.uses.holds(kept)
            if ended:
                release_state(transaction, self.blobs, use.id, self.clock.now())
            transaction.commit()
        if orphan and kept is not None:
            self.blobs.delete(kept)
        return ended

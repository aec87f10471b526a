"""两步用印之一: reserve → prepare; what is to be signed goes to whoever has the seal's medium (article 20: 分散式)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.authorization import SealingPermit
from seal_service.domain.errors import (
    IdempotencyKeyReused,
    OutcomeUnknown,
    PreparedUseCompleted,
    SealingFailed,
    SealServiceError,
    UseInProgress,
)
from seal_service.domain.medium import require_in_hand
from seal_service.domain.prepared_use import PreparedUse
from seal_service.domain.seal import Custody
from seal_service.domain.use import SealUse, UseRequest, UseState
from seal_service.ports.documents import TwoStepSealer
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import BlobStore, Clock, Entropy, Measurements
from seal_service.usecases.apply_seal import ApplySeal, use_request
from seal_service.usecases.end_use import failure_of
from seal_service.usecases.fail_use import FailUse
from seal_service.usecases.prepared_state import state_of
from seal_service.usecases.requests import request_digest
from seal_service.usecases.reserve_use import ReserveUse, stands


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareUse:
    """两步用印 as asked for: the same as a use in one step."""

    asked: ApplySeal

    @property
    def seal_code(self) -> str:
        """Which seal."""
        return self.asked.seal_code

    @property
    def idempotency_key(self) -> str:
        """The caller's."""
        return self.asked.idempotency_key


@dataclass(frozen=True)
class PrepareUseUseCase:
    """两步用印之一: steps 1–4 of a use, then the document with a gap for the signature, kept until that comes.

    Raises SealNotFound, MediumNotInHand, AuthorizationDenied (with every reason; `server_custody` for a seal whose key
    is here), IdempotencyKeyReused, UseInProgress, DocumentRefused kinds, InvalidPlacement, Unavailable kinds. Whatever
    is raised after the reservation has ended the use as failed and given its count back.
    """

    permission: ClassVar[Permission] = Permission.APPLY_SEAL
    records: Records
    log: SigningLog
    sealer: TwoStepSealer
    blobs: BlobStore
    clock: Clock
    entropy: Entropy
    measurements: Measurements
    reservation: timedelta
    """How long a prepared use waits for its signature: as long as a reservation stands."""
    halted: Callable[[], str | None] = stands
    """Why the log takes no use any more."""

    def __call__(self, caller: Caller, command: PrepareUse) -> tuple[SealUse, PreparedUse]:
        """The reserved use, and what is to be signed for it."""
        request = replace(use_request(command.asked), custody=Custody.TOKEN)
        self._require_medium(request)
        reserve = ReserveUse(self.records, self.log, self.clock, self.entropy, self.measurements, halted=self.halted)
        reserved = reserve(caller, request, command.idempotency_key, command.asked.handle)  # steps 1–4
        if isinstance(reserved, SealUse):
            return self._again(reserved, request)
        permit, use = reserved
        fail = FailUse(self.records, self.log, self.blobs, self.clock)
        try:
            sealing = self.sealer.prepare(command.asked.document, permit, use.intent)
            pieces, digest = state_of(use, request, command.asked.document, self.sealer.packed(sealing))
            prepared = self._written(permit, use, sealing.to_be_signed, digest)
            self.blobs.put(*pieces)  # after its row, which is what removes it, whatever happens
            return use, prepared
        except OutcomeUnknown:
            raise  # it may be written: the same key is answered by what is there
        except SealServiceError as error:
            fail(caller, request, use, error)
            raise
        except Exception as error:
            fail(caller, request, use, SealingFailed(f"Unexpected {type(error).__name__}"))
            raise

    def _require_medium(self, request: UseRequest) -> None:
        """Before anything is reserved: a seal whose medium lies elsewhere than with its keeper is pressed by nobody."""
        with self.records.read() as transaction:
            seal = transaction.seals.find(request.seal_code)
            credential = None if seal is None else seal.signing_credential()
            if seal is not None and credential is not None and credential.custody is Custody.TOKEN:
                require_in_hand(transaction.media.history(seal.code), credential.version)

    def _written(self, permit: SealingPermit, use: SealUse, to_be_signed: bytes, kept: str) -> PreparedUse:
        prepared = PreparedUse(
            use_id=use.id,
            seal_code=use.seal_code,
            to_be_signed=to_be_signed,
            suite=permit.credential.suite,
            certificate_serial=permit.credential.serial,
            kept=kept,
            prepared_at=self.clock.now(),
            expires_at=use.reserved_at + self.reservation,
        )
        with self.records.write() as transaction:
            transaction.seals.lock(use.seal_code)
            transaction.prepared_uses.add(prepared)
            transaction.commit()
        return prepared

    def _again(self, earlier: SealUse, request: UseRequest) -> tuple[SealUse, PreparedUse]:
        """What the same request prepared; the same bytes are to be signed."""
        if earlier.request_digest != request_digest(request):
            raise IdempotencyKeyReused(use_id=earlier.id)
        if earlier.state is UseState.COMPLETED:
            raise PreparedUseCompleted("This was prepared and completed: see its receipt", use_id=earlier.id)
        if earlier.state is not UseState.RESERVED:
            raise failure_of(earlier)
        with self.records.read() as transaction:
            prepared = transaction.prepared_uses.find(earlier.id)
        if prepared is None:
            raise UseInProgress(use_id=earlier.id)
        return earlier, prepared

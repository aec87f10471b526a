"""两步用印之二: a signature comes → complete → check → log → release (article 20: 分散式)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.authorization import SealingPermit, resumed_permit
from seal_service.domain.errors import (
    InvalidInput,
    LogHalted,
    OutcomeUnknown,
    PreparedSignatureRefused,
    PreparedUseCompleted,
    PreparedUseExpired,
    PreparedUseNotFound,
    SealingFailed,
    SealServiceError,
)
from seal_service.domain.events import Event, EventKind, Result, act_of
from seal_service.domain.medium import require_in_hand
from seal_service.domain.operation import DocumentKeeping
from seal_service.domain.prepared_use import MOST_ATTEMPTS, PreparedUse
from seal_service.domain.use import SealUse, UseRequest, UseState, holds_document
from seal_service.formats.outside_signature import FaultySignature, checked_cms, checked_signature
from seal_service.ports.documents import TwoStepSealer
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import BlobStore, Clock, Measurements
from seal_service.usecases.apply_seal import AppliedSeal, with_receipt
from seal_service.usecases.complete_use import CompleteUse
from seal_service.usecases.end_use import end_unsuccessfully, failure_of
from seal_service.usecases.facts import seal_facts
from seal_service.usecases.fail_use import FailUse
from seal_service.usecases.issue_receipt import IssueReceipt
from seal_service.usecases.prepared_state import kept_state, release_state
from seal_service.usecases.reserve_use import stands


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletePreparedUse:
    """The signature over what was prepared: its bare value, or a CMS that has it; exactly one of the two."""

    seal_code: str
    use_id: str
    signature: bytes | None = None
    """ECDSA as DER, RSA as RFC 8017 has it."""
    cms: bytes | None = None
    """ContentInfo with a detached SignedData, DER."""


@dataclass(frozen=True)
class CompletePreparedUseUseCase:
    """两步用印之二, in whatever process the signature reaches.

    Only the first good signature can complete a use, and does so once; it may be sent again and gets the same receipt.
    A wrong one leaves the use open, is logged and counted, and the fifth ends it. Raises PreparedUseNotFound,
    PreparedSignatureRefused (with its reason), PreparedUseExpired, PreparedUseCompleted, MediumNotInHand,
    UseOvertaken, SealingFailed kinds, Unavailable kinds; the last three ended the use as failed.
    """

    permission: ClassVar[Permission] = Permission.APPLY_SEAL
    records: Records
    log: SigningLog
    sealer: TwoStepSealer
    blobs: BlobStore
    clock: Clock
    measurements: Measurements
    keeping: DocumentKeeping
    hold: timedelta
    receipts: IssueReceipt | None = None
    """None: nobody is told by the log's key."""
    halted: Callable[[], str | None] = stands
    """Why no seal is used any more."""

    def __call__(self, caller: Caller, command: CompletePreparedUse) -> AppliedSeal:
        """The sealed document and its use."""
        if (command.signature is None) == (command.cms is None):
            raise InvalidInput("Either the signature or the CMS is given", field="signature")
        try:
            applied = with_receipt(self._complete(caller, command), self.receipts)
        except SealServiceError as error:
            self.measurements.use_ended(error.code(), None)
            raise
        level = applied.use.level_reached
        self.measurements.use_ended("replayed" if applied.replayed else "completed", level.value if level else None)
        return applied

    def _complete(self, caller: Caller, command: CompletePreparedUse) -> AppliedSeal:
        with self.records.read() as transaction:
            use, prepared = own_prepared(transaction, caller, command.seal_code, command.use_id)
            seal = transaction.seals.lock(use.seal_code)
        certificate = next(
            (one.certificate for one in seal.credentials if one.serial == prepared.certificate_serial), b""
        )
        try:
            signature = _checked(command, prepared, certificate)
        except FaultySignature as fault:
            raise self._refused(caller, use, fault) from None
        halted = self.halted() if use.state is UseState.RESERVED else None
        if halted is not None:
            raise LogHalted(halted)  # the use stays open: its signature may come again in its time
        mark = hashlib.sha256(signature).hexdigest()
        use, claimed = self._claimed(caller, use, mark)
        if not claimed:
            return self._replay(use, mark)
        return self._released(caller, use, prepared, signature, mark)

    def _claimed(self, caller: Caller, use: SealUse, mark: str) -> tuple[SealUse, bool]:
        """The use as it is now, and whether this signature is to complete it; the first good one is, for good."""
        with self.records.write() as transaction:
            seal = transaction.seals.lock(use.seal_code)
            current, prepared = own_prepared(transaction, caller, use.seal_code, use.id)
            if current.state is not UseState.RESERVED:
                return current, False
            if prepared.expired(self.clock.now()):
                raise PreparedUseExpired(use_id=use.id)
            require_in_hand(transaction.media.history(seal.code), seal.version)
            if prepared.signature_sha256 not in (None, mark):
                raise PreparedUseCompleted(use_id=use.id)
            transaction.prepared_uses.replace(replace(prepared, signature_sha256=mark))
            transaction.commit()
        return current, True

    def _released(
        self, caller: Caller, use: SealUse, prepared: PreparedUse, signature: bytes, mark: str
    ) -> AppliedSeal:
        fail = FailUse(self.records, self.log, self.blobs, self.clock)
        complete = CompleteUse(self.records, self.log, self.clock, self.keeping, self.hold)
        request: UseRequest | None = None
        kept: str | None = None
        try:
            request, document, packed = kept_state(self.blobs, use, prepared)
            permit = self._permit(use, request)
            sealing = self.sealer.unpacked(document, permit, packed)
            if sealing.to_be_signed != prepared.to_be_signed:
                raise SealingFailed("What was prepared is not what was to be signed")
            sealed = self.sealer.complete(sealing, signature)
            self.sealer.check(document, sealed, permit, use.intent)  # 6
            if self.keeping is not DocumentKeeping.NONE:
                kept = self.blobs.put(*sealed.pieces)  # 7
            completed = complete(caller, request, permit, use, sealed)  # 8
        except OutcomeUnknown:
            raise  # it may be complete: the same signature is answered by what is there
        except SealServiceError as error:
            if not fail(caller, request, use, error, kept=kept):
                return self._replay(self._current(use), mark)  # the same signature came twice, and the other was first
            raise
        except Exception as error:
            fail(caller, request, use, SealingFailed(f"Unexpected {type(error).__name__}"), kept=kept)
            raise
        with self.records.write() as transaction:
            transaction.seals.lock(use.seal_code)
            release_state(transaction, self.blobs, use.id, self.clock.now())
            transaction.commit()
        return AppliedSeal(use=completed, pieces=sealed.pieces, lower_level_reason=sealed.lower_level_reason)  # 9

    def _permit(self, use: SealUse, request: UseRequest) -> SealingPermit:
        with self.records.read() as transaction:
            seal = transaction.seals.lock(use.seal_code)
            grant = transaction.grants.lock(use.grant_id)
            unit = transaction.units.get(seal.unit_id)
            scenario = transaction.scenarios.find(use.scenario)
            taken = None if use.approval_id is None else transaction.approvals.lock(use.approval_id)
            return resumed_permit(use, seal, unit, grant, request, scenario=scenario, taken=taken)

    def _current(self, use: SealUse) -> SealUse:
        with self.records.write() as transaction:  # under the seal's lock: whoever is at work on it has ended
            transaction.seals.lock(use.seal_code)
            return transaction.uses.find(use.id) or use

    def _replay(self, use: SealUse, mark: str) -> AppliedSeal:
        """What the same signature gave; PreparedUseCompleted for another one, or what ended the use."""
        with self.records.read() as transaction:
            prepared = transaction.prepared_uses.find(use.id)
        if use.state is not UseState.COMPLETED or use.sealed_sha256 is None:
            raise failure_of(use)
        if prepared is None or prepared.signature_sha256 != mark:
            raise PreparedUseCompleted(use_id=use.id)
        self.records.confirm()
        held = holds_document(use, self.clock.now())
        content = self.blobs.get(use.sealed_sha256) if held else None
        return AppliedSeal(use=use, pieces=None if content is None else (content,), replayed=True)

    def _refused(self, caller: Caller, use: SealUse, fault: FaultySignature) -> SealServiceError:
        """The refusal, counted and logged; the use ends with the last that it takes."""
        refusal = PreparedSignatureRefused(f"{_SAID[fault.fault.value]}", reason=fault.fault.value)
        with self.records.write() as transaction:
            seal = transaction.seals.lock(use.seal_code)
            current, prepared = own_prepared(transaction, caller, use.seal_code, use.id)
            if current.state is not UseState.RESERVED:
                return (
                    PreparedUseCompleted(use_id=use.id) if current.state is UseState.COMPLETED else failure_of(current)
                )
            attempts = prepared.attempts + 1
            transaction.prepared_uses.replace(replace(prepared, attempts=attempts))
            unit = transaction.units.get(seal.unit_id)
            event = Event(
                kind=EventKind.SEAL_SIGNATURE_REFUSED,
                result=Result.REFUSED,
                seal_code=seal.code,
                unit_id=unit.id,
                scenario=use.scenario,
                document_sha256=use.document_sha256,
                use_id=use.id,
                intent_id=use.intent.entry_id,
                reason=f"{refusal.code()}: {fault.fault.value}",
                facts={**seal_facts(seal, unit), "attempts": attempts},
            )
            self.log.append(transaction, act_of(caller, event))
            if attempts >= MOST_ATTEMPTS:
                end_unsuccessfully(transaction, self.log, caller, use, UseState.FAILED, refusal, self.clock)
                release_state(transaction, self.blobs, use.id, self.clock.now())
            transaction.commit()
        left = max(0, MOST_ATTEMPTS - attempts)
        return PreparedSignatureRefused(refusal.message, reason=fault.fault.value, attempts_left=left, use_id=use.id)


def own_prepared(transaction: Transaction, caller: Caller, seal_code: str, use_id: str) -> tuple[SealUse, PreparedUse]:
    """A caller's own prepared use; PreparedUseNotFound for everybody else's too."""
    use, prepared = transaction.uses.find(use_id), transaction.prepared_uses.find(use_id)
    if use is None or prepared is None or use.seal_code != seal_code or use.account_id != caller.identity:
        raise PreparedUseNotFound
    return use, prepared


def _checked(command: CompletePreparedUse, prepared: PreparedUse, certificate: bytes) -> bytes:
    if command.cms is not None:
        return checked_cms(command.cms, prepared.to_be_signed, certificate, prepared.suite)
    return checked_signature(command.signature or b"", prepared.to_be_signed, certificate)


_SAID = {
    "malformed": "This is no signature, or no CMS with SignedData in DER",
    "not_one_signer": "The CMS has not exactly one signer",
    "algorithm": "It was made with another digest or signature algorithm than the seal's",
    "another_certificate": "It names another certificate than the seal's",
    "another_digest": "It is over another document's digest than the one prepared",
    "attributes_changed": "Its signed attributes are not, byte for byte, those that were prepared",
    "content_not_detached": "The CMS carries content of its own: it has to be detached",
    "signature_wrong": "The signature is not by the seal's certificate over what was prepared",
}

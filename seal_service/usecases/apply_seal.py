"""用印: reserve → seal → check → log → release. The steps are numbered as in docs/explanation/sealing-cycle.md."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import (
    IdempotencyKeyReused,
    OutcomeUnknown,
    SealingFailed,
    SealServiceError,
    UseInProgress,
)
from seal_service.domain.operation import DocumentKeeping, UseStep
from seal_service.domain.placement import Placement
from seal_service.domain.use import (
    Operator,
    SealUse,
    SignatureLevel,
    UseRequest,
    UseState,
    holds_document,
)
from seal_service.formats.media_type import media_type_of
from seal_service.formats.receipt import SignedReceipt
from seal_service.ports.activation import LockedKeys
from seal_service.ports.documents import Content, DocumentSealer, Upload
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import BlobStore, Clock, Entropy, Measurements
from seal_service.usecases.complete_use import CompleteUse
from seal_service.usecases.end_use import end_unsuccessfully, failure_of
from seal_service.usecases.issue_receipt import IssueReceipt
from seal_service.usecases.requests import request_digest
from seal_service.usecases.reserve_use import ReserveUse, stands
from seal_service.usecases.use_facts import private_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplySeal:
    """用印 as asked for: the document and everything that was parsed once at the door."""

    seal_code: str
    document: Upload
    scenario: str
    idempotency_key: str
    placement: Placement = Placement()
    level: SignatureLevel = SignatureLevel.B_LT
    allow_lower_level: bool = False
    allow_repair: bool = False
    operator: Operator | None = None
    case_number: str | None = None
    approval_id: str | None = None
    """用印审批 to take; None: the one that is found, where one is needed."""
    handle: str | None = field(default=None, repr=False)
    """授权句柄 of a system to which the seal was conveyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedSeal:
    """盖章结果: the use as it ended, and the document (None: a repeated request whose document is gone)."""

    use: SealUse
    pieces: tuple[Content, ...] | None
    lower_level_reason: str | None = None
    replayed: bool = False
    receipt: SignedReceipt | None = None
    """签章回执; None while the log's key does not answer."""

    @property
    def content(self) -> bytes | None:
        """The document in one piece: a copy."""
        return None if self.pieces is None else b"".join(self.pieces)


@dataclass(frozen=True)
class ApplySealUseCase:
    """用印, from request to release.

    Raises SealNotFound, AuthorizationDenied (with every reason), SealNotActivated, DocumentBeyondGrant,
    IdempotencyKeyReused, UseInProgress, UseOvertaken,
    DocumentRefused kinds, InvalidPlacement, SealingFailed kinds, Unavailable kinds. Whatever is raised after the
    reservation has ended the use as failed and given its count, and the approval it took, back.
    """

    permission: ClassVar[Permission] = Permission.APPLY_SEAL
    records: Records
    log: SigningLog
    sealer: DocumentSealer
    blobs: BlobStore
    clock: Clock
    entropy: Entropy
    measurements: Measurements
    keeping: DocumentKeeping
    """Whether the sealed document is kept."""
    hold: timedelta
    """How long it is held for the caller, where it is held."""
    locked: LockedKeys | None = None
    """None: no seal's key is ever locked."""
    receipts: IssueReceipt | None = None
    """None: nobody is told by the log's key."""
    halted: Callable[[], str | None] = stands
    """Why the log takes no use any more."""

    def __call__(self, caller: Caller, command: ApplySeal) -> AppliedSeal:
        """The sealed document and its use."""
        try:
            applied = with_receipt(self._apply(caller, command), self.receipts)
        except SealServiceError as error:
            self.measurements.use_ended(error.code(), None)
            raise
        level = applied.use.level_reached
        self.measurements.use_ended("replayed" if applied.replayed else "completed", level.value if level else None)
        return applied

    def _apply(self, caller: Caller, command: ApplySeal) -> AppliedSeal:
        timed = self.measurements.timed
        request = use_request(command)
        reserve = ReserveUse(
            self.records, self.log, self.clock, self.entropy, self.measurements, self.locked, self.halted
        )
        complete = CompleteUse(self.records, self.log, self.clock, self.keeping, self.hold)
        with timed(UseStep.RESERVE):
            reserved = reserve(caller, request, command.idempotency_key, command.handle)  # steps 1–4
        if isinstance(reserved, SealUse):
            return self._replay(reserved, request_digest(request))  # holding no lock: it may wait for a second machine
        permit, use = reserved
        kept: str | None = None
        try:
            with timed(UseStep.SEAL):
                sealed = self.sealer.seal(command.document, permit, use.intent)  # 5
            with timed(UseStep.CHECK):
                self.sealer.check(command.document, sealed, permit, use.intent)  # 6
            if self.keeping is not DocumentKeeping.NONE:
                with timed(UseStep.KEEP):
                    kept = self.blobs.put(*sealed.pieces)  # 7
            with timed(UseStep.COMPLETE):
                completed = complete(caller, request, permit, use, sealed)  # 8
        except OutcomeUnknown:
            raise  # it may be complete: nothing is released, and nothing is undone; the same key is answered by step 1
        except SealServiceError as error:
            self._fail(caller, request, use, error, kept)
            raise
        except Exception as error:
            self._fail(caller, request, use, SealingFailed(f"Unexpected {type(error).__name__}"), kept)
            raise
        return AppliedSeal(use=completed, pieces=sealed.pieces, lower_level_reason=sealed.lower_level_reason)  # 9

    def _replay(self, earlier: SealUse, digest: str) -> AppliedSeal:
        if earlier.request_digest != digest:
            raise IdempotencyKeyReused(use_id=earlier.id)
        if earlier.state is UseState.RESERVED:
            raise UseInProgress(use_id=earlier.id)
        if earlier.state is not UseState.COMPLETED or earlier.sealed_sha256 is None:
            raise failure_of(earlier)
        self.records.confirm()
        held = holds_document(earlier, self.clock.now())
        content = self.blobs.get(earlier.sealed_sha256) if held else None
        return AppliedSeal(use=earlier, pieces=None if content is None else (content,), replayed=True)

    def _fail(
        self, caller: Caller, request: UseRequest, use: SealUse, error: SealServiceError, kept: str | None
    ) -> None:
        with self.records.write() as transaction:
            transaction.seals.lock(use.seal_code)
            grant = transaction.grants.lock(use.grant_id)
            end_unsuccessfully(
                transaction,
                self.log,
                caller,
                use,
                UseState.FAILED,
                error,
                self.clock,
                operator_id=request.operator.id if request.operator else None,
                private=private_facts(request, grant),
            )
            orphan = kept is not None and not transaction.uses.holds(kept)
            transaction.commit()
        if orphan and kept is not None:
            self.blobs.delete(kept)


def with_receipt(applied: AppliedSeal, issue: IssueReceipt | None) -> AppliedSeal:
    """The same, with what the log's key promises of it."""
    return applied if issue is None else replace(applied, receipt=issue(applied.use))


def use_request(command: ApplySeal) -> UseRequest:
    """What is asked for, as authorization and log take it."""
    return UseRequest(
        seal_code=command.seal_code,
        scenario=command.scenario,
        placement=command.placement,
        level=command.level,
        allow_lower_level=command.allow_lower_level,
        allow_repair=command.allow_repair,
        document_name=command.document.name,
        document_sha256=command.document.sha256_hex,
        document_sm3=command.document.sm3_hex,
        document_size=len(command.document.content),
        operator=command.operator,
        case_number=command.case_number,
        media_type=media_type_of(command.document.content),
        approval_id=command.approval_id,
    )

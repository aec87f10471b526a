"""用印: reserve → seal → check → log → release. The steps are numbered as in docs/explanation/sealing-cycle.md."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.authorization import SealingPermit, authorize, refusals
from seal_service.domain.errors import (
    AuthorizationDenied,
    IdempotencyKeyReused,
    OutcomeUnknown,
    SealingFailed,
    SealServiceError,
    Unavailable,
    UseInProgress,
    UseOvertaken,
)
from seal_service.domain.events import Event, EventKind, Result, act_of
from seal_service.domain.grant import Grant
from seal_service.domain.identifiers import seal_code, uuid7
from seal_service.domain.lifecycle import Action, allowed_actions, state_at
from seal_service.domain.operation import DocumentKeeping, UseStep
from seal_service.domain.organization import Unit
from seal_service.domain.placement import Placement
from seal_service.domain.seal import Seal
from seal_service.domain.use import (
    IntentReference,
    Operator,
    SealUse,
    SignatureLevel,
    UseRequest,
    UseState,
    holds_document,
    kept_until,
)
from seal_service.ports.documents import Content, DocumentSealer, SealedDocument, Upload
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import BlobStore, Clock, Entropy, Measurements
from seal_service.usecases.end_use import end_unsuccessfully, failure_of
from seal_service.usecases.facts import seal_facts
from seal_service.usecases.requests import checked_key, request_digest
from seal_service.usecases.use_facts import permit_facts, private_facts, sealed_facts, sha256_hex


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedSeal:
    """盖章结果: the use as it ended, and the document (None: a repeated request whose document is gone)."""

    use: SealUse
    pieces: tuple[Content, ...] | None
    lower_level_reason: str | None = None
    replayed: bool = False

    @property
    def content(self) -> bytes | None:
        """The document in one piece: a copy."""
        return None if self.pieces is None else b"".join(self.pieces)


@dataclass(frozen=True)
class ApplySealUseCase:
    """用印, from request to release.

    Raises SealNotFound, AuthorizationDenied (with every reason), IdempotencyKeyReused, UseInProgress, UseOvertaken,
    DocumentRefused kinds, InvalidPlacement, SealingFailed kinds, Unavailable kinds. Whatever is raised after the
    reservation has ended the use as failed and given its count back.
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

    def __call__(self, caller: Caller, command: ApplySeal) -> AppliedSeal:
        """The sealed document and its use."""
        try:
            applied = self._apply(caller, command)
        except SealServiceError as error:
            self.measurements.use_ended(error.code(), None)
            raise
        level = applied.use.level_reached
        self.measurements.use_ended("replayed" if applied.replayed else "completed", level.value if level else None)
        return applied

    def _apply(self, caller: Caller, command: ApplySeal) -> AppliedSeal:
        timed = self.measurements.timed
        request = _request(command)
        digest = request_digest(request)
        with timed(UseStep.RESERVE):
            reserved = self._reserve(caller, command, request, digest)  # steps 1–4
        if isinstance(reserved, AppliedSeal):
            return reserved
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
                completed = self._complete(caller, request, permit, use, sealed)  # 8
        except OutcomeUnknown:
            raise  # it may be complete: nothing is released, and nothing is undone; the same key is answered by step 1
        except SealServiceError as error:
            self._fail(caller, request, use, error, kept)
            raise
        except Exception as error:
            self._fail(caller, request, use, SealingFailed(f"Unexpected {type(error).__name__}"), kept)
            raise
        return AppliedSeal(use=completed, pieces=sealed.pieces, lower_level_reason=sealed.lower_level_reason)  # 9

    def _reserve(
        self, caller: Caller, command: ApplySeal, request: UseRequest, digest: str
    ) -> AppliedSeal | tuple[SealingPermit, SealUse]:
        key = checked_key(command.idempotency_key)
        with self.records.write() as transaction:
            seal = transaction.seals.lock(seal_code(request.seal_code))  # 2, before 1: the same request waits here
            earlier = transaction.uses.by_key(caller.identity, key)  # 1
            if earlier is None:
                permit, use = self._reserved(transaction, caller, request, seal, key, digest)  # 3, 4
                certain = _committed(transaction)
        if earlier is not None:
            return self._replay(earlier, digest)  # holding no lock: it may wait for a second machine
        if not certain and self._reread(use) is None:
            raise Unavailable("The reservation could not be written: repeat the request with the same key")
        return permit, use

    def _reserved(
        self, transaction: Transaction, caller: Caller, request: UseRequest, seal: Seal, key: str, digest: str
    ) -> tuple[SealingPermit, SealUse]:
        unit = transaction.units.get(seal.unit_id)
        now = self.clock.now()
        try:
            with self.measurements.timed(UseStep.AUTHORIZE):
                permit, grant = self._authorize(transaction, caller, seal, unit, request)  # 3
        except AuthorizationDenied as denial:
            reasons = tuple(code for code, _ in denial.reasons)
            denied = self._event(EventKind.SEAL_DENIED, Result.REFUSED, seal, unit, request)
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
        intent = self._event(EventKind.SEAL_INTENT, Result.UNDECIDED, seal, unit, request)
        intent = replace(
            intent,
            use_id=use_id,
            facts={**intent.facts, **permit_facts(permit, grant), "idempotency_sha256": sha256_hex(key)},
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
        )
        transaction.uses.add(use)
        return permit, use

    def _authorize(
        self, transaction: Transaction, caller: Caller, seal: Seal, unit: Unit, request: UseRequest
    ) -> tuple[SealingPermit, Grant]:
        """The permit by the first grant that allows the use; else the denial by the newest one."""
        now = self.clock.now()
        first_denial: AuthorizationDenied | None = None
        for grant in transaction.grants.lock_candidates(seal.code, caller.identity, request.scenario):
            counted = 0
            if grant.maximum_uses is not None and not refusals(caller, seal, grant, 0, request, now):
                counted = transaction.uses.counted(grant.id)  # only of a grant that nothing else speaks against
            try:
                return authorize(caller, seal, unit, grant, counted, request, now), grant
            except AuthorizationDenied as denial:
                first_denial = first_denial or denial
        if first_denial is None:
            authorize(caller, seal, unit, None, 0, request, now)
            raise AssertionError("authorize() without a grant denies")
        raise first_denial

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

    def _complete(
        self, caller: Caller, request: UseRequest, permit: SealingPermit, use: SealUse, sealed: SealedDocument
    ) -> SealUse:
        with self.records.write() as transaction:
            now = self.clock.now()
            seal = transaction.seals.lock(permit.seal_code)
            grant = transaction.grants.lock(permit.grant_id)
            unit = transaction.units.get(seal.unit_id)
            account = transaction.accounts.lock(use.account_id)
            stands = (
                seal.epoch == permit.seal_epoch
                and grant.epoch == permit.grant_epoch
                and now < grant.valid_until
                and account is not None
                and account.disabled_at is None
            )
            current = transaction.uses.find(use.id)
            if current is None or current.state is not UseState.RESERVED:
                raise UseOvertaken("The reservation was closed as abandoned meanwhile: ask again with a new key")
            if not stands or Action.APPLY not in allowed_actions(state_at(seal, now)):
                raise UseOvertaken(seal_state=state_at(seal, now).value)
            event = self._event(EventKind.SEAL_COMPLETED, Result.SUCCESS, seal, unit, request)
            event = replace(
                event,
                use_id=use.id,
                intent_id=use.intent.entry_id,
                intent_leaf_hash=use.intent.leaf_hash.hex(),
                facts={**event.facts, **permit_facts(permit, grant), **sealed_facts(sealed)},
                operator_id=request.operator.id if request.operator else None,
                private=private_facts(request, grant),
            )
            logged = self.log.append(transaction, act_of(caller, event))
            completed = replace(
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
            if not transaction.uses.end(completed):
                raise UseOvertaken
            certain = _committed(transaction)
        if not certain:
            written = self._reread(use)
            if written is None or written.state is UseState.RESERVED:
                raise Unavailable("The use could not be completed")
            if written.state is not UseState.COMPLETED:
                raise failure_of(written)
        return completed

    def _reread(self, use: SealUse) -> SealUse | None:
        """The use as it was written, when a commit did not tell; OutcomeUnknown as long as nothing can be told.

        The seal's lock waits for a commit that the server may still be at work on.
        """
        try:
            with self.records.write() as transaction:
                transaction.seals.lock(use.seal_code)
                written = transaction.uses.find(use.id)
            self.records.confirm()
        except Unavailable as error:
            raise OutcomeUnknown(use_id=use.id) from error
        return written

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

    def _event(self, kind: EventKind, result: Result, seal: Seal, unit: Unit, request: UseRequest) -> Event:
        return Event(
            kind=kind,
            result=result,
            seal_code=seal.code,
            unit_id=unit.id,
            scenario=request.scenario,
            document_sha256=request.document_sha256,
            facts={
                **seal_facts(seal, unit),
                "document_sm3": request.document_sm3,
                "document_size": request.document_size,
                "level_asked": request.level.value,
            },
        )


def _request(command: ApplySeal) -> UseRequest:
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
    )


def _committed(transaction: Transaction) -> bool:
    """Commit; False when the database did not say whether it did."""
    try:
        transaction.commit()
    except OutcomeUnknown:
        return False
    return True

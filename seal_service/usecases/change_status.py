"""挂失、恢复、注销: acts that change a seal's status at once, for every replica (articles 23, 24)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import InvalidInput
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.issuance import CertificateStatus
from seal_service.domain.lifecycle import Action, next_state
from seal_service.domain.seal import Seal, SealState
from seal_service.ports.crypto import CertificateAuthority
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock
from seal_service.usecases.facts import lock_own_seal, seal_facts
from seal_service.usecases.notify import NOBODY, Notify
from seal_service.usecases.requests import made_earlier, remember

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLoss:
    """挂失 as reported."""

    seal_code: str
    reason: str
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeSeal:
    """恢复 as decided by the making office."""

    seal_code: str
    reason: str
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSeal:
    """注销 as ordered."""

    seal_code: str
    reason: str
    document_number: str
    """文号 of the written notice (article 23)."""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    """状态变更 as it was done: the seal, and the entry (日志条目) that says so."""

    seal: Seal
    entry_id: str
    told: bool
    """Whether the making office is told by webhook or mail."""
    outside: tuple[str, ...]
    """Serial numbers of certificates of whose status the world hears from their own authority alone."""


@dataclass(frozen=True)
class StatusChangeStory:
    """What the three acts have in common: lock, transition, certificates, log, commit."""

    records: Records
    log: SigningLog
    authority: CertificateAuthority
    clock: Clock
    notify: Notify = NOBODY

    def _change(
        self,
        caller: Caller,
        command: ReportLoss | ResumeSeal | CancelSeal,
        action: Action,
        kind: EventKind,
        on_certificate: Callable[[Transaction, Seal, str, datetime], None],
    ) -> StatusChanged:
        reason = checked_text(command.reason, "reason")
        number = checked_text(command.document_number, "document_number") if isinstance(command, CancelSeal) else None
        now = self.clock.now()
        with self.records.write() as transaction:
            entered = made_earlier(transaction, caller, command)
            seal = lock_own_seal(transaction, caller, command.seal_code)
            if entered is not None:
                return self._done(transaction, seal, entered)
            state = next_state(seal, action, now)
            changed = replace(seal, state=state, epoch=seal.epoch + 1, state_reason=reason, document_number=number)
            transaction.seals.replace(changed)
            # Of every version, also an expired one: what was held must not stay held.
            for credential in seal.credentials:
                if not is_revoked(transaction, credential.serial):  # of a version before a change
                    on_certificate(transaction, seal, credential.serial, now)
            unit = transaction.units.get(seal.unit_id)
            facts: dict[str, Scalar] = {**seal_facts(changed, unit), "document_number": number}
            # Of their status the world hears from their own authority, which has to be asked as well.
            outside = tuple(
                one.serial for one in seal.credentials if not self.authority.has_issued(transaction, one.certificate)
            )
            if outside:
                facts["certificates_of_outside_authority"] = outside
            event = Event(kind=kind, seal_code=seal.code, unit_id=unit.id, reason=reason, facts=facts)
            logged = self.log.append(transaction, act_of(caller, event))
            self.notify.of_seal(transaction, logged, changed, unit, reason, now)
            remember(transaction, caller, command, logged.entry_id, now)
            done = self._done(transaction, changed, logged.entry_id)
            transaction.commit()
        return done

    def _done(self, transaction: Transaction, seal: Seal, entry_id: str) -> StatusChanged:
        issued = self.authority.has_issued
        outside = tuple(one.serial for one in seal.credentials if not issued(transaction, one.certificate))
        return StatusChanged(seal=seal, entry_id=entry_id, told=bool(self.notify.targets), outside=outside)


def is_revoked(transaction: Transaction, serial: str) -> bool:
    """Whether a certificate that this instance issued is revoked for good."""
    certificate = transaction.certificates.find(serial)
    return certificate is not None and certificate.status is CertificateStatus.REVOKED


def checked_text(text: str, field: str) -> str:
    """Text of 1 to 500 characters; InvalidInput naming the field."""
    stripped = text.strip()
    if not 1 <= len(stripped) <= LONGEST_REASON:
        raise InvalidInput(f"{field} is 1 to {LONGEST_REASON} characters", field=field)
    return stripped


@dataclass(frozen=True)
class ReportLossUseCase(StatusChangeStory):
    """挂失: the seal is suspended at once and its certificates are put on hold.

    Raises SealNotFound, TransitionRefused, InvalidInput (no reason).
    """

    permission: ClassVar[Permission] = Permission.REPORT_LOSS

    def __call__(self, caller: Caller, command: ReportLoss) -> StatusChanged:
        """The seal, suspended, and the entry of it."""

        def hold(transaction: Transaction, _before: Seal, serial: str, at: datetime) -> None:
            self.authority.hold(transaction, serial, at)

        return self._change(caller, command, Action.REPORT_LOSS, EventKind.SEAL_SUSPENDED, hold)


@dataclass(frozen=True)
class ResumeSealUseCase(StatusChangeStory):
    """恢复: the making office lifts a suspension. Raises SealNotFound, TransitionRefused, InvalidInput."""

    permission: ClassVar[Permission] = Permission.RESUME_SEAL

    def __call__(self, caller: Caller, command: ResumeSeal) -> Seal:
        """The seal, active again."""

        def release(transaction: Transaction, _before: Seal, serial: str, at: datetime) -> None:
            self.authority.release(transaction, serial, at)

        return self._change(caller, command, Action.RESUME, EventKind.SEAL_RESUMED, release).seal


@dataclass(frozen=True)
class CancelSealUseCase(StatusChangeStory):
    """注销: final; the seal's certificates are revoked. Raises SealNotFound, TransitionRefused, InvalidInput."""

    permission: ClassVar[Permission] = Permission.CANCEL_SEAL

    def __call__(self, caller: Caller, command: CancelSeal) -> Seal:
        """The seal, cancelled."""

        def revoke(transaction: Transaction, before: Seal, serial: str, at: datetime) -> None:
            lost = before.state is SealState.SUSPENDED
            self.authority.revoke(transaction, serial, at, "key_compromise" if lost else "cessation_of_operation")

        return self._change(caller, command, Action.CANCEL, EventKind.SEAL_CANCELLED, revoke).seal

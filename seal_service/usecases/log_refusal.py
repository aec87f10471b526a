"""拒绝记录: an act that was refused is in the log too (article 17: 全程监控)."""

from __future__ import annotations

from dataclasses import dataclass

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import (
    AlreadyRegistered,
    AuthorizationDenied,
    CertificatePending,
    Conflict,
    DocumentBeyondGrant,
    EntryNotPublished,
    IdempotencyKeyReused,
    PermissionDenied,
    SealServiceError,
    UseInProgress,
    UseOvertaken,
)
from seal_service.domain.events import Event, EventKind, Result, act_of
from seal_service.ports.records import Records, SigningLog
from seal_service.usecases.facts import seal_facts

LOGGED_BY_THE_USE = (AuthorizationDenied, DocumentBeyondGrant, UseOvertaken, UseInProgress)
"""What a seal use writes itself, or has written when it was first asked for."""
NO_ACT = (IdempotencyKeyReused, AlreadyRegistered, CertificatePending, EntryNotPublished)
"""Nothing was refused that the log should know: the request was repeated wrongly, or goes on when asked again."""


@dataclass(frozen=True)
class LogRefusal:
    """拒绝记录 of an account's act that its role or the present state does not allow."""

    records: Records
    log: SigningLog

    def __call__(self, caller: Caller, act: Permission, refusal: SealServiceError, command: object) -> None:
        """Write the entry, in a transaction of its own; nothing for the public or for what is logged elsewhere."""
        if caller.account_id is None or not isinstance(refusal, (PermissionDenied, Conflict)):
            return
        if isinstance(refusal, (*LOGGED_BY_THE_USE, *NO_ACT)):
            return
        refused = Event(
            kind=EventKind.ACT_REFUSED,
            result=Result.REFUSED,
            unit_id=caller.unit_id,
            reason=f"{refusal.code()}: {refusal.message}",
            facts={"act": act.value},
        )
        code = getattr(command, "seal_code", None)
        with self.records.write() as transaction:
            seal = transaction.seals.find(code) if isinstance(code, str) else None
            if seal is not None:
                seal = transaction.seals.lock(seal.code)  # as every act on a seal, before its counter is taken
                unit = transaction.units.get(seal.unit_id)
                refused = Event(
                    kind=EventKind.SEAL_ACT_REFUSED,
                    result=Result.REFUSED,
                    seal_code=seal.code,
                    unit_id=unit.id,
                    reason=refused.reason,
                    facts={**seal_facts(seal, unit), "act": act.value},
                )
            self.log.append(transaction, act_of(caller, refused))
            transaction.commit()

"""标记无效: a seal that was made against the rules is void from a date on (国办发〔2025〕33号)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import InvalidInput, MadeByCaller
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.lifecycle import Action, next_state
from seal_service.domain.seal import Seal
from seal_service.ports.crypto import CertificateAuthority
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock
from seal_service.usecases.change_status import checked_text
from seal_service.usecases.facts import lock_own_seal, seal_facts
from seal_service.usecases.notify import NOBODY, Notify
from seal_service.usecases.requests import made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidateSeal:
    """标记无效 as decided."""

    seal_code: str
    invalid_from: datetime
    """Not later than now; whatever was sealed before stays."""
    reason: str
    document_number: str
    """文号 of the decision."""
    idempotency_key: str | None = None


@dataclass(frozen=True)
class InvalidateSealUseCase:
    """标记无效: the certificates are revoked, as invalid from the date on; repeated only with an earlier date.

    Raises SealNotFound, MadeByCaller, TransitionRefused, InvalidInput.
    """

    permission: ClassVar[Permission] = Permission.INVALIDATE_SEAL
    records: Records
    log: SigningLog
    authority: CertificateAuthority
    clock: Clock
    notify: Notify = NOBODY

    def __call__(self, caller: Caller, command: InvalidateSeal) -> Seal:
        """The seal, void."""
        reason = checked_text(command.reason, "reason")
        number = checked_text(command.document_number, "document_number")
        since = command.invalid_from
        with self.records.write() as transaction:
            repeated = made_earlier(transaction, caller, command)
            seal = lock_own_seal(transaction, caller, command.seal_code)
            if repeated is not None:
                return seal
            now = self.clock.now()
            if transaction.log.maker_of(seal.code) == caller.identity:
                raise MadeByCaller(seal_code=seal.code)
            state = next_state(seal, Action.INVALIDATE, now)
            if since > now:
                raise InvalidInput("A seal is marked invalid from now or an earlier moment", field="invalid_from")
            if seal.invalid_from is not None and since >= seal.invalid_from:
                told = f"The seal is invalid from {seal.invalid_from.isoformat()} already"
                raise InvalidInput(told, field="invalid_from")
            changed = replace(
                seal,
                state=state,
                epoch=seal.epoch + 1,
                state_reason=reason,
                document_number=number,
                invalid_from=since,
            )
            transaction.seals.replace(changed)
            for one in seal.credentials:
                self.authority.revoke(transaction, one.serial, now, "privilege_withdrawn", since)
            unit = transaction.units.get(seal.unit_id)
            facts: dict[str, Scalar] = {
                **seal_facts(changed, unit),
                "document_number": number,
                "invalid_from": since.isoformat(),
            }
            outside = tuple(
                one.serial for one in seal.credentials if not self.authority.has_issued(transaction, one.certificate)
            )
            if outside:
                facts["certificates_of_outside_authority"] = outside
            event = Event(
                kind=EventKind.SEAL_INVALIDATED, seal_code=seal.code, unit_id=unit.id, reason=reason, facts=facts
            )
            logged = self.log.append(transaction, act_of(caller, event))
            self.notify.of_seal(transaction, logged, changed, unit, reason, now)
            remember(transaction, caller, command, seal.code, now)
            transaction.commit()
        return changed

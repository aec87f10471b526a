"""制章于介质: a seal whose private key was made on its unit's medium and never leaves it (articles 14–16, 20).

The medium's certificate request (PKCS#10) proves that it has the key; the internal authority certifies it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import AlreadyRegistered, Conflict
from seal_service.domain.identifiers import uuid7
from seal_service.domain.medium import MediumAct, MediumEvent, medium_serial, person_name, require_next
from seal_service.domain.seal import Custody, Seal
from seal_service.formats.pkcs10 import proven_key
from seal_service.ports.crypto import CertificateAuthority
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.certified_seal import (
    credential_of,
    made_seal,
    renewed_seal,
    require_approved,
    require_no_request,
    require_renewable,
    seal_code_for,
    subject_of,
)
from seal_service.usecases.facts import lock_own_seal
from seal_service.usecases.record_medium import append_medium_event, require_free
from seal_service.usecases.requests import made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeOnMedium:
    """制章于介质 as asked for."""

    application_id: str
    certificate_request: bytes
    """PKCS#10, DER, signed by the medium; only its key counts, the subject is the seal's."""
    medium_serial: str
    keeper: str
    """保管人 to whom the medium will be handed over."""
    seal_code: str | None = None
    """A code that the province issued; None: the next of the area's sequence."""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewOnMedium:
    """介质印章续期 as asked for."""

    seal_code: str
    certificate_request: bytes
    medium_serial: str
    keeper: str
    idempotency_key: str | None = None


@dataclass(frozen=True)
class MediumMaking:
    """What making and renewing on a medium have in common."""

    records: Records
    log: SigningLog
    authority: CertificateAuthority
    clock: Clock
    entropy: Entropy
    from_outside: bool
    """Whether an outside authority certifies seals: that, and a medium, do not go together yet."""

    def _require_inside(self) -> None:
        if self.from_outside:
            raise Conflict("An outside authority certifies seals here: seals on media need the internal one")

    def _issued(
        self, transaction: Transaction, caller: Caller, seal: Seal, command: MakeOnMedium | RenewOnMedium, now: datetime
    ) -> None:
        """Note that the seal is on the medium."""
        serial = medium_serial(command.medium_serial)
        before = require_free(transaction, serial, seal.code)
        require_next(before, MediumAct.ISSUED, now)
        event = MediumEvent(
            id=uuid7(now, self.entropy.token(10)),
            seal_code=seal.code,
            position=len(transaction.media.history(seal.code)),
            serial_number=serial,
            version=seal.version,
            act=MediumAct.ISSUED,
            at=now,
            recorded_at=now,
            recorded_by=caller.identity,
            keeper=person_name(command.keeper, "keeper"),
        )
        append_medium_event(transaction, self.log, caller, seal, event)


@dataclass(frozen=True)
class MakeOnMediumUseCase(MediumMaking):
    """制章于介质 by the making office.

    Raises ApplicationNotFound, AlreadyDecided, Conflict (a certificate request is pending; an outside authority),
    InvalidSealCode, InvalidInput (request without proof of possession, key of no suite, names), AlreadyRegistered
    (code taken, key or medium of another seal).
    """

    permission: ClassVar[Permission] = Permission.MAKE_SEAL

    def __call__(self, caller: Caller, command: MakeOnMedium) -> Seal:
        """The seal, active; its medium waits to be handed over."""
        self._require_inside()
        public, suite = proven_key(command.certificate_request)
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            if earlier is not None:
                return transaction.seals.lock(earlier)
            now = self.clock.now()
            application = transaction.applications.lock(command.application_id)
            require_approved(application)
            require_no_request(transaction, application)
            unit = transaction.units.get(application.unit_id)
            code = seal_code_for(transaction, unit, command.seal_code)
            reference = new_key_reference(transaction, public)
            issued = self.authority.issue(transaction, subject_of(unit, code), public, now)
            credential = credential_of(issued, reference, suite, 1, Custody.TOKEN)
            made = made_seal(transaction, self.log, caller, application, code, credential, now)
            self._issued(transaction, caller, made, command, now)
            remember(transaction, caller, command, code, now)
            transaction.commit()
        return made


@dataclass(frozen=True)
class RenewOnMediumUseCase(MediumMaking):
    """介质印章续期 by the making office, on the same medium or a new one: a new key, whose request is handed in.

    Raises SealNotFound, RenewalNotPossible with the window, TransitionRefused, Conflict for a seal whose key is here,
    and what making raises.
    """

    permission: ClassVar[Permission] = Permission.MAKE_SEAL

    def __call__(self, caller: Caller, command: RenewOnMedium) -> Seal:
        """The seal in its new version."""
        self._require_inside()
        public, suite = proven_key(command.certificate_request)
        with self.records.write() as transaction:
            repeated = made_earlier(transaction, caller, command) is not None
            seal = lock_own_seal(transaction, caller, command.seal_code)
            if repeated:
                return seal
            now = self.clock.now()
            require_renewable(seal, now, Custody.TOKEN)
            reference = new_key_reference(transaction, public)
            issued = self.authority.issue(
                transaction, subject_of(transaction.units.get(seal.unit_id), seal.code), public, now
            )
            credential = credential_of(issued, reference, suite, seal.version + 1, Custody.TOKEN)
            renewed = renewed_seal(transaction, self.log, caller, seal, credential, now)
            self._issued(transaction, caller, renewed, command, now)
            remember(transaction, caller, command, seal.code, now)
            transaction.commit()
        return renewed


def new_key_reference(transaction: Transaction, public_key_info: bytes) -> str:
    """The name of a medium's key, by the key itself, so that no two seals share one; AlreadyRegistered."""
    reference = f"token-{hashlib.sha256(public_key_info).hexdigest()[:40]}"
    if transaction.seals.names_key(reference):
        raise AlreadyRegistered("This key has been certified for a seal before: make a new one on the medium")
    return reference

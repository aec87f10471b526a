"""制章: an approved application becomes a seal (articles 14–16)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain import identifiers
from seal_service.domain.access import Caller, Permission
from seal_service.domain.algorithms import Suite
from seal_service.domain.seal import Seal
from seal_service.ports.crypto import CertificateAuthority, KeyStore
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.certified_seal import (
    credential_of,
    made_seal,
    require_approved,
    require_no_request,
    seal_code_for,
    subject_of,
)
from seal_service.usecases.certify_outside import CertifyOutside
from seal_service.usecases.fresh_key import fresh_key
from seal_service.usecases.request_certificate import RequestCertificate
from seal_service.usecases.requests import made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeSeal:
    """制章 as asked for."""

    application_id: str
    suite: Suite | None = None
    """None: the instance's default."""
    seal_code: str | None = None
    """A code that the province issued; None: the next of the area's sequence."""
    idempotency_key: str | None = None


@dataclass(frozen=True)
class MakeSealUseCase:
    """制章 by the making office.

    Raises ApplicationNotFound, AlreadyDecided (not approved, or made), Conflict (a certificate request is pending),
    InvalidSealCode, InvalidInput (another area's code), AlreadyRegistered (code taken). Where an outside authority
    certifies seals: CertificatePending with the request's id, AuthorityUnavailable, CertificateRefused.
    """

    permission: ClassVar[Permission] = Permission.MAKE_SEAL
    records: Records
    log: SigningLog
    keys: KeyStore
    authority: CertificateAuthority
    clock: Clock
    entropy: Entropy
    default_suite: Suite
    outside: CertifyOutside | None = None
    """Where an outside authority certifies seals."""

    def __call__(self, caller: Caller, command: MakeSeal) -> Seal:
        """The seal, active."""
        with self.records.read() as transaction:
            earlier = _made_earlier(transaction, caller, command)
            if earlier is not None:
                return earlier
            if self.outside is None:
                require_approved(transaction.applications.lock(command.application_id))
        suite = command.suite or self.default_suite
        if self.outside is not None:
            asked = RequestCertificate(application_id=command.application_id, suite=suite, seal_code=command.seal_code)
            return self.outside(caller, asked, command)
        key_reference = f"seal-{identifiers.uuid7(self.clock.now(), self.entropy.token(10))}"
        with fresh_key(self.records, self.keys, key_reference, suite) as public, self.records.write() as transaction:
            earlier = _made_earlier(transaction, caller, command)
            if earlier is not None:
                return earlier
            now = self.clock.now()
            application = transaction.applications.lock(command.application_id)
            require_approved(application)
            require_no_request(transaction, application)
            unit = transaction.units.get(application.unit_id)
            code = seal_code_for(transaction, unit, command.seal_code)
            issued = self.authority.issue(transaction, subject_of(unit, code), public, now)
            credential = credential_of(issued, key_reference, suite, 1)
            made = made_seal(transaction, self.log, caller, application, code, credential, now)
            remember(transaction, caller, command, code, now)
            transaction.commit()
        return made


def _made_earlier(transaction: Transaction, caller: Caller, command: MakeSeal) -> Seal | None:
    """The seal that the same request made; None also when it made a certificate request, which goes on."""
    earlier = made_earlier(transaction, caller, command)
    return None if earlier is None else transaction.seals.find(earlier)

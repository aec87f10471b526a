"""证书入库: the certificate for a request is here, and the seal is made or renewed with it (articles 9, 14–16)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.certification import (
    CertificateRequest,
    CertificateRequestState,
    CheckedCertificate,
    ReceivedCertificate,
)
from seal_service.domain.errors import CertificateRefused, Conflict, SealNotFound
from seal_service.domain.organization import Unit
from seal_service.domain.seal import Seal
from seal_service.formats.pkcs10 import read_request
from seal_service.formats.received import received_certificate
from seal_service.ports.crypto import CertificateAuthority, CertificateCheck
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock
from seal_service.usecases.certified_seal import (
    credential_of,
    made_seal,
    renewed_seal,
    require_approved,
    require_renewable,
)
from seal_service.usecases.facts import lock_own_seal, may_see
from seal_service.usecases.outside_certificate import expected_by, outside_facts, record_outside
from seal_service.usecases.requests import Repeatable, made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitCertificate:
    """A certificate for a request, with its chain if it is at hand: PEM, DER or PKCS#7."""

    request_id: str
    content: bytes = field(repr=False)
    accept_subject: bool = False
    """The maker looked at the subject, and another one than was asked for is right."""
    idempotency_key: str | None = None


@dataclass(frozen=True)
class SubmitCertificateUseCase:
    """证书入库. A request whose certificate is refused stays pending.

    Raises CertificateRequestNotFound, CertificateRefused with every reason, InvalidInput (no certificate),
    AlreadyDecided, RenewalNotPossible (article 16's window has closed meanwhile: withdraw the request, and apply for a
    new seal), TransitionRefused, Conflict (the request was withdrawn).
    """

    permission: ClassVar[Permission] = Permission.MAKE_SEAL
    records: Records
    log: SigningLog
    authority: CertificateAuthority
    check: CertificateCheck
    clock: Clock

    def __call__(self, caller: Caller, command: SubmitCertificate) -> Seal:
        """The seal, made or renewed; the same certificate again changes nothing."""
        with self.records.read() as transaction:
            request = transaction.certificate_requests.lock(command.request_id)
            if made_earlier(transaction, caller, command) is not None:
                return transaction.seals.lock(request.seal_code)
        key = read_request(request.request).public_key_info
        received = received_certificate(command.content, key)
        return self.accept(caller, request.id, received, command, accept_subject=command.accept_subject)

    def accept(
        self,
        caller: Caller,
        request_id: str,
        received: ReceivedCertificate,
        remembered: Repeatable | None = None,
        *,
        accept_subject: bool = False,
    ) -> Seal:
        """The same for a certificate that was read already, or fetched."""
        with self.records.read() as transaction:
            request = transaction.certificate_requests.lock(request_id)
            if request.state is CertificateRequestState.ISSUED:
                return _seal_of(transaction, request, received)
            unit = require_open(transaction, caller, request, self.clock.now())
        # Asks the network, so it holds no lock.
        checked = self.check.check(received, expected_by(request, unit, any_subject=accept_subject))
        with self.records.write() as transaction:
            now = self.clock.now()
            # Application or seal, then request: rows are locked in one order.
            unit = require_open(transaction, caller, request, now)
            request = transaction.certificate_requests.lock(request_id)
            if request.state is CertificateRequestState.ISSUED:
                return _seal_of(transaction, request, received)
            _require_pending(request)
            record_outside(transaction, self.log, caller, self.authority, self.check, checked, now)
            seal = self._seal(transaction, caller, request, checked, now)
            ended = replace(
                request,
                state=CertificateRequestState.ISSUED,
                ended_at=now,
                certificate_serial=checked.issued.serial,
            )
            transaction.certificate_requests.replace(ended)
            if remembered is not None:
                remember(transaction, caller, remembered, seal.code, now)
            transaction.commit()
        return seal

    def _seal(
        self,
        transaction: Transaction,
        caller: Caller,
        request: CertificateRequest,
        checked: CheckedCertificate,
        now: datetime,
    ) -> Seal:
        facts = {"certificate_request_id": request.id, **outside_facts(checked)}
        if request.application_id is not None:
            application = transaction.applications.lock(request.application_id)
            credential = credential_of(checked.issued, request.key_reference, request.suite, 1)
            return made_seal(
                transaction, self.log, caller, application, request.seal_code, credential, now, further_facts=facts
            )
        seal = lock_own_seal(transaction, caller, request.seal_code)
        if checked.issued.not_after <= seal.not_after:
            reason = f"it ends no later than the present one, at {checked.issued.not_after.isoformat()}"
            raise CertificateRefused(f"The certificate is not taken: {reason}", reasons=[reason])
        credential = credential_of(checked.issued, request.key_reference, request.suite, seal.version + 1)
        return renewed_seal(transaction, self.log, caller, seal, credential, now, further_facts=facts)


def require_open(transaction: Transaction, caller: Caller, request: CertificateRequest, now: datetime) -> Unit:
    """The unit that the request is for; what it was made for is locked and still waits for its certificate.

    Raises what making or renewing a seal raises when it may not be done now, Conflict for a request that has ended.
    """
    _require_pending(request)
    if request.application_id is not None:
        application = transaction.applications.lock(request.application_id)
        require_approved(application)
        return transaction.units.get(application.unit_id)
    seal = lock_own_seal(transaction, caller, request.seal_code)
    require_renewable(seal, now)
    return transaction.units.get(seal.unit_id)


def _require_pending(request: CertificateRequest) -> None:
    if request.state is not CertificateRequestState.PENDING:
        raise Conflict(f"The certificate request is {request.state.value}", state=request.state.value)


def _seal_of(transaction: Transaction, request: CertificateRequest, received: ReceivedCertificate) -> Seal:
    seal = transaction.seals.by_certificate(request.certificate_serial or "")
    if seal is None or received.certificate not in [one.certificate for one in seal.credentials]:
        raise Conflict("The request has its certificate, which is another one", state=request.state.value)
    return seal


def seal_of_ended(transaction: Transaction, caller: Caller, request: CertificateRequest) -> Seal:
    """The seal that a request has led to; SealNotFound for who may not see it, Conflict for a withdrawn request."""
    if request.state is not CertificateRequestState.ISSUED:
        raise Conflict(f"The certificate request is {request.state.value}", state=request.state.value)
    seal = transaction.seals.lock(request.seal_code)
    if not may_see(caller, seal):
        raise SealNotFound
    return seal

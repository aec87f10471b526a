"""证书领取: a pending request's certificate is fetched from the outside authority (EST, RFC 7030)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.certification import CertificateRequestState
from seal_service.domain.errors import CertificatePending, InvalidInput
from seal_service.domain.seal import Seal
from seal_service.formats.pkcs10 import read_request
from seal_service.formats.received import chosen
from seal_service.ports.crypto import EnrolmentServer
from seal_service.usecases.submit_certificate import SubmitCertificateUseCase, require_open, seal_of_ended


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchCertificate:
    """Whose certificate is fetched."""

    request_id: str


@dataclass(frozen=True)
class FetchCertificateUseCase:
    """证书领取, as often as one likes: the server gives the same request its certificate once it is issued.

    Raises CertificateRequestNotFound, CertificatePending with `retry_after_seconds`, AuthorityUnavailable,
    CertificateRefused, InvalidInput where there is no EST server, and what handing it in raises.
    """

    permission: ClassVar[Permission] = Permission.MAKE_SEAL
    submit: SubmitCertificateUseCase
    server: EnrolmentServer | None

    def __call__(self, caller: Caller, command: FetchCertificate) -> Seal:
        """The seal, made or renewed."""
        with self.submit.records.read() as transaction:
            request = transaction.certificate_requests.lock(command.request_id)
            if request.state is not CertificateRequestState.PENDING:
                return seal_of_ended(transaction, caller, request)
            require_open(transaction, caller, request, self.submit.clock.now())
            seal = None if request.application_id else transaction.seals.lock(request.seal_code)
            before = seal.signing_credential() if seal is not None else None
            # What our own authority issued is unknown to the server: for it this is a first enrolment.
            renewal = before is not None and not self.submit.authority.has_issued(transaction, before.certificate)
        if self.server is None:
            raise InvalidInput(
                "There is no EST server: set SEAL_CERTIFICATE_SOURCE=est, SEAL_EST_URL and SEAL_EST_TRUST, "
                "or hand the certificate in",
                field="certificate_source",
            )
        try:
            certificates = self.server.enrol(request.request, renewal=renewal)
        except CertificatePending as pending:
            details = {**pending.details, "certificate_request_id": request.id, "seal_code": request.seal_code}
            raise CertificatePending(pending.message, **details) from pending
        received = chosen(certificates, read_request(request.request).public_key_info)
        return self.submit.accept(caller, request.id, received)

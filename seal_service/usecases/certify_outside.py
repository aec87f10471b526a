"""外部认证: making or renewing a seal where an outside authority certifies seals (article 9)."""

from __future__ import annotations

from dataclasses import dataclass

from seal_service.domain.access import Caller
from seal_service.domain.certification import CertificateRequest, CertificateRequestState
from seal_service.domain.errors import CertificatePending
from seal_service.domain.seal import Seal
from seal_service.usecases.fetch_certificate import FetchCertificate, FetchCertificateUseCase
from seal_service.usecases.request_certificate import RequestCertificate, RequestCertificateUseCase
from seal_service.usecases.requests import Repeatable, made_earlier
from seal_service.usecases.submit_certificate import seal_of_ended


@dataclass(frozen=True)
class CertifyOutside:
    """A part of making and renewing: the certificate is asked for, and fetched at once where that can be.

    Not finished at once, it goes on when it is asked for again: there is one pending request for an application or a
    seal, whoever asks.
    """

    request: RequestCertificateUseCase
    fetch: FetchCertificateUseCase | None
    """None: certificates are handed in by people."""

    def __call__(self, caller: Caller, asked: RequestCertificate, command: Repeatable) -> Seal:
        """The seal, made or renewed. Raises CertificatePending with the request's id."""
        request = self._earlier(caller, asked, command) or self.request.open(caller, asked, command)
        if request.state is not CertificateRequestState.PENDING:
            with self.request.records.read() as transaction:
                return seal_of_ended(transaction, caller, request)
        if self.fetch is not None:
            return self.fetch(caller, FetchCertificate(request_id=request.id))
        raise CertificatePending(
            f"The certificate request {request.id} is ready: have it certified and hand the certificate in",
            certificate_request_id=request.id,
            seal_code=request.seal_code,
        )

    def _earlier(self, caller: Caller, asked: RequestCertificate, command: Repeatable) -> CertificateRequest | None:
        with self.request.records.read() as transaction:
            earlier = made_earlier(transaction, caller, command)
            if earlier is not None:
                return transaction.certificate_requests.lock(earlier)
            pending = transaction.certificate_requests.chosen(
                CertificateRequestState.PENDING,
                application_id=asked.application_id,
                seal_code=None if asked.application_id else asked.seal_code,
                limit=1,
            )
        return pending[0] if pending else None

"""外部认证: what an instance needs so that an outside authority can certify its seals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from seal_service.bootstrap.rooms import Rooms
from seal_service.config import Settings
from seal_service.domain.errors import InvalidInput
from seal_service.pki.certificate_request import SigningRequestWriter
from seal_service.pki.est import EstServer
from seal_service.pki.incoming_certificate import OutsideCertificateCheck
from seal_service.ports.crypto import CertificateAuthority, RevocationSource, TrustStore
from seal_service.ports.system import Clock
from seal_service.usecases.certify_outside import CertifyOutside
from seal_service.usecases.fetch_certificate import FetchCertificateUseCase
from seal_service.usecases.request_certificate import RequestCertificateUseCase
from seal_service.usecases.submit_certificate import SubmitCertificateUseCase


@dataclass(frozen=True, kw_only=True)
class OutsideCertification:
    """The use cases around certificate requests, and what others take from them."""

    check: OutsideCertificateCheck
    request: RequestCertificateUseCase
    submit: SubmitCertificateUseCase
    fetch: FetchCertificateUseCase
    certify: CertifyOutside | None
    """None: the instance's own authority certifies seals."""
    close: Callable[[], None]


def outside_certification(
    settings: Settings, rooms: Rooms, authority: CertificateAuthority, trust: TrustStore, revocation: RevocationSource
) -> OutsideCertification:
    """By `certificate_source`. InvalidInput naming the variable that EST needs and does not have."""
    server = _est_server(settings, rooms.clock) if settings.certificate_source == "est" else None
    check = OutsideCertificateCheck(trust, revocation, rooms.clock)
    request = RequestCertificateUseCase(
        rooms.records,
        rooms.log,
        rooms.keys,
        SigningRequestWriter(rooms.keys),
        authority,
        rooms.clock,
        rooms.entropy,
        settings.seal_suite,
        from_outside=settings.certificate_source != "internal",
    )
    submit = SubmitCertificateUseCase(rooms.records, rooms.log, authority, check, rooms.clock)
    fetch = FetchCertificateUseCase(submit, server)
    certify = CertifyOutside(request, fetch if server is not None else None)
    return OutsideCertification(
        check=check,
        request=request,
        submit=submit,
        fetch=fetch,
        certify=None if settings.certificate_source == "internal" else certify,
        close=server.close if server is not None else lambda: None,
    )


def _est_server(settings: Settings, clock: Clock) -> EstServer:
    if settings.est_url is None or settings.est_trust is None:
        missing = "est_url" if settings.est_url is None else "est_trust"
        raise InvalidInput(f"SEAL_CERTIFICATE_SOURCE=est needs SEAL_{missing.upper()}", field=missing)
    password = settings.est_password.get_secret_value() if settings.est_password is not None else None
    return EstServer(
        settings.est_url,
        settings.est_trust,
        clock,
        settings.network_timeout_seconds,
        user=settings.est_user,
        password=password,
        client_certificate=settings.est_client_certificate,
    )

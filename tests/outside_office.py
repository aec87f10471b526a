"""An office whose seals an outside authority certifies."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from ssl import DER_cert_to_PEM_cert
from typing import ClassVar

from seal_service.bootstrap import build
from seal_service.domain.application import Application, Decision
from seal_service.domain.certification import CertificateRequest, CertificateRequestState
from seal_service.domain.impression import SealType
from seal_service.domain.seal import Seal
from seal_service.domain.use import SignatureLevel
from seal_service.formats.pkcs10 import request_as_pem
from seal_service.formats.upload import upload_of
from seal_service.ports.crypto import KeyStore
from seal_service.ports.reading import LogFilter
from seal_service.usecases.apply_for_seal import SubmitApplication
from seal_service.usecases.apply_seal import ApplySeal
from seal_service.usecases.decide_application import DecideApplication
from seal_service.usecases.grant_use import GrantUse
from seal_service.usecases.import_seal import ImportSealUseCase
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.read_requests import ListRequests
from seal_service.usecases.request_certificate import RequestCertificate
from seal_service.usecases.submit_certificate import SubmitCertificate
from tests.instance import IMPRESSIONS, RealOffice, blank_pdf
from tests.live import ShiftedClock
from tests.outside_authority import OutsideAuthority


class OutsideOffice(RealOffice):
    """An office whose instance has its seals certified by an outside authority; `made` is its own from before."""

    authority: OutsideAuthority

    def from_outside(self, authority: OutsideAuthority, **changes: object) -> None:
        """Go on with this authority and other settings."""
        self.service.close()
        self.authority = authority
        self.settings = self.settings.model_copy(update=changes)
        self.service = build(self.settings, clock=self.clock)

    def application(self) -> Application:
        """An approved application."""
        made = self.service.apply_for_seal(
            self.keeper,
            SubmitApplication(
                unit_name=self.holder.name,
                unit_type=self.holder.unit_type,
                credit_code=self.holder.credit_code,
                seal_name=self.holder.name,
                seal_type=SealType.LEGAL_NAME,
                picture=(IMPRESSIONS / "government-service-office.png").read_bytes(),
                width_mm=42,
                height_mm=42,
            ),
        )
        decision = DecideApplication(application_id=made.id, decision=Decision.APPROVE)
        return self.service.decide_application(self.maker, decision)

    def request(self, **changes: object) -> CertificateRequest:  # type: ignore[override]
        """A pending request."""
        if not changes:
            changes = {"application_id": self.application().id}
        return self.service.request_certificate(self.maker, RequestCertificate(**changes))  # type: ignore[arg-type]

    def certified(self, request: CertificateRequest, *options: str, subject: str | None = None) -> bytes:
        """The authority's certificate with its issuer's, PEM."""
        certificate = self.authority.certify(request_as_pem(request.request), *options, subject=subject)
        return certificate + self.authority.issuing.read_bytes()

    def submit(self, request: CertificateRequest, content: bytes, *, accept_subject: bool = False) -> Seal:
        """Hand a certificate in."""
        command = SubmitCertificate(request_id=request.id, content=content, accept_subject=accept_subject)
        return self.service.submit_certificate(self.maker, command)

    def grant(self, seal: Seal) -> None:
        """Let the business system apply the seal."""
        self.service.grant_use(
            self.keeper,
            GrantUse(
                seal_code=seal.code,
                grantee_id=self.system.identity,
                scenario="permit",
                responsible_person="样某",
                approval_number="示例〔2026〕1号",
            ),
        )

    def sealed(self, seal: Seal, key: str, level: SignatureLevel = SignatureLevel.B_LT) -> bytes:
        """A sealed document."""
        applied = self.service.apply_seal(
            self.system,
            ApplySeal(
                seal_code=seal.code,
                document=upload_of(blank_pdf(mark=key), "示例文件.pdf"),
                scenario="permit",
                idempotency_key=key,
                level=level,
            ),
        )
        assert applied.content is not None
        return applied.content

    def requests(self, state: CertificateRequestState) -> tuple[CertificateRequest, ...]:
        """Those in a state."""
        return self.service.list_requests(self.maker, ListRequests(state=state)).items

    def pending(self) -> int:
        """How many wait."""
        return len(self.requests(CertificateRequestState.PENDING))

    def pem_of(self, seal: Seal) -> bytes:
        """The certificate of its newest version."""
        return DER_cert_to_PEM_cert(seal.current[0].certificate).encode()

    day: ClassVar[timedelta] = timedelta(days=1)

    @property
    def key_store(self) -> KeyStore:
        """The instance's own."""
        use_case = self.service.import_seal.use_case
        assert isinstance(use_case, ImportSealUseCase)
        return use_case.keys

    def keys(self) -> set[str]:
        return {one.stem for one in self.settings.key_directory.glob("seal-*.key")}

    def log(self, kind: str) -> list[str]:
        rows = self.service.query_log(self.auditor, QueryLog(chosen=LogFilter())).page.items
        return [row.canon.decode() for row in rows if row.kind.value == kind]


def office_of(home: Path, authority: OutsideAuthority, **changes: object) -> OutsideOffice:
    """An office that trusts the authority and has its seals certified by it; its clock is the machine's."""
    trusting = {"trust_anchors": (authority.root,), "revocation_addresses": authority.revocation_addresses}
    clock = ShiftedClock()  # `openssl` goes by the machine's
    made = OutsideOffice(home, clock=clock, changes=trusting)  # type: ignore[arg-type]
    made.from_outside(authority, **{"certificate_source": "request", **changes})
    return made

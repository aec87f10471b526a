"""Seals that an outside authority certifies: request, certificate, use, renewal, loss, with OpenSSL as that authority."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import crl

from seal_service.bootstrap import build
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.application import Application, Decision
from seal_service.domain.certification import CertificateRequest, CertificateRequestState
from seal_service.domain.errors import (
    CertificatePending,
    CertificateRefused,
    Conflict,
    InvalidInput,
    RenewalNotPossible,
    SignatureRefused,
    TransitionRefused,
)
from seal_service.domain.impression import SealType
from seal_service.domain.seal import Seal, SealState
from seal_service.domain.use import SignatureLevel
from seal_service.formats.pkcs10 import request_as_pem
from seal_service.formats.upload import upload_of
from seal_service.ports.reading import LogFilter
from seal_service.usecases.answer_pki import PkiMatter, PkiRequest
from seal_service.usecases.apply_for_seal import SubmitApplication
from seal_service.usecases.apply_seal import ApplySeal
from seal_service.usecases.change_status import CancelSeal, ReportLoss
from seal_service.usecases.decide_application import DecideApplication
from seal_service.usecases.grant_use import GrantUse
from seal_service.usecases.make_seal import MakeSeal
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.read_registers import ReadById
from seal_service.usecases.read_requests import ListCertificatesToRevoke, ListRequests
from seal_service.usecases.renew_seal import RenewSeal
from seal_service.usecases.request_certificate import RequestCertificate
from seal_service.usecases.submit_certificate import SubmitCertificate
from seal_service.usecases.verify_document import VerifyDocument
from seal_service.usecases.withdraw_request import WithdrawRequest
from tests.live import ShiftedClock
from tests.instance import IMPRESSIONS, RealOffice, blank_pdf
from tests.outside_authority import OutsideAuthority, outside_authority


class OutsideOffice(RealOffice):
    """An office whose instance has its seals certified by an outside authority; `made` is its own from before."""

    authority: OutsideAuthority

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

    def sealed(self, seal: Seal, key: str) -> bytes:
        """A document sealed at B-LT."""
        applied = self.service.apply_seal(
            self.system,
            ApplySeal(
                seal_code=seal.code,
                document=upload_of(blank_pdf(mark=key), "示例文件.pdf"),
                scenario="permit",
                idempotency_key=key,
                level=SignatureLevel.B_LT,
            ),
        )
        assert applied.content is not None
        return applied.content

    def pending(self) -> int:
        found = self.service.list_requests(self.maker, ListRequests(state=CertificateRequestState.PENDING))
        return len(found.items)

    def keys(self) -> set[str]:
        return {one.stem for one in self.settings.key_directory.glob("seal-*.key")}

    def log(self, kind: str) -> list[str]:
        rows = self.service.query_log(self.auditor, QueryLog(chosen=LogFilter())).page.items
        return [row.canon.decode() for row in rows if row.kind.value == kind]


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[OutsideAuthority]:
    with outside_authority(tmp_path / "outside") as made:
        yield made


@pytest.fixture
def office(tmp_path: Path, authority: OutsideAuthority) -> Iterator[OutsideOffice]:
    changes = {
        "trust_anchors": (authority.root,),
        "revocation_addresses": authority.revocation_addresses,
    }
    clock = ShiftedClock()  # `openssl` goes by the machine's
    made = OutsideOffice(tmp_path / "var", clock=clock, changes=changes)  # type: ignore[arg-type]
    made.service.close()
    made.settings = made.settings.model_copy(update={"certificate_source": "request"})
    made.service = build(made.settings, clock=made.clock)
    made.authority = authority
    yield made
    made.service.close()


def test_request_out_certificate_in_and_a_document_sealed_at_b_lt_verifies(office: OutsideOffice) -> None:
    """Articles 9, 14–16: the chain and the outside authority's lists stand in the document."""
    request = office.request()
    before = office.keys()
    assert request.state is CertificateRequestState.PENDING
    seal = office.submit(request, office.certified(request))
    assert (seal.code, seal.state, seal.version) == (request.seal_code, SealState.ACTIVE, 1)
    assert office.keys() == before
    read = office.service.read_request(office.maker, ReadById(id=request.id))
    assert (read.state, read.certificate_serial) == (CertificateRequestState.ISSUED, seal.credentials[0].serial)
    office.grant(seal)
    sealed = office.sealed(seal, "one")
    office.authority.publishes = False
    report = office.verify(sealed)
    assert report.indication.value == "TOTAL_PASSED"
    signature = report.signatures[0]
    assert signature.level == SignatureLevel.B_LT.value
    assert signature.seal is not None
    assert signature.seal.code == seal.code
    made = office.log("sealmgmt.made")[0]
    assert '"certificate_authority":"outside"' in made
    assert request.id in made

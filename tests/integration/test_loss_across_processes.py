"""Article 24 across processes: from the commit of a loss report on nothing is released, uses under way included."""

from __future__ import annotations

import copy
import multiprocessing
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import crl, ocsp, x509

from seal_service.bootstrap import build, verifier_without_instance
from seal_service.config import Settings
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.algorithms import Suite
from seal_service.domain.authorization import SealingPermit
from seal_service.domain.errors import UseOvertaken
from seal_service.domain.paging import PageRequest
from seal_service.domain.seal import SealState
from seal_service.domain.use import IntentReference, SignatureLevel
from seal_service.domain.verdict import Indication, SubIndication, VerificationReport
from seal_service.formats.upload import upload_of
from seal_service.pki.ocsp import request_for
from seal_service.ports.activation import SealKeys
from seal_service.ports.crypto import SigningKey
from seal_service.ports.documents import DocumentSealer, PreparedSeal, SealedDocument, Upload, VerificationPolicy
from seal_service.ports.reading import LogFilter
from seal_service.sealing.pdf import PdfSealer
from seal_service.sealing.sealer import SealerByContent
from seal_service.usecases.answer_pki import PkiMatter, PkiRequest
from seal_service.usecases.change_status import CancelSeal, ReportLoss, ResumeSeal
from seal_service.usecases.publish_status_list import FetchStatusList
from seal_service.usecases.read_log import QueryLog
from tests.instance import RealOffice


@dataclass
class SlowKey:
    """A key that signs only when it is let."""

    key: SigningKey
    asked: threading.Event
    let: threading.Event

    @property
    def suite(self) -> Suite:
        return self.key.suite

    @property
    def public_key_info(self) -> bytes:
        return self.key.public_key_info

    def sign(self, message: bytes) -> bytes:
        self.asked.set()
        assert self.let.wait(60)
        return self.key.sign(message)


@dataclass
class SlowKeys:
    """The real keys, each slow to sign."""

    keys: SealKeys
    asked: threading.Event = field(default_factory=threading.Event)
    let: threading.Event = field(default_factory=threading.Event)

    def open(self, reference: str) -> SigningKey:
        return SlowKey(self.keys.open(reference), self.asked, self.let)


@dataclass
class SlowSealer:
    """The real sealer with slow keys; what it made is kept, as a thief would."""

    sealer: DocumentSealer
    made: list[bytes] = field(default_factory=list)
    media_type: str = "application/pdf"

    def prepare(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> PreparedSeal:
        return self.sealer.prepare(document, permit, intent)

    def complete(self, prepared: PreparedSeal, signature: bytes) -> SealedDocument:
        return self.sealer.complete(prepared, signature)

    def seal(self, document: Upload, permit: SealingPermit, intent: IntentReference) -> SealedDocument:
        sealed = self.sealer.seal(document, permit, intent)
        self.made.append(sealed.content)
        return sealed

    def check(self, original: Upload, sealed: SealedDocument, permit: SealingPermit, intent: IntentReference) -> None:
        self.sealer.check(original, sealed, permit, intent)


@pytest.fixture
def office(tmp_path: Path, on_engine: dict[str, object]) -> Iterator[RealOffice]:
    """On each engine."""
    made = RealOffice(tmp_path / "var", changes=on_engine)
    yield made
    made.service.close()


def _report_loss(office: RealOffice) -> None:
    service = build(office.settings)
    service.report_loss(office.keeper, ReportLoss(seal_code=office.made.code, reason="介质遗失"))
    service.close()


def lose_in_another_process(office: RealOffice) -> None:
    process = multiprocessing.get_context("fork").Process(target=_report_loss, args=(office,))
    process.start()
    process.join(60)
    assert process.exitcode == 0


def slow_sealer(office: RealOffice) -> tuple[SlowSealer, SlowKeys]:
    pdf = _pdf_of(office.applying.sealer)
    keys = SlowKeys(pdf._keys)
    slow = copy.copy(pdf)
    slow._keys = keys
    return SlowSealer(slow), keys


def _pdf_of(dispatch: object) -> PdfSealer:
    assert isinstance(dispatch, SealerByContent)
    assert isinstance(dispatch._pdf, PdfSealer)
    return dispatch._pdf


def entries(office: RealOffice) -> list[tuple[str, str | None]]:
    chosen = LogFilter(seal_code=office.made.code)
    page = office.service.query_log(office.auditor, QueryLog(chosen=chosen, page=PageRequest(limit=500))).page
    return [(row.kind.value, row.use_id) for row in sorted(page.items, key=lambda row: row.seq or 0)]


def test_article_24_a_use_whose_key_is_slow_does_not_survive_a_loss_reported_by_another_process(
    office: RealOffice,
    tmp_path: Path,
) -> None:
    """Nor does what the key made verify, by records or by the list of status, also after the hold was lifted."""
    sealer, keys = slow_sealer(office)
    raised: list[BaseException] = []

    def use() -> None:
        try:
            replace(office.applying, sealer=sealer)(office.system, office.request("slow", level=SignatureLevel.B_T))
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    assert keys.asked.wait(60), "the use is between its reservation and its end"
    lose_in_another_process(office)
    office.clock.forward(timedelta(minutes=2))
    keys.let.set()
    thread.join(60)
    assert [type(one) for one in raised] == [UseOvertaken]
    assert sealer.made, "the key did sign, and what it made stayed here"
    logged = entries(office)
    assert [kind for kind, _ in logged[-3:]] == ["seal.intent", "sealmgmt.suspended", "seal.failed"]
    assert logged[-1][1] == logged[-3][1]
    assert "seal.completed" not in [kind for kind, _ in logged]

    office.clock.forward(timedelta(minutes=2))
    office.service.resume_seal(office.maker, ResumeSeal(seal_code=office.made.code, reason="已找回"))
    office.clock.forward(timedelta(minutes=2))
    report = office.verify(sealer.made[0])
    assert (report.indication, report.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.REVOKED)
    assert report.signatures[0].seal is not None
    assert report.signatures[0].seal.status_at_signing is SealState.SUSPENDED
    assert by_list(office, sealer.made[0], tmp_path).indication is not Indication.TOTAL_PASSED


def by_list(office: RealOffice, content: bytes, directory: Path) -> VerificationReport:
    """As someone who has the root and the list of status, and no network."""
    published = office.service.life.fetch_status_list(PUBLIC_CALLER, FetchStatusList()).content
    root = office.service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=PkiMatter.ROOT_CERTIFICATE))
    verifier = verifier_without_instance(Settings(home=directory / "elsewhere"))
    policy = VerificationPolicy(anchors=(root,), at=office.clock.now(), offline=True, status_lists=(published,))
    return verifier.verify(upload_of(content, "示例文件.pdf"), policy)


def test_an_interval_on_the_list_fails_what_was_sealed_in_it_though_everything_else_is_right(
    office: RealOffice, tmp_path: Path
) -> None:
    """国办发〔2025〕33号. The seal has its time-stamp and the responder's word that the certificate was good."""
    office.clock.forward(timedelta(minutes=10))
    content = office.use("inside", level=SignatureLevel.B_LT).content
    assert content is not None
    sealed_at = office.clock.now()
    office.clock.forward(timedelta(minutes=10))
    assert by_list(office, content, tmp_path).indication is Indication.TOTAL_PASSED
    office.clock.moment = sealed_at - timedelta(minutes=1)
    office.service.report_loss(office.keeper, ReportLoss(seal_code=office.made.code, reason="介质遗失"))
    office.clock.moment = sealed_at + timedelta(minutes=1)
    office.service.resume_seal(office.maker, ResumeSeal(seal_code=office.made.code, reason="已找回"))
    office.clock.forward(timedelta(minutes=10))
    report = by_list(office, content, tmp_path)
    assert (report.indication, report.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.REVOKED)
    assert report.signatures[0].seal is not None
    assert report.signatures[0].seal.status_at_signing is SealState.SUSPENDED
    assert report.signatures[0].seal.status_now is SealState.ACTIVE


def revocations(office: RealOffice, at: object) -> tuple[str, str]:
    """What the list and the responder of a service say of the seal's certificate."""
    service: Any = at
    certificate = x509.Certificate.load(office.made.credentials[0].certificate)
    issuer = x509.Certificate.load(service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=PkiMatter.ISSUING_CERTIFICATE)))
    listed = crl.CertificateList.load(service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=PkiMatter.ISSUING_CRL)))
    revoked = {
        one["user_certificate"].native: one.crl_reason_value.native
        for one in listed["tbs_cert_list"]["revoked_certificates"]
    }
    request = request_for(certificate, issuer, None)
    answer = service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=PkiMatter.OCSP, body=request))
    single = ocsp.OCSPResponse.load(answer).response_data["responses"][0]["cert_status"]
    reason = single.chosen["revocation_reason"].native if single.name == "revoked" else "good"
    return revoked.get(certificate.serial_number, "good"), reason


def test_article_24_list_and_responder_agree_at_once_on_every_replica(office: RealOffice) -> None:
    """Hold, release, revocation: in the same commit, also for a process that had answered before."""
    other = build(office.settings, clock=office.clock)
    code = office.made.code
    try:
        for service in (office.service, other):
            assert revocations(office, service) == ("good", "good")
        office.service.report_loss(office.keeper, ReportLoss(seal_code=code, reason="介质遗失"))
        for service in (other, office.service):
            assert revocations(office, service) == ("certificate_hold", "certificate_hold")
        other.resume_seal(office.maker, ResumeSeal(seal_code=code, reason="已找回"))
        for service in (office.service, other):
            assert revocations(office, service) == ("good", "good")
        office.clock.forward(timedelta(minutes=1))
        other.report_loss(office.keeper, ReportLoss(seal_code=code, reason="再次遗失"))
        office.service.cancel_seal(
            office.maker, CancelSeal(seal_code=code, reason="无法找回", document_number="示例〔2026〕9号")
        )
        for service in (office.service, other):
            assert revocations(office, service) == ("key_compromise", "key_compromise")
    finally:
        other.close()

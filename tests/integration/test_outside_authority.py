"""Seals that an outside authority certifies: request, certificate, use, renewal, loss; OpenSSL is that authority."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from ssl import DER_cert_to_PEM_cert, PEM_cert_to_DER_cert

import pikepdf
import pytest
from asn1crypto import cms, crl, ocsp, x509

from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.algorithms import Suite
from seal_service.domain.certification import CertificateRequestState
from seal_service.domain.errors import (
    CertificatePending,
    CertificateRefused,
    Conflict,
    InvalidInput,
    PermissionDenied,
    RenewalNotPossible,
    SignatureRefused,
    TransitionRefused,
)
from seal_service.domain.seal import SealState
from seal_service.domain.use import SignatureLevel
from seal_service.formats.pkcs10 import request_as_pem
from seal_service.pki.ocsp import request_for
from seal_service.usecases.answer_pki import PkiMatter, PkiRequest
from seal_service.usecases.change_status import CancelSeal, ReportLoss, ResumeSeal
from seal_service.usecases.make_seal import MakeSeal
from seal_service.usecases.manage_trust import ListTrust, RemoveTrust
from seal_service.usecases.read_registers import ReadById
from seal_service.usecases.read_requests import ListCertificatesToRevoke
from seal_service.usecases.renew_seal import RenewSeal
from seal_service.usecases.request_certificate import RequestCertificate
from seal_service.usecases.withdraw_request import WithdrawRequest
from tests.outside_authority import OutsideAuthority, outside_authority
from tests.outside_office import OutsideOffice, office_of
from tests.softhsm import softhsm_settings


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[OutsideAuthority]:
    with outside_authority(tmp_path / "outside") as made:
        yield made


@pytest.fixture
def office(tmp_path: Path, authority: OutsideAuthority) -> Iterator[OutsideOffice]:
    made = office_of(tmp_path / "var", authority)
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
    enclosed = _certificates_in(sealed)
    outside = PEM_cert_to_DER_cert(office.authority.issuing.read_text())
    own = office.service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=PkiMatter.ISSUING_CERTIFICATE))
    assert (outside in enclosed, own in enclosed) == (True, False), "the chain that it was certified under"
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


def _certificates_in(sealed: bytes) -> list[bytes]:
    """Those of the signature itself."""
    with pikepdf.open(io.BytesIO(sealed)) as pdf:
        [contents] = [bytes(one.V.Contents) for one in pdf.Root.AcroForm.Fields if "/V" in one]
    signed = cms.ContentInfo.load(contents)["content"]
    return [one.chosen.dump() for one in signed["certificates"]]


def test_a_renewal_goes_the_same_way_and_both_versions_verify(office: OutsideOffice) -> None:
    """Article 16: within the last 90 days; the request's subject is byte for byte that of the certificate before."""
    request = office.request()
    seal = office.submit(request, office.certified(request, "-days", "60"))
    office.grant(seal)
    old = office.sealed(seal, "old")
    renewal = office.request(seal_code=seal.code)
    renewed = office.submit(renewal, office.certified(renewal))
    assert (renewed.version, renewed.epoch) == (2, seal.epoch + 1)
    assert renewed.current[0].key_reference != seal.current[0].key_reference
    assert renewed.not_after > seal.not_after
    new = office.sealed(renewed, "new")
    for content in (old, new):
        assert office.verify(content).indication.value == "TOTAL_PASSED"
    assert '"certificate_authority":"outside"' in office.log("sealmgmt.renewed")[0]


def test_article_16_the_window_holds_when_asked_and_when_the_certificate_comes(office: OutsideOffice) -> None:
    """A certificate that comes too late is refused and says so; the request stays, to be withdrawn."""
    request = office.request()
    seal = office.submit(request, office.certified(request, "-days", "60"))
    early = office.request()
    in_force = office.submit(early, office.certified(early))
    with pytest.raises(RenewalNotPossible):
        office.request(seal_code=in_force.code)
    renewal = office.request(seal_code=seal.code)
    content = office.certified(renewal)
    office.clock.forward(timedelta(days=61))
    maker = office.maker
    with pytest.raises(RenewalNotPossible, match="a new seal is applied for"):
        office.submit(renewal, content)
    assert office.pending() == 1
    withdrawn = office.service.withdraw_request(maker, WithdrawRequest(request_id=renewal.id))
    assert withdrawn.state is CertificateRequestState.WITHDRAWN


def test_a_renewed_certificate_lasts_longer_than_the_one_before(office: OutsideOffice) -> None:
    request = office.request()
    seal = office.submit(request, office.certified(request, "-days", "60"))
    renewal = office.request(seal_code=seal.code)
    with pytest.raises(CertificateRefused, match="no later than the present one"):
        office.submit(renewal, office.certified(renewal, "-days", "30"))
    assert office.service.read_seal(office.maker, ReadById(id=seal.code)).version == 1


def _of_another_key(office: OutsideOffice, pem: str) -> bytes:
    return office.certified(office.request())


def _strangers(office: OutsideOffice, pem: str) -> bytes:
    return office.authority.self_signed(pem)


def _of(extensions: str) -> Callable[[OutsideOffice, str], bytes]:
    return lambda office, pem: (
        office.authority.certify(pem, extensions=extensions) + office.authority.issuing.read_bytes()
    )


def _with(*options: str, subject: str | None = None) -> Callable[[OutsideOffice, str], bytes]:
    return lambda office, pem: (
        office.authority.certify(pem, *options, subject=subject) + office.authority.issuing.read_bytes()
    )


def _without_chain(office: OutsideOffice, pem: str) -> bytes:
    return office.authority.certify(pem)


def _revoked(office: OutsideOffice, pem: str) -> bytes:
    certificate = office.authority.certify(pem)
    office.authority.revoke(certificate)
    return certificate + office.authority.issuing.read_bytes()


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (_of_another_key, "public key is not the one"),
        (_strangers, "no path leads to a trust anchor|chain does not hold"),
        (_without_chain, "chain does not hold"),
        (_of("encryption"), "neither digitalSignature nor nonRepudiation"),
        (_of("authority"), "certificate authority's"),
        (_with(subject="/C=CN/O=示例市政务服务管理办公室/CN=别的章"), "its subject is .* asked for was CN="),
        (_with("-startdate", "20400101000000Z", "-enddate", "20410101000000Z"), "valid only from"),
        (_with("-startdate", "20200101000000Z", "-enddate", "20210101000000Z"), "it expired"),
        (_revoked, "is revoked, says its issuer"),
    ],
)
def test_a_certificate_that_does_not_fit_is_refused_and_the_request_stays(
    office: OutsideOffice, made: Callable[[OutsideOffice, str], bytes], reason: str
) -> None:
    request = office.request()
    pem = office.service.read_request(office.maker, ReadById(id=request.id))
    content = made(office, request_as_pem(pem.request))
    with pytest.raises(CertificateRefused, match=reason) as refused:
        office.submit(request, content)
    assert refused.value.details["reasons"]
    assert request.id in [one.id for one in office.requests(CertificateRequestState.PENDING)]
    assert office.log("sealmgmt.made") == office.log("sealmgmt.made")[-1:], "only the seal from before"
    if made is not _of_another_key:
        seal = office.submit(request, office.certified(request))
        assert seal.state is SealState.ACTIVE


def test_every_reason_is_told_at_once(office: OutsideOffice) -> None:
    request, other = office.request(), office.request()
    options = ("-startdate", "20200101000000Z", "-enddate", "20210101000000Z")
    with pytest.raises(CertificateRefused) as refused:
        office.submit(request, office.certified(other, *options, subject="/CN=别的章"))
    reasons = refused.value.details["reasons"]
    assert isinstance(reasons, list)
    assert len(reasons) >= 4


def test_another_subject_is_taken_only_when_the_maker_says_that_it_is_right(office: OutsideOffice) -> None:
    """It still has to name the seal's code, its unit or the unit's credit code."""
    request = office.request()
    content = office.certified(request, subject=f"/C=CN/O={office.holder.name}/CN={office.holder.name}电子印章")
    with pytest.raises(CertificateRefused, match="confirm that this subject is right"):
        office.submit(request, content)
    nobodys = office.certified(request, subject="/C=CN/O=某公司/CN=某章")
    with pytest.raises(CertificateRefused, match="names neither the seal nor its unit"):
        office.submit(request, nobodys, accept_subject=True)
    seal = office.submit(request, content, accept_subject=True)
    assert '"subject_as_asked":false' in office.log("sealmgmt.made")[0]
    office.grant(seal)
    assert office.verify(office.sealed(seal, "one")).indication.value == "TOTAL_PASSED"


def test_there_is_one_pending_request_for_an_application_and_its_code_is_reserved(office: OutsideOffice) -> None:
    application = office.application()
    code = "99990000000099"
    first = office.request(application_id=application.id, seal_code=code)
    assert first.seal_code == code
    with pytest.raises(Conflict, match="pending certificate request"):
        office.request(application_id=application.id)
    other = office.application()
    with pytest.raises(Conflict, match="reserved this code"):
        office.request(application_id=other.id, seal_code=code)
    office.service.withdraw_request(office.maker, WithdrawRequest(request_id=first.id))
    assert office.request(application_id=other.id, seal_code=code).seal_code == code


def test_withdrawing_destroys_the_key_and_ends_the_request_for_good(office: OutsideOffice) -> None:
    before = office.keys()
    request = office.request()
    assert len(office.keys() - before) == 1
    for _ in range(2):
        withdrawn = office.service.withdraw_request(office.maker, WithdrawRequest(request_id=request.id))
        assert withdrawn.state is CertificateRequestState.WITHDRAWN
    assert office.keys() == before
    with pytest.raises(Conflict, match="withdrawn"):
        office.submit(request, office.certified(request))
    assert len(office.log("sealmgmt.certificate_request_withdrawn")) == 1
    made = office.request()
    office.submit(made, office.certified(made))
    with pytest.raises(Conflict, match="has its certificate"):
        office.service.withdraw_request(office.maker, WithdrawRequest(request_id=made.id))


def test_a_certificate_is_handed_in_twice_without_making_anything_twice(office: OutsideOffice) -> None:
    request = office.request()
    content = office.certified(request)
    seal = office.submit(request, content)
    assert office.submit(request, content) == seal
    with pytest.raises(Conflict, match="another one"):
        office.submit(request, office.certified(request))
    made = [one for one in office.log("sealmgmt.made") if seal.code in one]
    assert len(made) == 1


def test_making_and_renewing_say_which_request_waits(office: OutsideOffice) -> None:
    """制章 with an outside authority and no server: the request is made, and asked again it is the same one."""
    application = office.application()
    command = MakeSeal(application_id=application.id, idempotency_key="one")
    told = []
    for _ in range(2):
        with pytest.raises(CertificatePending) as pending:
            office.service.make_seal(office.maker, command)
        told.append(pending.value.details["certificate_request_id"])
    assert told[0] == told[1]
    request = office.service.read_request(office.maker, ReadById(id=str(told[0])))
    seal = office.submit(request, office.certified(request, "-days", "30"))
    assert office.service.make_seal(office.maker, command) == seal, "asked again with the same key, it is there"
    renewing = RenewSeal(seal_code=seal.code, idempotency_key="two")
    with pytest.raises(CertificatePending) as pending:
        office.service.renew_seal(office.keeper, renewing)
    renewal = office.service.read_request(
        office.maker, ReadById(id=str(pending.value.details["certificate_request_id"]))
    )
    office.submit(renewal, office.certified(renewal))
    assert office.service.renew_seal(office.keeper, renewing).version == 2
    assert office.log("account.refused") + office.log("sealmgmt.refused") == [], "to wait is no refusal"


def test_the_internal_authority_makes_no_seal_while_a_request_is_pending(office: OutsideOffice) -> None:
    application = office.application()
    office.request(application_id=application.id)
    office.from_outside(office.authority, certificate_source="internal")
    with pytest.raises(Conflict, match="certificate request"):
        office.service.make_seal(office.maker, MakeSeal(application_id=application.id))
    with pytest.raises(InvalidInput, match="SEAL_CERTIFICATE_SOURCE"):
        office.request()


def test_requests_are_the_making_offices_alone(office: OutsideOffice) -> None:
    with pytest.raises(PermissionDenied):
        office.service.request_certificate(office.keeper, RequestCertificate(seal_code=office.made.code))


def test_of_a_lost_seal_the_maker_learns_whom_to_ask_and_our_own_lists_stay_clean(office: OutsideOffice) -> None:
    """Articles 23, 24: our registers and verification know at once; the world hears it from the outside authority."""
    request = office.request()
    seal = office.submit(request, office.certified(request))
    serial = seal.credentials[0].serial
    office.service.report_loss(office.keeper, ReportLoss(seal_code=seal.code, reason="遗失"))
    [held] = office.service.list_certificates_to_revoke(office.keeper, ListCertificatesToRevoke())
    assert (held.serial, held.status.value, held.revoked_by_issuer) == (serial, "on_hold", False)
    assert "签发机构" in held.issuer
    assert serial in office.log("sealmgmt.suspended")[0]
    office.service.cancel_seal(
        office.maker, CancelSeal(seal_code=seal.code, reason="遗失", document_number="示例〔2026〕2号")
    )
    for matter in (PkiMatter.ISSUING_CRL, PkiMatter.ROOT_CRL):
        own = crl.CertificateList.load(office.service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=matter)))
        assert own["tbs_cert_list"]["revoked_certificates"].native in (None, [])
    [revoked] = office.service.list_certificates_to_revoke(office.maker, ListCertificatesToRevoke())
    assert revoked.status.value == "revoked"
    office.authority.revoke(office.pem_of(seal))
    assert office.service.list_certificates_to_revoke(office.maker, ListCertificatesToRevoke()) == ()
    office.authority.publishes = False
    [unknown] = office.service.list_certificates_to_revoke(office.maker, ListCertificatesToRevoke())
    assert unknown.revoked_by_issuer is None


def test_a_resumed_seal_is_applied_again(office: OutsideOffice) -> None:
    request = office.request()
    seal = office.submit(request, office.certified(request))
    office.grant(seal)
    office.service.report_loss(office.keeper, ReportLoss(seal_code=seal.code, reason="遗失"))
    office.service.resume_seal(office.maker, ResumeSeal(seal_code=seal.code, reason="找回"))
    assert office.verify(office.sealed(seal, "one")).indication.value == "TOTAL_PASSED"
    assert office.service.list_certificates_to_revoke(office.maker, ListCertificatesToRevoke()) == ()


def test_our_own_responder_does_not_know_an_outside_certificate(office: OutsideOffice) -> None:
    request = office.request()
    seal = office.submit(request, office.certified(request))
    issuing = office.service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=PkiMatter.ISSUING_CERTIFICATE))
    outside = x509.Certificate.load(seal.credentials[0].certificate)
    asked = request_for(outside, x509.Certificate.load(issuing), None)
    answer = office.service.answer_pki(PUBLIC_CALLER, PkiRequest(matter=PkiMatter.OCSP, body=asked))
    single = ocsp.OCSPResponse.load(answer).basic_ocsp_response["tbs_response_data"]["responses"][0]
    assert single["cert_status"].name == "unknown"


def test_the_issuer_that_came_along_is_kept_for_chains_and_trusted_for_nothing(office: OutsideOffice) -> None:
    request = office.request()
    office.submit(request, office.certified(request))
    [kept] = office.service.list_trust(office.operator, ListTrust())
    assert not kept.trusted.is_anchor
    assert "签发机构" in kept.certificate.subject
    second = office.request()
    office.submit(second, office.authority.certify(request_as_pem(second.request)))  # its chain is known now
    office.confirmed(office.service.remove_trust, RemoveTrust(id=kept.trusted.id))
    third = office.request()
    with pytest.raises(CertificateRefused, match="was removed from what is trusted"):
        office.submit(third, office.certified(third))


def test_a_certificate_of_our_own_authority_is_none_from_outside(office: OutsideOffice) -> None:
    request = office.request()
    own = DER_cert_to_PEM_cert(office.made.credentials[0].certificate).encode()
    with pytest.raises(CertificateRefused):
        office.submit(request, own)


def test_a_seal_suspended_meanwhile_is_not_renewed(office: OutsideOffice) -> None:
    request = office.request()
    seal = office.submit(request, office.certified(request, "-days", "60"))
    renewal = office.request(seal_code=seal.code)
    office.service.report_loss(office.keeper, ReportLoss(seal_code=seal.code, reason="遗失"))
    with pytest.raises(TransitionRefused):
        office.submit(renewal, office.certified(renewal))
    office.service.resume_seal(office.maker, ResumeSeal(seal_code=seal.code, reason="找回"))
    assert office.submit(renewal, office.certified(renewal)).version == 2


@pytest.mark.parametrize("content", [b"", b"nothing", b"0" * 2_000_000, b"-----BEGIN CERTIFICATE-----\nx"])
def test_what_is_no_certificate_is_invalid_input(office: OutsideOffice, content: bytes) -> None:
    request = office.request()
    with pytest.raises(InvalidInput):
        office.submit(request, content)


def test_a_key_in_an_hsm_asks_for_its_certificate_and_seals_with_it(office: OutsideOffice, tmp_path: Path) -> None:
    """The request is signed in the token; OpenSSL has verified that signature before it certifies."""
    office.from_outside(office.authority, **softhsm_settings(tmp_path))
    before = office.keys()
    request = office.request()
    assert office.keys() == before, "no key file"
    seal = office.submit(request, office.certified(request))
    office.grant(seal)
    assert office.verify(office.sealed(seal, "one")).indication.value == "TOTAL_PASSED"
    withdrawn = office.request()
    office.service.withdraw_request(office.maker, WithdrawRequest(request_id=withdrawn.id))
    with pytest.raises(SignatureRefused):
        office.key_store.open(withdrawn.key_reference)


@pytest.mark.parametrize("suite", [Suite.RSA_2048, Suite.RSA_3072])
def test_other_suites_go_the_same_way(office: OutsideOffice, suite: Suite) -> None:
    request = office.request(application_id=office.application().id, suite=suite)
    seal = office.submit(request, office.certified(request))
    assert seal.credentials[0].suite is suite
    office.grant(seal)
    assert office.verify(office.sealed(seal, "one")).indication.value == "TOTAL_PASSED"

"""Files that are malformed, hostile or not supported yet get a typed answer, soon."""

from __future__ import annotations

import io
import os
import random
import re
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seal_service.domain.errors import DocumentUnsupported
from seal_service.domain.verdict import Indication, Modifications, SubIndication, VerificationReport
from seal_service.formats.cms import tlv
from seal_service.formats.pdf_signatures import ReadingLimits
from seal_service.formats.upload import upload_of
from seal_service.ports.crypto import TrustAnchor
from seal_service.ports.documents import VerificationPolicy
from seal_service.testing.isolation import InProcess
from seal_service.verification.limits import VerificationLimits
from seal_service.verification.verifier import Verifier
from tests.signed_pdfs import (
    NOW,
    YEAR,
    FixedClock,
    Party,
    Source,
    city,
    document,
    only,
    outcome,
    sealed_b_lt,
    sign,
    verify,
)

SEQUENCE, INTEGER, OCTETS, IA5 = 0x30, 0x02, 0x04, 0x16
SES = tlv(
    SEQUENCE,
    tlv(SEQUENCE, tlv(INTEGER, b"\4"), tlv(SEQUENCE, tlv(SEQUENCE, tlv(IA5, b"ES")))),
    tlv(OCTETS, b"certificate"),
)
NATIONAL = bytes.fromhex("300e060a2a811ccf550601040202a000")
CORPORA = os.environ.get("SEAL_TEST_CORPORA")


def with_contents(value: bytes, sub_filter: bytes = b"/ETSI.CAdES.detached") -> bytes:
    """A signed file with other bytes as the signature, in the same space."""
    content = sign(document())
    found = re.search(rb"/ByteRange ?\[0 ([0-9]+) ([0-9]+)", content)
    assert found
    start, end = int(found[1]), int(found[2])
    digits = value.hex().encode()
    assert len(digits) <= end - start - 2
    content = content[: start + 1] + digits.ljust(end - start - 2, b"0") + content[end - 1 :]
    assert len(sub_filter) <= 20
    return content.replace(b"/ETSI.CAdES.detached", sub_filter.ljust(20))


def signature_value() -> bytes:
    with pikepdf.open(io.BytesIO(sign(document()))) as pdf:
        contents = bytes(pdf.Root.AcroForm.Fields[0].V.Contents)
    return contents[: 4 + int.from_bytes(contents[2:4], "big")]


@pytest.mark.parametrize(
    ("value", "sub_filter", "kind"),
    [
        (SES, b"/GM.sm2seal", "ses"),
        (SES, b"/adbe.pkcs7.detached", "ses"),
        (SES, b"/ETSI.CAdES.detached", "ses"),
        (NATIONAL, b"/GM.sm2cms.detached", "cms"),
        (NATIONAL, b"/adbe.pkcs7.detached", "cms"),
        (tlv(OCTETS, bytes(range(1, 100))), b"/adbe.x509.rsa_sha1", "cms"),
    ],
)
def test_a_kind_of_signature_that_is_not_supported_yet_says_so(value: bytes, sub_filter: bytes, kind: str) -> None:
    report = verify(with_contents(value, sub_filter))
    one = only(report)
    assert (one.kind, one.indication, one.sub_indication) == (
        kind,
        Indication.INDETERMINATE,
        SubIndication.NOT_SUPPORTED,
    )
    assert not report.technically_valid
    assert outcome(one, "supported") == "fail"


@pytest.mark.parametrize("part", ["digest_algorithm", "signature_algorithm"])
def test_a_cms_with_national_algorithms_is_not_supported_yet(part: str) -> None:
    content = cms.ContentInfo.load(signature_value())
    signer = content["content"]["signer_infos"][0]
    signer[part] = {"algorithm": {"digest_algorithm": "1.2.156.10197.1.401"}.get(part, "1.2.156.10197.1.501")}
    one = only(verify(with_contents(content.dump(force=True))))
    assert (one.indication, one.sub_indication) == (Indication.INDETERMINATE, SubIndication.NOT_SUPPORTED)


def test_a_supported_signature_beside_an_unsupported_one_is_still_judged() -> None:
    content = sign(with_contents(SES, b"/GM.sm2seal"), name="Seal2")
    first, second = verify(content).signatures
    assert first.sub_indication is SubIndication.NOT_SUPPORTED
    assert second.indication is Indication.TOTAL_PASSED


@pytest.mark.skipif(CORPORA is None, reason="SEAL_TEST_CORPORA names no real files")
@pytest.mark.corpora
@pytest.mark.parametrize("name", ["SignedValueV4.dat", "SignedValueV5.dat"])
def test_a_real_seal_of_gb_t_38540_is_recognised(name: str) -> None:
    value = (Path(CORPORA or "") / "ses" / name).read_bytes()
    padded = with_contents_of_any_size(value)
    assert only(verify(padded)).kind == "ses"


def with_contents_of_any_size(value: bytes) -> bytes:
    """The same in a file built for it."""
    body = b"%PDF-1.7\n"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]/SigFlags 3>>>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>",
        b"<</FT/Sig/T(Seal)/V 5 0 R>>",
        b"<</Type/Sig/Filter/DJ.GMPkiLite/SubFilter/GM.sm2seal/ByteRange[0 0 0 0]/Contents<"
        + value.hex().encode()
        + b">>>",
    ]
    return body + build(objects, len(body))


def build(objects: list[bytes], offset: int, trailer: bytes = b"") -> bytes:
    """Objects from 1 with a cross-reference table."""
    out, places = bytearray(), []
    for number, value in enumerate(objects, 1):
        places.append(offset + len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, value)
    table = offset + len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out) + b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        table,
    )


def plain(*objects: bytes, trailer: bytes = b"") -> bytes:
    return b"%PDF-1.7\n" + build(list(objects), 9, trailer)


PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>"


@pytest.mark.parametrize(
    "value", [b"\0" * 40, b"\x30", b"\x30\x84\xff\xff\xff\xff", b"\x02\1\1", b"hello world", b"\xff" * 50]
)
def test_a_broken_value_is_that_signatures_format_failure(value: bytes) -> None:
    content = sign(with_contents(value), name="Seal2")
    first, second = verify(content).signatures
    assert (first.indication, first.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.FORMAT_FAILURE)
    assert not first.technically_valid
    assert second.indication is Indication.TOTAL_PASSED


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1500), st.integers(1, 255))
def test_a_changed_byte_of_the_value_never_passes_and_never_raises(place: int, change: int) -> None:
    value = bytearray(VALUE)
    value[place % len(value)] ^= change
    report = verify(TEMPLATE(bytes(value)), offline=True)
    assert report.indication is not Indication.TOTAL_PASSED


VALUE = signature_value()


def _template() -> Callable[[bytes], bytes]:
    content = with_contents(VALUE)
    found = re.search(rb"/ByteRange ?\[0 ([0-9]+) ([0-9]+)", content)
    assert found
    start, end = int(found[1]), int(found[2])
    return lambda value: content[: start + 1] + value.hex().encode().ljust(end - start - 2, b"0") + content[end - 1 :]


TEMPLATE = _template()


def test_no_signed_attributes_leave_the_signer_unnamed() -> None:
    content = cms.ContentInfo.load(VALUE)
    signer = content["content"]["signer_infos"][0]
    kept = [one for one in signer["signed_attrs"] if one["type"].native != "signing_certificate_v2"]
    signer["signed_attrs"] = kept
    one = only(verify(TEMPLATE(content.dump(force=True))))
    assert outcome(one, "signing_certificate") == "fail"
    assert not one.technically_valid


def test_without_its_certificate_a_signature_names_no_signer() -> None:
    content = cms.ContentInfo.load(VALUE)
    content["content"]["certificates"] = []
    one = only(verify(TEMPLATE(content.dump(force=True))))
    assert (one.indication, one.sub_indication) == (
        Indication.INDETERMINATE,
        SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
    )
    assert not one.technically_valid


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x89PNG\r\n\x1a\n" + bytes(50), b"PK\3\4" + bytes(50), b" " * 5000 + b"%PDF-1.7"]
)
def test_what_is_no_pdf_at_all_is_said_so(content: bytes) -> None:
    with pytest.raises(DocumentUnsupported):
        verify(content)


def malformed() -> dict[str, bytes]:
    signed = sign(document())
    return {
        "header alone": b"%PDF-1.7\n",
        "cut": signed[: len(signed) // 2],
        "no cross-references": signed[: signed.rindex(b"startxref")],
        "startxref out of the file": re.sub(rb"startxref\s+[0-9]+", b"startxref\n99999999", signed),
        "startxref beyond all numbers": re.sub(rb"startxref\s+[0-9]+", b"startxref\n" + b"9" * 400, signed),
        "loop of /Prev": plain(b"<</Type/Catalog/Pages 2 0 R>>", PAGES, PAGE, trailer=b"/Prev 9"),
        "no catalogue": plain(b"null", PAGES, PAGE),
        "root is a number": plain(b"7", PAGES, PAGE),
        "noise": b"%PDF-1.7\n" + random.Random(1).randbytes(5000),
    }


@pytest.mark.parametrize("name", sorted(malformed()))
def test_a_malformed_pdf_is_a_format_failure(name: str) -> None:
    report = verify(malformed()[name])
    assert (report.indication, report.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.FORMAT_FAILURE)
    assert not report.technically_valid
    assert report.checks[0].id == "format"


def catalog(fields: bytes) -> bytes:
    return b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields %s/SigFlags 3>>>>" % fields


SOME_SIGNATURE = b"<</Type/Sig/SubFilter/ETSI.CAdES.detached/ByteRange[0 1 2 3]/Contents<3000>>>"


@pytest.mark.parametrize(
    ("objects", "signatures"),
    [
        ([catalog(b"[4 0 R]"), PAGES, PAGE, b"<</FT/Sig/T(a)/Kids[4 0 R 5 0 R]>>", b"<</Kids[4 0 R]/V 6 0 R>>"], 1),
        ([catalog(b"[4 0 R]"), PAGES, PAGE, b"<</T(a)/Kids[5 0 R]>>", b"<</FT/Sig/T(b)/V 6 0 R>>"], 1),
        ([catalog(b"4 0 R"), PAGES, PAGE, b"[5 0 R 5 0 R 7 0 R null 3]", b"<</FT/Sig/T(b)/V 6 0 R>>"], 1),
        ([catalog(b"[4 0 R]"), PAGES, PAGE, b"<</T(a)/FT/Sig/V(text)>>", b"null"], 1),
        ([catalog(b"[4 0 R]"), PAGES, PAGE, b"<</T(a)/FT/Sig/V 99 0 R>>", b"null"], 0),
        ([catalog(b"[4 0 R]"), PAGES, PAGE, b"<</T(a)/V 6 0 R>>", b"null"], 1),
        (
            [
                catalog(b"[]"),
                PAGES,
                b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Annots[4 0 R]>>",
                b"<</Subtype/Widget/FT/Sig/T(widget)/V 6 0 R>>",
                b"null",
            ],
            1,
        ),
        (
            [
                b"<</Type/Catalog/Pages 2 0 R>>",
                PAGES,
                b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Annots 5 0 R>>",
                b"<</Subtype/Widget/FT/Sig/T(widget)/V 6 0 R>>",
                b"[4 0 R]",
            ],
            1,
        ),
    ],
)
def test_every_signature_field_is_found_however_it_is_reached(objects: list[bytes], signatures: int) -> None:
    """Never "unsigned" because a field hides in a loop, under /Kids, or among a page's widgets alone."""
    report = verify(plain(*objects, SOME_SIGNATURE))
    assert len(report.signatures) == signatures
    expected = Indication.TOTAL_FAILED if signatures else Indication.NO_SIGNATURE
    assert report.indication is expected
    assert not report.technically_valid


def test_loops_in_the_page_tree_end() -> None:
    report = verify(plain(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 3 0 R]/Count 9>>", PAGE))
    assert report.indication in (Indication.NO_SIGNATURE, Indication.TOTAL_FAILED)


def seconds(content: bytes, limits: VerificationLimits | None = None) -> tuple[float, VerificationReport]:
    start = time.perf_counter()
    report = verify(content, limits=limits)
    return time.perf_counter() - start, report


def test_very_many_fields_are_answered_soon() -> None:
    many = 100_000
    references = b" ".join(b"%d 0 R" % (number + 4) for number in range(many))
    fields = [b"<</FT/Sig/T(f%d)>>" % number for number in range(many)]
    taken, report = seconds(plain(catalog(b"[" + references + b"]"), PAGES, PAGE, *fields))
    assert report.indication is Indication.NO_SIGNATURE
    assert taken < 15


def test_very_deep_fields_are_answered_soon() -> None:
    deep = 20_000
    fields = [b"<</T(a)/Kids[%d 0 R]>>" % (number + 5) for number in range(deep)]
    taken, report = seconds(plain(catalog(b"[4 0 R]"), PAGES, PAGE, *fields, b"<</FT/Sig/T(z)/V<</Contents<00>>>>>"))
    assert len(report.signatures) == 1
    assert taken < 15


@pytest.mark.parametrize(
    "limits",
    [
        VerificationLimits(reading=ReadingLimits(fields=1)),
        VerificationLimits(reading=ReadingLimits(objects=3)),
        VerificationLimits(reading=ReadingLimits(pages=1)),
        VerificationLimits(reading=ReadingLimits(signatures=1)),
        VerificationLimits(bytes=1000),
    ],
)
def test_above_a_limit_the_answer_is_that_it_cannot_be_told(limits: VerificationLimits) -> None:
    content = sign(sign(document()), name="Seal2")
    report = verify(content, limits=limits)
    assert (report.indication, report.sub_indication) == (Indication.INDETERMINATE, SubIndication.NOT_SUPPORTED)
    assert not report.technically_valid


def test_above_the_limit_of_revisions_or_time_changes_are_unknown_and_do_not_pass() -> None:
    content = sealed_b_lt()
    for limits in (VerificationLimits(revisions=0), VerificationLimits(seconds=-1)):
        one = only(verify(content, limits=limits, offline=True))
        assert (one.modifications, one.technically_valid) == (Modifications.UNKNOWN, False)
        assert (one.indication, one.sub_indication) == (Indication.INDETERMINATE, SubIndication.DOCUMENT_CHANGED)


def test_an_encrypted_file_cannot_be_told() -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(document())) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="o", user="secret"))
    report = verify(out.getvalue())
    assert (report.indication, report.sub_indication) == (Indication.INDETERMINATE, SubIndication.NOT_SUPPORTED)


def test_a_store_that_unpacks_to_more_than_the_limit_is_refused() -> None:
    bomb = zlib.compress(bytes(40 << 20))
    stream = b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(bomb), bomb)
    content = plain(
        b"<</Type/Catalog/Pages 2 0 R/DSS<</CRLs[4 0 R]>>/AcroForm<</Fields[5 0 R]>>>>",
        PAGES,
        PAGE,
        stream,
        b"<</FT/Sig/T(a)/V 6 0 R>>",
        SOME_SIGNATURE,
    )
    report = verify(content)
    assert (report.indication, report.sub_indication) == (Indication.INDETERMINATE, SubIndication.NOT_SUPPORTED)


def test_revocation_data_that_is_noise_says_nothing() -> None:
    noise = Source(crls=[b"", b"\x30\x03\x02\1\1", random.Random(3).randbytes(200), city().ca.der])
    assert verify(sign(document()), source=noise).sub_indication is SubIndication.TRY_LATER


def test_verification_grows_in_step_with_the_number_of_seals() -> None:
    content = document()
    times = {}
    for number in range(1, 9):
        content = sign(content, name=f"Seal{number}")
        if number in (4, 8):
            times[number], report = min((seconds(content) for _ in range(3)), key=lambda one: one[0])
            assert report.indication is Indication.TOTAL_PASSED
    assert times[8] < 4 * times[4]


def test_a_fault_of_the_program_itself_is_a_typed_answer_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class BrokenTrust:
        def anchors(self) -> list[TrustAnchor]:
            raise ZeroDivisionError

        def intermediates(self) -> list[bytes]:
            return []

    verifier = Verifier(trust=BrokenTrust(), revocation=Source(), isolation=InProcess(), clock=FixedClock())
    report = verifier.verify(upload_of(sign(document())), VerificationPolicy())
    assert (report.indication, report.technically_valid) == (Indication.TOTAL_FAILED, False)
    assert "could not be verified" in caplog.text


@pytest.mark.parametrize("names", [("LOOP",), ("A", "B"), ("A", "B", "C")])
def test_certificates_that_issue_each_other_are_answered_soon(names: tuple[str, ...]) -> None:
    """n certificates of one name allow n! paths."""
    chain = [nameless(name, names[position - 1]) for _ in range(12) for position, name in enumerate(names)]
    content = sign(document(), nameless("99990000000009", names[0]), chain=chain)
    taken, report = seconds(content)
    assert report.sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND
    assert taken < 5


def nameless(name: str, issuer: str) -> Party:
    """A certificate without extensions that says a name issued it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, above = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (name, issuer))
    builder = x509.CertificateBuilder(above, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(NOW - YEAR).not_valid_after(NOW + YEAR)
    return Party(builder.sign(key, hashes.SHA256()), key)

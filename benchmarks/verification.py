"""Verification, side by side with pyHanko's full validation and with Poppler's pdfsig; its growth with signatures."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from io import BytesIO
from typing import Any

from asn1crypto.crl import CertificateList
from asn1crypto.x509 import Certificate
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import DocumentSecurityStore, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from benchmarks import outside
from benchmarks.documents import one_page, paged
from benchmarks.figures import VoidMeasurement, paired_ratio
from benchmarks.naive import NaiveSigning
from benchmarks.office import Applying, Office, passed
from benchmarks.pairing import Variant, paired_rounds
from benchmarks.session import Session
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.algorithms import Suite
from seal_service.domain.use import SignatureLevel
from seal_service.domain.verdict import VerificationReport
from seal_service.formats.upload import upload_of
from seal_service.ports.documents import VerificationPolicy
from seal_service.usecases.answer_pki import PkiMatter
from seal_service.usecases.verify_document import VerifyDocument, VerifyDocumentUseCase

PART = "verification"
LEAST_TIMES_PYHANKO = 4
LARGEST_GROWTH = 2.2
LARGEST_TIMES_PDFSIG = 2

OURS = "ours"
WHOLE = "ours with status and log entry"
PYHANKO = "pyHanko, full validation"
PDFSIG = "pdfsig, as a process"


def measure(session: Session) -> None:
    """RSA-2048; the digests of the document are taken while it comes in."""
    office, seal = session.instances.on(), session.instances.seal(Suite.RSA_2048)
    applying = office.applying(seal)
    naive = NaiveSigning(office, seal, session.directory / "naive-verified")
    content = one_page().content
    plain, counts = SignatureLevel.B_B, session.amounts.signatures
    _against_pyhanko(session, office, applying, naive)
    _growth(session, office, *(_sealed(applying, content, plain, each) for each in counts))
    if "pdfsig" in outside.missing():
        session.skip("verification against pdfsig, which is not installed")
    else:
        _against_pdfsig(session, office, _sealed(applying, paged(100, 49_000), plain, counts[1]))


def _sealed(applying: Applying, content: bytes, level: SignatureLevel, times: int = 1) -> bytes:
    """A document sealed so many times, one seal after the other."""
    for _ in range(times):
        content = bytes(applying.seal(upload_of(content), level).content)
    return content


def _against_pyhanko(session: Session, office: Office, applying: Applying, naive: NaiveSigning) -> None:
    """With the same facts: one root is trusted, revocation is asked of what lies in the file or was published."""
    content = one_page().content
    plain = _sealed(applying, content, SignatureLevel.B_B)
    with_data = _sealed(applying, content, SignatureLevel.B_LT)
    foreign = naive.loaded_once(content)()
    cases: tuple[tuple[str, bytes, _FullValidation, float | None], ...] = (
        ("one B-B seal", plain, _FullValidation(office, plain, store=False), LEAST_TIMES_PYHANKO),
        ("one B-LT seal", with_data, _FullValidation(office, with_data, store=True), LEAST_TIMES_PYHANKO),
        ("one signature made by pyHanko", foreign, _FullValidation(office, foreign, store=False), None),
    )
    for title, document, validation, target in cases:
        session.say(f"verification: {title} on one page")
        variants: list[Variant[VerificationReport | bool]] = [
            Variant(OURS, _always(_verifying(office, document)), _passed),
            Variant(WHOLE, _always(_whole(office, document)), _passed),
            Variant(PYHANKO, _always(validation), _passed),
        ]
        timings = paired_rounds(variants, session.amounts.verification_rounds * 2, session.amounts.verification_warm_up)
        for name, one in timings.items():
            session.add(PART, f"{title}: {name}", one.wall_ms, "ms")
            session.add(PART, f"{title}: {name}, processor", one.cpu_ms, "ms")
        ratio = paired_ratio(timings[PYHANKO].wall, timings[OURS].wall)
        session.add(PART, f"{title}: times pyHanko's full validation", ratio, "×", at_least=target)


class _FullValidation:
    """pyHanko's validation of a document: structure, later revisions, path, time-stamp, revocation required."""

    def __init__(self, office: Office, content: bytes, *, store: bool) -> None:
        self._content = content
        self._store = store
        self._roots = [Certificate.load(office.published(PkiMatter.ROOT_CERTIFICATE))]
        lists = [PkiMatter.ISSUING_CRL, PkiMatter.ROOT_CRL]
        self._lists = [] if store else [CertificateList.load(office.published(one)) for one in lists]

    def __call__(self) -> bool:
        reader = PdfFileReader(BytesIO(self._content))
        told: dict[str, Any] = {"trust_roots": self._roots, "allow_fetching": False, "revocation_mode": "require"}
        context = (
            DocumentSecurityStore.read_dss(reader).as_validation_context(told)
            if self._store
            else ValidationContext(**told, crls=self._lists)
        )
        found = [validate_pdf_signature(one, context).bottom_line for one in reader.embedded_regular_signatures]
        return found == [True]


def _growth(session: Session, office: Office, few: bytes, many: bytes) -> None:
    counts = session.amounts.signatures
    session.say(f"verification: {counts[0]} and {counts[1]} seals")
    names = [f"{count} seals" for count in counts]
    variants: list[Variant[VerificationReport | bool]] = [
        Variant(name, _always(_verifying(office, content)), _passed)
        for name, content in zip(names, (few, many), strict=True)
    ]
    timings = paired_rounds(variants, session.amounts.verification_rounds, session.amounts.verification_warm_up)
    for name in names:
        session.add(PART, f"{name} on one page: {OURS}", timings[name].wall_ms, "ms")
    ratio = paired_ratio(timings[names[1]].wall, timings[names[0]].wall)
    session.add(PART, f"{names[1]} of the time of {names[0]}", ratio, "×", at_most=LARGEST_GROWTH)


def _against_pdfsig(session: Session, office: Office, content: bytes) -> None:
    count = session.amounts.signatures[1]
    session.say(f"verification: {count} seals on 100 pages")
    path = session.directory / "many.pdf"
    path.write_bytes(content)
    program = shutil.which("pdfsig")
    assert program is not None

    def pdfsig() -> bool:
        told = subprocess.run([program, "-nocert", str(path)], capture_output=True, text=True, check=False).stdout
        return told.count("Signature Validation: Signature is Valid.") == count

    variants: list[Variant[VerificationReport | bool]] = [
        Variant(OURS, _always(_verifying(office, content)), _passed),
        Variant(PDFSIG, _always(pdfsig), _passed),
    ]
    timings = paired_rounds(variants, session.amounts.verification_rounds, session.amounts.verification_warm_up)
    for name, one in timings.items():
        session.add(PART, f"{count} seals on 100 pages: {name}", one.wall_ms, "ms")
    ratio = paired_ratio(timings[OURS].wall, timings[PDFSIG].wall)
    name = f"{count} seals on 100 pages: of the time of pdfsig's process"
    session.add(PART, name, ratio, "×", at_most=LARGEST_TIMES_PDFSIG)


def _always(work: Callable[[], VerificationReport | bool]) -> Callable[[], Callable[[], VerificationReport | bool]]:
    """Nothing is to be prepared."""
    return lambda: work


def _verifying(office: Office, content: bytes) -> Callable[[], VerificationReport]:
    use_case = office.service.verify_document.use_case
    assert isinstance(use_case, VerifyDocumentUseCase)
    upload = upload_of(content, "sealed.pdf")
    return lambda: use_case.verifier.verify(upload, VerificationPolicy())


def _whole(office: Office, content: bytes) -> Callable[[], VerificationReport]:
    command = VerifyDocument(document=upload_of(content, "sealed.pdf"))
    return lambda: office.service.verify_document(PUBLIC_CALLER, command)


def _passed(outcome: VerificationReport | bool) -> None:
    said = outcome if isinstance(outcome, bool) else passed(outcome)
    if not said:
        raise VoidMeasurement("a good document did not verify")

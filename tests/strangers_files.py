"""Real files of other projects' test suites: what comes of each when it is sealed under a permissive policy.

Used by the test of them and by `docs/strangers_files.py`, which writes the table in the reference.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import pikepdf
import pypdfium2
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from PIL import Image
from pyhanko.pdf_utils.images import PdfImage
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.stamp import TextStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from seal_service.domain.content import ContentKind
from seal_service.domain.errors import DocumentRefused, InvalidPlacement
from seal_service.domain.use import SignatureLevel
from seal_service.domain.verdict import Coverage, Indication, VerificationReport
from seal_service.formats.upload import upload_of
from seal_service.ports.crypto import TrustAnchor
from seal_service.ports.documents import SealedDocument, VerificationPolicy
from seal_service.testing.isolation import InProcess
from seal_service.verification.verifier import Verifier
from tests.sealing_infrastructure import der
from tests.sealing_world import World

SEAL_MM = 9.0
"""Smaller than the smallest page, whose 10 mm are not quite 10."""
PYHANKO_ALONE = {"pdfjs": 72, "qpdf": 46, "dss-pades": 19}
"""How many of each source's files pyHanko 0.38 seals, `strict=False` tried where strict reading fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one file."""

    file: str
    """Below the corpora's folder `pdf`."""
    size: int
    pages: int | None
    refusal: str | None = None
    """The error, and its cause where there is one; None: it was sealed."""
    repaired: bool = False
    verified: bool = False
    """By us: TOTAL_PASSED and the whole file at B-B, with the seal's root as the only anchor."""
    verified_at_default_level: bool = False
    """By us: TOTAL_PASSED at B-LT."""
    prefixed: bool = False
    """Whether the sealed documents begin with the original, or with its repair."""
    shown_as_before: bool | None = None
    """Whether every page of a repaired file looks as PDFium, which recovers by itself, shows the damaged one."""
    qpdf: tuple[int, int] = (0, 0)
    """Exit codes of `qpdf --check` for the file and for the sealed one; 0: nothing to complain about, 3: warnings."""
    pdfsig: bool | None = None
    """Whether it finds the signature valid and the total document signed; None: it cannot read the file."""

    @property
    def source(self) -> str:
        """The corpus."""
        return self.file.split("/", 1)[0]

    @property
    def sealed(self) -> bool:
        """Whether it was."""
        return self.refusal is None


def files(corpora: Path) -> list[Path]:
    """The files that are to be sealed or refused."""
    expected = json.loads((corpora / "pdf" / "expectations.json").read_bytes())
    return [corpora / one["file"] for one in expected if one["use"] == "sign"]


def outcomes(corpora: Path, scratch: Path) -> Iterator[Outcome]:
    """What comes of each file; errors that are not typed refusals are raised."""
    world = World(permitted_content=frozenset(ContentKind), width_mm=SEAL_MM, height_mm=SEAL_MM)
    for path in files(corpora):
        yield _outcome(world, path, path.relative_to(corpora / "pdf").as_posix(), scratch)


def _outcome(world: World, path: Path, file: str, scratch: Path) -> Outcome:
    content = path.read_bytes()
    try:
        sealed = world.seal(content, allow_repair=True)
    except (DocumentRefused, InvalidPlacement) as refusal:
        cause = refusal.details.get("cause")
        told = f"{type(refusal).__name__}: {cause}" if cause else type(refusal).__name__
        return Outcome(file=file, size=len(content), pages=pages_of(content), refusal=told)
    raised = world.seal(content, level=SignatureLevel.B_LT, allow_repair=True)
    before = content if sealed.repaired is None else sealed.repaired.content[:]
    scratch.mkdir(exist_ok=True)
    (out := scratch / "sealed.pdf").write_bytes(sealed.content)
    (out_raised := scratch / "raised.pdf").write_bytes(raised.content)
    return Outcome(
        file=file,
        size=len(content),
        pages=pages_of(sealed.content),
        repaired=sealed.repaired is not None,
        verified=_verified(world, sealed, Coverage.WHOLE_FILE),
        verified_at_default_level=_verified(world, raised, Coverage.WHOLE_REVISION),
        shown_as_before=None if sealed.repaired is None else _shown(before) == _shown(content),
        prefixed=all(one.content.startswith(before) for one in (sealed, raised)),
        qpdf=(complaints(path), max(complaints(out), complaints(out_raised))),
        pdfsig=_pdfsig(out),
    )


def _verified(world: World, sealed: SealedDocument, coverage: Coverage) -> bool:
    report = verify(world, sealed.content)
    (signature,) = [one for one in report.signatures if one.kind == "pades"]
    return (
        (report.indication, report.technically_valid) == (Indication.TOTAL_PASSED, True)
        and signature.name == sealed.field_name
        and signature.coverage is coverage
    )


def verify(world: World, content: bytes) -> VerificationReport:
    """By the real verifier, which trusts the root of the seal's authority and nothing else."""

    class Trust:
        def anchors(self) -> tuple[TrustAnchor, ...]:
            return (TrustAnchor(certificate=der(world.infrastructure.root)),)

        def intermediates(self) -> tuple[bytes, ...]:
            return ()

    verifier = Verifier(
        trust=Trust(), revocation=world.infrastructure, isolation=InProcess(), clock=world.clock, strict=True
    )
    return verifier.verify(upload_of(content), VerificationPolicy())


def pages_of(content: bytes) -> int | None:
    """As qpdf counts them, recovering what it can; None when it cannot."""
    try:
        with pikepdf.open(BytesIO(content), suppress_warnings=True) as pdf:
            return len(pdf.pages)
    except (pikepdf.PdfError, pikepdf.PasswordError):
        return None


def _shown(content: bytes) -> list[bytes]:
    """Every page as PDFium draws it."""
    with pypdfium2.PdfDocument(content) as opened:
        return [page.render(scale=1).to_pil().convert("RGB").tobytes() for page in opened]


def complaints(path: Path) -> int:
    """Exit code of `qpdf --check`: 0 none, 3 warnings, 2 errors."""
    return subprocess.run([_program("qpdf"), "--check", str(path)], capture_output=True, check=False).returncode


def _pdfsig(path: Path) -> bool | None:
    done = subprocess.run([_program("pdfsig"), "-nocert", str(path)], capture_output=True, check=False, timeout=60)
    said = done.stdout.decode(errors="replace")
    if "Signature #1" not in said:
        return None
    return said.count("Signature Validation: Signature is Valid.") == 1 and "Total document signed" in said


def _program(name: str) -> str:
    path = shutil.which(name)
    assert path is not None, f"{name} is not installed"
    return path


def programs() -> str:
    """The other programs, with their versions."""
    poppler = subprocess.run([_program("pdfsig"), "-v"], capture_output=True, text=True, check=True).stderr
    qpdf = subprocess.run([_program("qpdf"), "--version"], capture_output=True, text=True, check=True).stdout
    within = f"pikepdf {pikepdf.__version__} with qpdf {pikepdf.__libqpdf_version__}"
    return f"Made with {within}; checked by {qpdf.splitlines()[0]} and Poppler's {poppler.splitlines()[0]}."


def pyhanko_alone_seals(world: World, content: bytes) -> bool:
    """As its documentation shows it, strictly, and with `strict=False` where that fails."""
    for strict in (True, False):
        try:
            writer = IncrementalPdfFileWriter(BytesIO(content), strict=strict)
            _pyhanko_signer(world).sign_pdf(writer)
        except Exception:
            continue
        return True
    return False


def _pyhanko_signer(world: World) -> PdfSigner:
    key = world.keys.open(world.credential.key_reference).key
    plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(world.credential.certificate),
        signing_key=asn1_keys.PrivateKeyInfo.load(plain),
        cert_registry=SimpleCertificateStore(),
    )
    return PdfSigner(
        PdfSignatureMetadata(field_name="Seal", subfilter=SigSeedSubFilter.PADES),
        signer=signer,
        stamp_style=TextStampStyle(stamp_text="", background=PdfImage(_stamp())),
        new_field_spec=SigFieldSpec("Seal", on_page=-1, box=(50, 50, 80, 80)),
    )


@cache
def _stamp() -> Image.Image:
    return Image.new("RGBA", (100, 100), (215, 0, 15, 128))

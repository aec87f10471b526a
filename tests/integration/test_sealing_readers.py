"""What other programs say of sealed documents: qpdf, Poppler's pdfsig, pyHanko."""

from __future__ import annotations

import shutil
import subprocess
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature, validate_pdf_timestamp
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from seal_service.domain.algorithms import Suite
from seal_service.domain.placement import Placement
from seal_service.domain.use import SignatureLevel
from tests.sealing_infrastructure import der
from tests.sealing_world import World, another_intent, document

LEVELS = list(SignatureLevel)


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    return subprocess.run([path, *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module", params=list(Suite))
def world(request: pytest.FixtureRequest) -> World:
    return World(suite=request.param)


def context(world: World, **more: Any) -> ValidationContext:
    root = x509.Certificate.load(der(world.infrastructure.root))
    return ValidationContext(trust_roots=[root], moment=world.clock.now(), **more)


def statuses(world: World, content: bytes) -> list[PdfSignatureStatus]:
    reader = PdfFileReader(BytesIO(content))
    return [validate_pdf_signature(one, context(world)) for one in reader.embedded_regular_signatures]


@pytest.mark.parametrize("object_streams", [False, True])
@pytest.mark.parametrize("level", LEVELS)
def test_qpdf_finds_nothing_to_complain_about(
    world: World, level: SignatureLevel, object_streams: bool, tmp_path: Path
) -> None:
    path = tmp_path / "sealed.pdf"
    path.write_bytes(world.seal(document(pages=3, object_streams=object_streams), level=level).content)
    checked = run("qpdf", "--check", str(path))
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("level", LEVELS[:3])
def test_poppler_finds_the_signature_valid(world: World, level: SignatureLevel, tmp_path: Path) -> None:
    path = tmp_path / "sealed.pdf"
    path.write_bytes(world.seal(document(), level=level).content)
    said = run("pdfsig", "-nocert", str(path)).stdout
    assert said.count("Signature Validation: Signature is Valid.") == 1, said
    assert "ETSI.CAdES.detached" in said
    whole = level in LEVELS[:2]
    assert ("Total document signed" in said) is whole, "from B-LT on, a revision with validation data follows"


@pytest.mark.parametrize("level", LEVELS)
def test_pyhanko_finds_the_signature_valid_and_no_suspicious_change(world: World, level: SignatureLevel) -> None:
    (status,) = statuses(world, world.seal(document(), level=level).content)
    assert status.bottom_line, status.pretty_print_details()
    if level is not SignatureLevel.B_B:
        assert status.timestamp_validity is not None
        assert status.timestamp_validity.valid


@pytest.mark.parametrize("level", LEVELS[2:])
def test_the_security_store_holds_all_that_strict_validation_asks_for(world: World, level: SignatureLevel) -> None:
    """Nothing is fetched, only the root is trusted, and every certificate needs revocation data."""
    reader = PdfFileReader(BytesIO(world.seal(document(), level=level).content))
    (signature,) = reader.embedded_regular_signatures
    settings: dict[str, Any] = {
        "trust_roots": [x509.Certificate.load(der(world.infrastructure.root))],
        "moment": world.clock.now() + timedelta(minutes=10),
        "allow_fetching": False,
        "revocation_mode": "require",
    }
    with_store = DocumentSecurityStore.read_dss(reader).as_validation_context(settings)
    status = validate_pdf_signature(signature, with_store)
    assert status.bottom_line, status.pretty_print_details()
    without_store = validate_pdf_signature(signature, ValidationContext(**settings, ocsps=[], crls=[]))
    assert not without_store.bottom_line, "the store is what it takes"


def test_the_document_time_stamp_is_valid_and_covers_everything(world: World) -> None:
    reader = PdfFileReader(BytesIO(world.seal(document(), level=SignatureLevel.B_LTA).content))
    (stamp,) = reader.embedded_timestamp_signatures
    status = validate_pdf_timestamp(stamp, context(world))
    assert (status.valid, status.intact, status.trusted) == (True, True, True)
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("object_streams", [False, True])
def test_a_second_seal_leaves_the_first_valid(world: World, level: SignatureLevel, object_streams: bool) -> None:
    first = world.seal(document(pages=2, object_streams=object_streams), level=level)
    second = world.seal(first.content, Placement(page=1, x_mm=20, y_mm=30), level, intent=another_intent(2))
    assert second.content.startswith(first.content)
    found = statuses(world, second.content)
    assert len(found) == 2
    for status in found:
        assert status.bottom_line, status.pretty_print_details()


def test_the_reserved_room_is_little_more_than_needed(world: World) -> None:
    for level in LEVELS:
        world.seal(document(), level=level)  # so that the size of time-stamps is known
        (signature,) = PdfFileReader(BytesIO(world.seal(document(), level=level).content)).embedded_regular_signatures
        room = len(signature.pkcs7_content)
        assert room - len(signature.pkcs7_content.rstrip(b"\0")) <= 700

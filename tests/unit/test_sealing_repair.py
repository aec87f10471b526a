"""A damaged document is repaired before it is sealed: only when asked for, never where a signature is or was."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, String

from seal_service.domain.errors import (
    DocumentActiveContent,
    DocumentDamaged,
    DocumentEncrypted,
    DocumentOverLimit,
    DocumentUnsupported,
    SelfCheckFailed,
)
from seal_service.domain.use import SignatureLevel
from seal_service.formats.upload import upload_of
from seal_service.sealing.repair import RepairLimits, bears_signature, repair
from tests.sealing_world import INTENT, World, document

Damage = Callable[[bytes], bytes]


def _without_startxref(content: bytes) -> bytes:
    return content[: content.rindex(b"startxref")]


def _without_table(content: bytes) -> bytes:
    return content[: content.rindex(b"\nxref\n") + 1] + b"trailer\n<</Root 1 0 R>>\n"


def _wrong_offsets(content: bytes) -> bytes:
    at = content.rindex(b"startxref")
    return content[:at] + re.sub(rb"\d+", b"7", content[at:], count=1)


def _junk_before(content: bytes) -> bytes:
    return b"received by fax\n" + content


def _too_small_size(content: bytes) -> bytes:
    return re.sub(rb"/Size \d+", b"/Size 2", content)


DAMAGES: list[Damage] = [_without_startxref, _without_table, _wrong_offsets, _junk_before, _too_small_size]


def _signature_field(value: Dictionary | None) -> Callable[[pikepdf.Pdf], None]:
    def change(pdf: pikepdf.Pdf) -> None:
        field = Dictionary(FT=Name.Sig, T=String("a"))
        if value is not None:
            field.V = pdf.make_indirect(value)
        pdf.Root.AcroForm = Dictionary(Fields=Array([pdf.make_indirect(field)]))

    return change


def repaired(content: bytes, objects: int = 10_000) -> bytes:
    output = BytesIO()
    repair(content, RepairLimits(objects=objects), output)
    return output.getvalue()


def pages_of(content: bytes) -> int:
    with pikepdf.open(BytesIO(content), attempt_recovery=False) as pdf:
        return len(pdf.pages)


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_repair_must_be_asked_for_and_the_refusal_says_that_it_may_be(world: World, damage: Damage) -> None:
    with pytest.raises(DocumentDamaged, match="sent again with allow_repair") as refused:
        world.seal(damage(document()))
    assert refused.value.details["repairable"] is True


@pytest.mark.parametrize("level", list(SignatureLevel))
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_document_is_sealed_as_its_repair_when_asked_for(
    world: World, damage: Damage, level: SignatureLevel
) -> None:
    damaged = damage(document(pages=3, content=b"0 0 10 10 re f"))
    sealed = world.seal(damaged, level=level, allow_repair=True)
    assert sealed.repaired is not None
    assert sealed.repaired.content[:] == repaired(damaged)
    assert sealed.content.startswith(repaired(damaged))
    assert pages_of(sealed.content) == 3


def test_what_can_be_read_is_never_repaired(world: World) -> None:
    content = document()
    sealed = world.seal(content, allow_repair=True)
    assert sealed.repaired is None
    assert sealed.content.startswith(content)


@pytest.mark.parametrize("allow_repair", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_signed_document_is_never_repaired(world: World, damage: Damage, allow_repair: bool) -> None:
    signed = world.seal(document()).content
    with pytest.raises(DocumentDamaged, match="would break the signature") as refused:
        world.seal(damage(signed), allow_repair=allow_repair)
    assert refused.value.details == {"signed": True}


@given(st.lists(st.booleans(), min_size=9, max_size=9), st.booleans())
def test_a_signature_is_seen_however_its_names_are_written(escaped: list[bool], upper: bool) -> None:
    written = "".join(
        (f"#{ord(one):02X}" if upper else f"#{ord(one):02x}") if escape else one
        for one, escape in zip("ByteRange", escaped, strict=True)
    )
    assert bears_signature(b"<</%s [0 1 2 3]>>" % written.encode(), None)


@pytest.mark.parametrize(
    "trace",
    [
        b"/Type/Sig/X",
        b"/Type /Sig>>",
        b"/SigFlags 3",
        b"/SigFlags 1/Fields",
        b"/SubFilter/ETSI.CAdES.detached",
        b"/SubFilter /adbe.pkcs7.detached",
        b"/Perms<</UR3 5 0 R>>",
        b"/Perms<</DocMDP 5 0 R>>",
        b"/Type/DocTimeStamp",
    ],
)
def test_what_only_a_signature_leaves_is_seen(trace: bytes) -> None:
    assert bears_signature(b"%PDF-1.7 ... <<" + trace, None)


@pytest.mark.parametrize("harmless", [b"/Type/SigRef", b"/FT/Sig", b"/SigFlags 0", b"/SigFlags 2 /Fields", b"/Byte"])
def test_a_form_without_signatures_bears_none(harmless: bytes) -> None:
    assert not bears_signature(b"<<" + harmless + b">>", None)


def test_an_empty_signature_field_is_no_signature_and_a_filled_one_is(world: World) -> None:
    empty = _without_startxref(document(change=_signature_field(None)))
    assert world.seal(empty, allow_repair=True).repaired is not None
    filled = document(change=_signature_field(Dictionary(Note=String("no range of bytes"))), object_streams=True)
    assert not bears_signature(filled, None), "compressed, so that only the objects tell"
    with pytest.raises(DocumentDamaged, match="would break the signature"):
        world.seal(_junk_before(filled), allow_repair=True)


def test_a_signature_that_nothing_refers_to_any_more_is_seen() -> None:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.Root.Spare = pdf.make_indirect(Dictionary(ByteRange=Array([0, 1, 2, 3])))

    with pytest.raises(DocumentDamaged, match="would break the signature"):
        repaired(_junk_before(document(change=change, object_streams=True)))


def test_an_encrypted_document_stays_encrypted_and_refused(world: World) -> None:
    with pikepdf.open(BytesIO(document())) as pdf:
        out = BytesIO()
        pdf.save(out, encryption=pikepdf.Encryption(owner="owner", user=""))
    with pytest.raises(DocumentEncrypted):
        world.seal(_wrong_offsets(out.getvalue()), allow_repair=True)


def test_a_document_is_admitted_by_what_its_repair_holds(world: World) -> None:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))

    with pytest.raises(DocumentActiveContent):
        world.seal(_without_startxref(document(change=change)), allow_repair=True)


def test_a_document_that_counts_pages_which_cannot_be_found_is_beyond_repair(world: World) -> None:
    damaged = _without_startxref(document(pages=3)).replace(b"/Count 3", b"/Count 4")
    with pytest.raises(DocumentDamaged, match="beyond repair") as refused:
        world.seal(damaged, allow_repair=True)
    assert "3 of its pages" in str(refused.value.details["cause"])


def _cut(content: bytes, name: bytes) -> bytes:
    """Without what follows the first half of an object, but with a trailer."""
    at = content.index(name)
    end = content.index(b"endobj", at)
    return content[: (at + end) // 2] + b"\nendstream\nendobj\ntrailer\n<</Root 1 0 R>>\n"


@pytest.mark.parametrize(
    "lost", [b"\n6 0 obj", b"\n5 0 obj"], ids=["half of the last", "the last and half of the other"]
)
def test_a_page_whose_content_is_cut_or_lost_is_beyond_repair(world: World, lost: bytes) -> None:
    whole = document(pages=2, content=random.Random(7).randbytes(2000))
    assert world.seal(_without_table(whole), allow_repair=True).repaired is not None
    with pytest.raises(DocumentDamaged, match="beyond repair") as refused:
        world.seal(_cut(whole, lost), allow_repair=True)
    assert "content of" in str(refused.value.details["cause"])


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_page_that_never_had_content_is_no_loss(world: World, damage: Damage) -> None:
    def change(pdf: pikepdf.Pdf) -> None:
        del pdf.pages[1].obj["/Contents"]

    damaged = damage(document(pages=3, content=b"0 g", change=change))
    assert world.seal(damaged, allow_repair=True).repaired is not None


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", b"%PDF-1.7\n" + b"1 0 obj\n" * 100, document()[:200]])
def test_what_cannot_be_repaired_is_damaged_beyond_repair(world: World, content: bytes) -> None:
    with pytest.raises(DocumentDamaged, match="beyond repair"):
        world.seal(content, allow_repair=True)


def test_what_is_no_pdf_is_not_repaired(world: World) -> None:
    with pytest.raises(DocumentUnsupported):
        world.seal(b"not a PDF " * 200, allow_repair=True)


def test_a_repair_keeps_to_the_limit_of_objects() -> None:
    with pytest.raises(DocumentOverLimit):
        repaired(_without_startxref(document(pages=20)), objects=10)


def test_the_repaired_document_must_keep_to_the_limit_of_bytes(world: World) -> None:
    damaged = _without_table(document(pages=3))
    limits = replace(world.limits, bytes=len(damaged))
    assert len(repaired(damaged)) > len(damaged)
    with pytest.raises(DocumentOverLimit):
        World(limits=limits).seal(damaged, allow_repair=True)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_repair_has_one_result(damage: Damage) -> None:
    content = damage(document(pages=2, object_streams=damage in (_without_startxref, _wrong_offsets)))
    assert repaired(content) == repaired(content)


def test_our_own_check_refuses_a_repair_of_another_document_and_one_that_nobody_asked_for(world: World) -> None:
    original, other = (upload_of(_without_startxref(document(content=mark))) for mark in (b"0 g", b"1 g"))
    permit = world.permit(original, allow_repair=True)
    sealed = world.sealer.seal(original, permit, INTENT)
    world.sealer.check(original, sealed, permit, INTENT)
    with pytest.raises(SelfCheckFailed, match="not the repair of the original"):
        world.sealer.check(other, sealed, world.permit(other, allow_repair=True), INTENT)
    with pytest.raises(SelfCheckFailed):
        world.sealer.check(original, replace(sealed, repaired=None), permit, INTENT)
    with pytest.raises(DocumentDamaged):
        world.sealer.check(original, sealed, world.permit(original), INTENT)

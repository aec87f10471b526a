"""Metadata that are no XMP, appearances that are direct dictionaries: no reason to doubt a document, no way around."""

from __future__ import annotations

import io
from typing import Any

import pikepdf
import pytest
from pyhanko.pdf_utils.generic import pdf_name

from seal_service.domain.content import ContentKind
from seal_service.domain.use import SignatureLevel
from seal_service.domain.verdict import Indication, Modifications, SubIndication
from tests import hostile_bytes
from tests.hostile_bytes import appended, stream
from tests.sealing_world import World, another_intent
from tests.signed_pdfs import document, only, sign, update, verify
from tests.strangers_files import verify as verify_sealed

NOT_XMP = b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>"
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + NOT_XMP + b"</x:xmpmeta>"


def metadata(value: bytes) -> bytes:
    return stream(value, b"/Type/Metadata/Subtype/XML")


def with_metadata(value: bytes) -> bytes:
    return hostile_bytes.document(metadata(value), root=b"/Metadata 4 0 R")


def with_states(content: bytes) -> bytes:
    """A check box whose appearances are in a direct dictionary of states, and that has no /AS."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        drawn = [
            pdf.make_indirect(pikepdf.Stream(pdf, text, Subtype=pikepdf.Name.Form, BBox=[0, 0, 9, 9]))
            for text in (b"0 0 9 9 re f", b"0 0 9 9 re S")
        ]
        box = pdf.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Widget,
                FT=pikepdf.Name.Btn,
                T="paid",
                Rect=[100, 100, 109, 109],
                AP=pikepdf.Dictionary(N=pikepdf.Dictionary(On=drawn[0], Off=drawn[1])),
            )
        )
        pdf.pages[0].Annots = pdf.make_indirect(pikepdf.Array([box]))
        pdf.Root.AcroForm = pdf.make_indirect(pikepdf.Dictionary(Fields=pikepdf.Array([box]), SigFlags=3))
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True)
    return out.getvalue()


def box_of(writer: Any) -> Any:
    return next(one.get_object() for one in writer.root["/AcroForm"]["/Fields"] if one.get_object().get("/T") == "paid")


def draw_the_state_in_place(writer: Any) -> None:
    stream = box_of(writer)["/AP"]["/N"]["/Off"]
    stream._data, stream._encoded_data = b"0 0 9 9 re f", None
    writer.update_container(stream)


def tick(writer: Any) -> None:
    box = box_of(writer)
    box[pdf_name("/V")] = pdf_name("/On")
    writer.update_container(box)


@pytest.fixture(scope="module")
def world() -> World:
    return World(permitted_content=frozenset(ContentKind), width_mm=20, height_mm=20)


@pytest.mark.parametrize("content", [with_metadata(NOT_XMP), with_states(document())], ids=["metadata", "states"])
@pytest.mark.parametrize("level", list(SignatureLevel))
def test_what_was_peculiar_before_it_was_sealed_is_no_change(
    world: World, content: bytes, level: SignatureLevel
) -> None:
    """Validation data and a second seal are revisions that leave the peculiar object alone."""
    once = world.seal(content, level=level).content
    twice = world.seal(once, level=level, intent=another_intent(2)).content
    for sealed in (once, twice):
        report = verify_sealed(world, sealed)
        assert {one.indication for one in report.signatures} == {Indication.TOTAL_PASSED}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (NOT_XMP, XMP, Modifications.CHANGED),
        (XMP, NOT_XMP, Modifications.CHANGED),
        (NOT_XMP, NOT_XMP + b" ", Modifications.CHANGED),
        (XMP, XMP + b" ", Modifications.ALLOWED),
    ],
)
def test_a_revision_that_writes_metadata_must_find_and_leave_xmp(
    world: World, before: bytes, after: bytes, expected: Modifications
) -> None:
    content = appended(world.seal(with_metadata(before)).content, {4: metadata(after)})
    assert only(verify_sealed(world, content)).modifications is expected


def test_an_appearance_of_a_state_is_not_replaced_in_its_place() -> None:
    one = only(verify(update(sign(with_states(document())), draw_the_state_in_place)))
    assert (one.modifications, one.sub_indication) == (Modifications.CHANGED, SubIndication.DOCUMENT_CHANGED)


def test_such_a_box_may_be_ticked() -> None:
    assert only(verify(update(sign(with_states(document())), tick))).modifications is Modifications.ALLOWED

"""Which documents are refused, each with its own error."""

from __future__ import annotations

import contextlib
import re
import time
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name, Pdf, String
from pydantic import ValidationError

from seal_service.config import Settings
from seal_service.domain.content import ContentKind
from seal_service.domain.errors import (
    DocumentActiveContent,
    DocumentCertified,
    DocumentDamaged,
    DocumentEncrypted,
    DocumentHiddenContent,
    DocumentOverLimit,
    DocumentUnsupported,
    DocumentXfa,
    InvalidPlacement,
    SealServiceError,
)
from seal_service.formats.upload import upload_of
from seal_service.sealing.admission import DocumentFacts, DocumentLimits
from seal_service.sealing.facts import read_document
from seal_service.sealing.sealer import SealerByContent
from tests.sealing_world import INTENT, LIMITS, World, document

Change = Callable[[Pdf], None]


def _read(content: bytes, page: int, limits: DocumentLimits) -> DocumentFacts:
    with read_document(content, page, limits) as read:
        return read.facts


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def _action(**entries: Any) -> Dictionary:
    return Dictionary(**entries)


def _open_action(action: Dictionary) -> Change:
    def change(pdf: Pdf) -> None:
        pdf.Root.OpenAction = action

    return change


def _annotation(**entries: Any) -> Change:
    def change(pdf: Pdf) -> None:
        entries.setdefault("Rect", Array([0, 0, 10, 10]))
        annotation = pdf.make_indirect(Dictionary(Type=Name.Annot, **entries))
        pdf.pages[0].obj.Annots = Array([annotation])

    return change


def _script_tree(pdf: Pdf) -> None:
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([])))


def _script_stream(pdf: Pdf) -> None:
    script = pdf.make_stream(b"app.alert(1)")
    pdf.pages[0].obj.AA = Dictionary(O=Dictionary(S=Name.JavaScript, JS=script))


def _form_field(pdf: Pdf) -> None:
    field = Dictionary(FT=Name.Tx, T=String("a"), AA=Dictionary(K=Dictionary(S=Name.JavaScript, JS=String("1"))))
    pdf.Root.AcroForm = Dictionary(Fields=Array([pdf.make_indirect(field)]))


def _external_stream(pdf: Pdf) -> None:
    stream = pdf.make_stream(b"")
    stream.F = String("elsewhere.bin")
    pdf.pages[0].obj.Contents = stream


def _reference_object(pdf: Pdf) -> None:
    form = pdf.make_stream(b"", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 1, 1]))
    form.Ref = Dictionary(F=String("other.pdf"), Page=0)
    pdf.pages[0].obj.Resources = Dictionary(XObject=Dictionary(A=form))


def _movie(pdf: Pdf) -> None:
    _annotation(Subtype=Name.Movie, Movie=Dictionary(F=String("film.avi"), Poster=True))(pdf)


def _link_on_open(pdf: Pdf) -> None:
    further = Dictionary(S=Name.URI, URI=String("http://example.com"))
    pdf.Root.OpenAction = Dictionary(S=Name.GoTo, D=Array([]), Next=Array([further]))


ACTIVE: dict[str, tuple[Change, ContentKind]] = {
    "a script when opened": (_open_action(_action(S=Name.JavaScript, JS=String("1"))), ContentKind.JAVASCRIPT),
    "a tree of scripts": (_script_tree, ContentKind.JAVASCRIPT),
    "a script of a page, in a stream": (_script_stream, ContentKind.JAVASCRIPT),
    "a script of a field": (_form_field, ContentKind.JAVASCRIPT),
    "a rendition with a script": (
        _annotation(Subtype=Name.Screen, A=_action(S=Name.Rendition, JS=String("1"))),
        ContentKind.JAVASCRIPT,
    ),
    "rich media": (_annotation(Subtype=Name.RichMedia), ContentKind.JAVASCRIPT),
    "a launch action": (
        _annotation(Subtype=Name.Link, A=_action(S=Name.Launch, F=String("x.exe"))),
        ContentKind.LAUNCH,
    ),
    "a remote go-to": (
        _annotation(Subtype=Name.Link, A=_action(S=Name.GoToR, F=String("a.pdf"))),
        ContentKind.EXTERNAL,
    ),
    "an embedded go-to elsewhere": (
        _annotation(Subtype=Name.Link, A=_action(S=Name.GoToE, F=String("a"))),
        ContentKind.EXTERNAL,
    ),
    "a form submission": (
        _annotation(Subtype=Name.Link, A=_action(S=Name.SubmitForm, F=String("u"))),
        ContentKind.EXTERNAL,
    ),
    "a data import": (
        _annotation(Subtype=Name.Link, A=_action(S=Name.ImportData, F=String("u"))),
        ContentKind.EXTERNAL,
    ),
    "an external stream": (_external_stream, ContentKind.EXTERNAL),
    "a reference XObject": (_reference_object, ContentKind.EXTERNAL),
    "an external movie": (_movie, ContentKind.EXTERNAL),
    "a link followed when opened": (_link_on_open, ContentKind.EXTERNAL),
}


@pytest.mark.parametrize("object_streams", [False, True])
@pytest.mark.parametrize("case", list(ACTIVE))
def test_active_content_is_refused_by_kind_unless_permitted(world: World, case: str, object_streams: bool) -> None:
    change, kind = ACTIVE[case]
    content = document(change=change, object_streams=object_streams)
    with pytest.raises(DocumentActiveContent) as refused:
        world.seal(content)
    assert refused.value.details["kinds"] == [kind]
    assert World(permitted_content=frozenset({kind})).seal(content).content.startswith(content)


def test_a_kind_that_there_is_not_cannot_be_permitted() -> None:
    assert Settings.model_validate({"permitted_content": ["launch"]}).permitted_content == {ContentKind.LAUNCH}
    with pytest.raises(ValidationError):
        Settings.model_validate({"permitted_content": ["java_script"]})


def test_a_name_written_with_escapes_is_the_same_name(world: World) -> None:
    content = document(change=_open_action(_action(S=Name.Rendition, JSxx=String("1"))))
    world.seal(content)
    escaped = content.replace(b"/JSxx", b"/J#53")
    assert escaped != content
    with pytest.raises(DocumentActiveContent):
        world.seal(escaped)


def test_an_object_that_nothing_refers_to_counts_as_well(world: World) -> None:
    def change(pdf: Pdf) -> None:
        pdf.Root.PieceInfo = Dictionary(Held=pdf.make_indirect(Dictionary(S=Name.Launch, F=String("x.exe"))))

    content = document(change=change)
    orphaned = re.sub(rb"/Held \d+ 0 R", lambda found: b"/Held 1".ljust(len(found[0])), content)
    assert orphaned != content
    with pytest.raises(DocumentActiveContent):
        world.seal(orphaned)


def _plain_link(pdf: Pdf) -> None:
    _annotation(Subtype=Name.Link, A=_action(S=Name.URI, URI=String("https://example.com")))(pdf)


def _attachment(pdf: Pdf) -> None:
    embedded = pdf.make_stream(b"data", Type=Name.EmbeddedFile)
    file = Dictionary(Type=Name.Filespec, F=String("a.txt"), UF=String("a.txt"), EF=Dictionary(F=embedded))
    pdf.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=Array([String("a"), pdf.make_indirect(file)])))


def _talks_of_scripts(pdf: Pdf) -> None:
    _annotation(Subtype=Name.Text, Contents=String("/JavaScript /JS /Launch (not) <</S/Launch>>"))(pdf)


@pytest.mark.parametrize("change", [_plain_link, _attachment, _talks_of_scripts])
def test_ordinary_links_attachments_and_words_are_no_active_content(world: World, change: Change) -> None:
    world.seal(document(change=change))


def _layers(default: Dictionary, usage: Dictionary | None = None) -> Change:
    def change(pdf: Pdf) -> None:
        group = Dictionary(Type=Name.OCG, Name=String("layer"))
        if usage is not None:
            group.Usage = usage
        layer = pdf.make_indirect(group)
        own = Dictionary(dict(default.items()))
        for key in ("/OFF", "/ON"):
            if key in own:
                own[key] = Array([layer])
        if "/AS" in own:
            own.AS = Array([Dictionary(Event=Name.Print, Category=Array([Name.Print]), OCGs=Array([layer]))])
        pdf.Root.OCProperties = Dictionary(OCGs=Array([layer]), D=own)

    return change


def _membership(pdf: Pdf) -> None:
    _layers(Dictionary())(pdf)
    layers = pdf.Root.OCProperties.OCGs
    member = Dictionary(Type=Name.OCMD, OCGs=layers, P=Name.AllOff)
    pdf.pages[0].obj.Resources = Dictionary(Properties=Dictionary(M=pdf.make_indirect(member)))


HIDDEN: dict[str, Change] = {
    "a layer that is off": _layers(Dictionary(OFF=Array([]))),
    "all layers off": _layers(Dictionary(BaseState=Name.OFF)),
    "a layer not printed": _layers(Dictionary(AS=Array([])), Dictionary(Print=Dictionary(PrintState=Name.OFF))),
    "content shown when a layer is off": _membership,
    "an action that switches layers": _annotation(Subtype=Name.Link, A=_action(S=Name.SetOCGState, State=Array([]))),
}


@pytest.mark.parametrize("case", list(HIDDEN))
def test_hidden_layers_are_refused_unless_permitted(world: World, case: str) -> None:
    content = document(change=HIDDEN[case])
    with pytest.raises(DocumentHiddenContent):
        world.seal(content)
    World(permitted_content=frozenset({ContentKind.HIDDEN_LAYERS})).seal(content)


def test_layers_that_are_on_are_no_hidden_content(world: World) -> None:
    world.seal(document(change=_layers(Dictionary(ON=Array([])))))


def test_what_is_no_pdf_is_unsupported_whatever_its_name(world: World) -> None:
    for content in (b"", b"PK\x03\x04", b"%PDX-1.7\n", b"x" * 2000 + b"%PDF-1.7\n"):
        upload = upload_of(content, "letter.pdf")
        with pytest.raises(DocumentUnsupported):
            world.sealer.prepare(upload, world.permit(upload), INTENT)
        with pytest.raises(DocumentUnsupported):
            SealerByContent(world.sealer).seal(upload, world.permit(upload), INTENT)


@pytest.mark.parametrize("user", ["", "secret"])
def test_encrypted_documents_are_refused_even_if_they_open_without_a_password(world: World, user: str) -> None:
    out = BytesIO()
    with pikepdf.open(BytesIO(document())) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="owner", user=user))
    with pytest.raises(DocumentEncrypted):
        world.seal(out.getvalue())


def test_xfa_is_refused(world: World) -> None:
    def change(pdf: Pdf) -> None:
        pdf.Root.AcroForm = Dictionary(Fields=Array([]), XFA=pdf.make_stream(b"<xdp/>"))

    with pytest.raises(DocumentXfa):
        world.seal(document(change=change))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda pdf: b"\n" + pdf,
        lambda pdf: pdf[: len(pdf) // 2],
        lambda pdf: pdf.replace(b"startxref\n", b"startxref\n1"),
        lambda pdf: pdf.replace(b"/Size ", b"/Size 1%"),
        lambda pdf: pdf.replace(b"/MediaBox", b"/MediaBux"),
        lambda pdf: pdf.replace(b"xref\n0 ", b"xrxf\n0 "),
    ],
)
def test_damaged_documents_are_refused_and_not_repaired(world: World, spoil: Callable[[bytes], bytes]) -> None:
    content = document()
    assert spoil(content) != content
    with pytest.raises(DocumentDamaged):
        world.seal(spoil(content))


def test_limits_are_the_largest_that_is_allowed() -> None:
    content = document(pages=3)
    size = len(content)
    World(limits=DocumentLimits(bytes=size, pages=3, objects=100)).seal(content)
    for limits in (
        DocumentLimits(bytes=size - 1, pages=3, objects=100),
        DocumentLimits(bytes=size, pages=2, objects=100),
        DocumentLimits(bytes=size, pages=3, objects=4),
    ):
        with pytest.raises(DocumentOverLimit):
            World(limits=limits).seal(content)


def test_a_bomb_in_an_object_stream_is_refused_before_it_grows(world: World) -> None:
    content = document(object_streams=True)
    bomb = zlib.compress(b"4 0 5 2 " + b" " * 300_000_000, 9)
    out = content + b"\n99 0 obj\n<</Type/ObjStm/N 1/First 8/Filter/FlateDecode/Length %d>>stream\n" % len(bomb)
    start = len(content) + 1
    out += bomb + b"\nendstream\nendobj\n"
    table = b"".join(
        kind.to_bytes(1, "big") + first.to_bytes(4, "big") + second.to_bytes(2, "big")
        for kind, first, second in ((2, 99, 0), (1, start, 0), (1, len(out), 0))
    )
    previous = int(content.rsplit(b"startxref\n", 1)[1].split()[0])
    with pikepdf.open(BytesIO(content)) as pdf:
        root = pdf.Root.objgen[0]
    xref = len(out)
    out += (
        b"100 0 obj\n<</Type/XRef/Size 101/Root %d 0 R/Prev %d/W[1 4 2]/Index[98 3]/Length %d>>stream\n"
        % (root, previous, len(table))
        + table
        + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % xref
    )
    with pytest.raises(DocumentOverLimit) as refused:
        world.seal(out)
    assert refused.value.details["what"] == "compressed"


def _signed_field(value: Dictionary, **more: Any) -> Change:
    def change(pdf: Pdf) -> None:
        field = Dictionary(FT=Name.Sig, T=String("S1"), V=pdf.make_indirect(value), **more)
        pdf.Root.AcroForm = Dictionary(Fields=Array([pdf.make_indirect(field)]), SigFlags=3)

    return change


def _transform(method: Name, **parameters: Any) -> Dictionary:
    reference = Dictionary(TransformMethod=method, TransformParams=Dictionary(**parameters))
    return Dictionary(Type=Name.Sig, Reference=Array([reference]))


def _certified(pdf: Pdf) -> None:
    pdf.Root.Perms = Dictionary(DocMDP=pdf.make_indirect(_transform(Name.DocMDP, P=1)))


LOCKED: dict[str, Change] = {
    "certified, no changes": _certified,
    "a signature that permits no changes": _signed_field(_transform(Name.DocMDP, P=1)),
    "all fields locked": _signed_field(_transform(Name.FieldMDP, Action=Name.All)),
    "all fields but some locked": _signed_field(
        _transform(Name.FieldMDP, Action=Name.Exclude, Fields=Array([String("a")]))
    ),
    "a signed field's lock": _signed_field(Dictionary(Type=Name.Sig), Lock=Dictionary(Action=Name.All)),
}


@pytest.mark.parametrize("case", list(LOCKED))
def test_certified_or_locked_documents_are_refused(world: World, case: str) -> None:
    with pytest.raises(DocumentCertified):
        world.seal(document(change=LOCKED[case]))


@pytest.mark.parametrize(
    "change",
    [
        _signed_field(_transform(Name.DocMDP, P=2)),
        _signed_field(_transform(Name.FieldMDP, Action=Name.Include, Fields=Array([String("a")]))),
    ],
)
def test_certification_that_permits_signing_is_no_obstacle(world: World, change: Change) -> None:
    world.seal(document(change=change))


def test_a_page_that_is_not_there_is_refused(world: World) -> None:
    with pytest.raises(InvalidPlacement, match="2 pages"):
        _read(document(pages=2), 3, LIMITS)


PERMISSIVE = World(permitted_content=frozenset(ContentKind))
BASE = document(pages=2, change=_form_field, content=b"0 g 10 10 50 50 re f")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(BASE) - 1), st.integers(0, 255)), min_size=1, max_size=8),
    st.integers(0, len(BASE)),
)
def test_broken_bytes_are_sealed_rightly_or_refused_with_a_typed_error(
    changes: list[tuple[int, int]], length: int
) -> None:
    spoiled = bytearray(BASE)
    for position, value in changes:
        spoiled[position] = value
    content = bytes(spoiled if length % 2 else spoiled[:length])
    with contextlib.suppress(SealServiceError):
        assert PERMISSIVE.seal(content).content.startswith(content)


def _plain_document(objects: list[bytes]) -> bytes:
    """A page, and objects that nothing refers to."""
    bodies = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
        *objects,
    ]
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, start)
    return bytes(out)


OBJECTS = DocumentLimits(bytes=50 << 20, pages=5000, objects=100_010)


def test_a_hundred_thousand_annotations_are_read_in_bounded_time() -> None:
    """Some 1.5 s on a slow processor; the flags /F of an annotation are no reason to look into it."""
    content = _plain_document([b"<</Type/Annot/Subtype/Link/F 4/Rect[0 0 1 1]/Border[0 0 0]>>"] * 100_000)
    started = time.process_time()
    facts = _read(content, 1, OBJECTS)
    assert time.process_time() - started < 10
    assert (facts.objects, facts.active) == (100_003, frozenset())


WASTEFUL: dict[str, list[bytes]] = {
    "400,000 dictionaries in one object": [b"<</AA 1/K[" + b"<<>>" * 400_000 + b"]>>"],
    "one array of 400,000 numbers, started without a click by 300": [
        *[b"<</OpenAction 304 0 R>>"] * 300,
        b"[" + b"0 " * 400_000 + b"]",
    ],
    "one dictionary of triggers, held by 20,000": [
        *[b"<</AA 20004 0 R>>"] * 20_000,
        b"<<" + b"".join(b"/t%d 1 0 R" % number for number in range(2000)) + b">>",
    ],
    "one array of layers, used by 50,000 events": [
        b"<</Type/Catalog/Pages 2 0 R/OCProperties<</D<</AS[%b]>>>>>>" % (b"<</OCGs 5 0 R>>" * 50_000),
        b"[" + b"4 0 R " * 10_000 + b"]",
    ],
}


@pytest.mark.parametrize("case", list(WASTEFUL))
def test_what_would_be_read_again_and_again_is_over_the_limit_in_bounded_time(case: str) -> None:
    content = _plain_document(WASTEFUL[case])
    if b"OCProperties" in content:
        content = content.replace(b"/Root 1 0 R", b"/Root 4 0 R")
    started = time.process_time()
    with pytest.raises(DocumentOverLimit) as refused:
        _read(content, 1, OBJECTS)
    assert time.process_time() - started < 10
    assert refused.value.details == {"what": "values", "limit": 200_020}


def test_an_array_of_kids_that_fields_share_is_damage_in_bounded_time() -> None:
    content = _plain_document(
        [
            b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields 6 0 R>>>>",
            b"<</T(a)/Kids 6 0 R>>",
            b"[" + b"5 0 R " * 90_000 + b"]",
        ]
    ).replace(b"/Root 1 0 R", b"/Root 4 0 R")
    started = time.process_time()
    with pytest.raises(DocumentDamaged) as refused:
        _read(content, 1, OBJECTS)
    assert time.process_time() - started < 10
    assert "field tree" in str(refused.value.details["cause"])

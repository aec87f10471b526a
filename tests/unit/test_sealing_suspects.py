"""可疑对象: looking at bytes finds every object that reading all of them finds."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seal_service.domain.content import ContentKind
from seal_service.domain.errors import DocumentDamaged
from seal_service.formats.pdf import open_pdf
from seal_service.sealing.active_content import kinds_in
from seal_service.sealing.counted_values import CountedValues
from seal_service.sealing.suspects import Suspects

CORPORA = os.environ.get("SEAL_TEST_CORPORA")


def _file(
    objects: dict[int, bytes], offsets: dict[int, bytes] | None = None, beginning: bytes = b"%PDF-1.7\n"
) -> bytes:
    """A document of these objects; `offsets`: further ones, and the bytes at which they are said to begin."""
    out = bytearray(beginning)
    table: dict[int, int] = {}
    for number, value in objects.items():
        table[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, value)
    for number, first in (offsets or {}).items():
        table[number] = out.index(first)
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, offset in sorted(table.items()):
        out += b"%d 1\n%010d 00000 n \n" % (number, offset)
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (max(table) + 1, start)
    return bytes(out)


def _by_bytes(content: bytes) -> set[ContentKind]:
    with open_pdf(content) as pdf:
        values, found = CountedValues(1_000_000), set[ContentKind]()
        for identity in Suspects(pdf, content, pdf.get_xref_table(), 1 << 24).identities():
            one = pdf.get_object(identity)
            if isinstance(one, pikepdf.Object):
                found |= kinds_in(one, values)
        return found


def _by_reading(content: bytes) -> set[ContentKind]:
    with open_pdf(content) as pdf:
        values = CountedValues(10_000_000)
        return {kind for one in pdf.objects if isinstance(one, pikepdf.Object) for kind in kinds_in(one, values)}


_CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
_PAGES = b"<</Type/Pages/Kids[3 0 R]/Count 1>>"
_PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>"
_SCRIPT = b"/S/JavaScript/JS(1)"

HIDING: dict[str, tuple[dict[int, bytes], dict[int, bytes]]] = {
    "plainly": ({4: b"<<%s>>" % _SCRIPT}, {}),
    "by an escape": ({4: b"<</S/JavaScrip#74/J#53(1)>>"}, {}),
    "after an end in a string": ({4: b"<</A(endobj)%s>>" % _SCRIPT}, {}),
    "after an end in a string within a string": ({4: b"<</A(a(b(endobj)c)d)%s>>" % _SCRIPT}, {}),
    "after an end in an escaped string": ({4: rb"<</A(\)endobj)%s>>" % _SCRIPT}, {}),
    "after an end in a comment": ({4: b"<<%% endobj\n%s>>" % _SCRIPT}, {}),
    "after a comment with a parenthesis": ({4: b"<<%% (\n/A(endobj)%s>>" % _SCRIPT}, {}),
    "behind a name that is an end": ({4: b"<</endobj 1%s>>" % _SCRIPT}, {}),
    "behind a name that ends like one": ({4: b"<</A/Bendobj%s>>" % _SCRIPT}, {}),
    "behind a name that begins the data of a stream": ({4: b"<</stream 1%s>>" % _SCRIPT}, {}),
    "behind an end in a dictionary": ({4: b"<</A(>>) endobj%s>>" % _SCRIPT}, {}),
    "behind an end in an array": ({4: b"<</A[endobj]%s>>" % _SCRIPT}, {}),
    "behind an end and hexadecimal strings": ({4: b"<</A<28>/B<29> endobj%s/C<3e3e>>>" % _SCRIPT}, {}),
    "behind an object in a string": ({4: b"<</A(\n5 0 obj\n<</B 1>>\nendobj\n)%s>>" % _SCRIPT}, {5: b"5 0 obj"}),
    "in the data of a stream in a string": (
        {4: b"<</A(\n5 0 obj\n<</Length 60>>\nstream\n)%s>>%s\nendstream\n" % (_SCRIPT, b" " * 60)},
        {5: b"5 0 obj"},
    ),
    "behind the word stream": ({4: b"<</A/Bitstream\n%s>>" % _SCRIPT}, {}),
    "in the dictionary of a stream": ({4: b"<</Length 1%s>>\nstream\nx\nendstream" % _SCRIPT}, {}),
    "far behind": ({4: b"<</A(%s)%s>>" % (b"x" * 100_000, _SCRIPT)}, {}),
}


@pytest.mark.parametrize("objects", [0, 400])
@pytest.mark.parametrize("where", list(HIDING))
def test_a_script_is_found_wherever_it_hides(where: str, objects: int) -> None:
    """Alone, and among so many small objects that the file is searched as a whole first."""
    hidden, offsets = HIDING[where]
    others = dict.fromkeys(range(10, 10 + objects), b"<</A 1>>")
    content = _file({1: _CATALOG, 2: _PAGES, 3: _PAGE, **hidden, **others}, offsets)
    assert _by_reading(content) == {ContentKind.JAVASCRIPT}, "the case is one"
    assert _by_bytes(content) == {ContentKind.JAVASCRIPT}
    commented = _file({1: _CATALOG, 2: _PAGES, 3: _PAGE, **hidden, **others}, offsets, b"%PDF-1.7\n% /JS\n")
    assert _by_bytes(commented) == {ContentKind.JAVASCRIPT}


def test_a_script_in_an_object_stream_is_found() -> None:
    pdf = pikepdf.open(io.BytesIO(_file({1: _CATALOG, 2: _PAGES, 3: _PAGE, 4: b"<<%s>>" % _SCRIPT})))
    pdf.Root.Held = pdf.get_object((4, 0))
    out = io.BytesIO()
    pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert b"JavaScript" not in out.getvalue()
    assert _by_bytes(out.getvalue()) == {ContentKind.JAVASCRIPT}


def test_words_and_the_data_of_streams_make_nothing_suspect() -> None:
    quiet = {4: b"<</Length 30>>\nstream\n/JS /JavaScript /Launch (    \nendstream", 5: b"<</F 4/A(endobj)/B[(x)]>>"}
    content = _file({1: _CATALOG, 2: _PAGES, 3: _PAGE, **quiet})
    with open_pdf(content) as pdf:
        assert set(Suspects(pdf, content, pdf.get_xref_table(), 1000).identities()) <= {(4, 0), (5, 0)}
    assert _by_bytes(content) == set()


def test_in_a_file_without_any_such_name_nothing_is_read() -> None:
    stream = {4: b"<</Length 3>>\nstream\n(((\nendstream"}
    quiet = {number: b"<</F 4/A(%d)>>" % number for number in range(5, 300)}
    content = _file({1: _CATALOG, 2: _PAGES, 3: _PAGE, **stream, **quiet})
    with open_pdf(content) as pdf:
        assert list(Suspects(pdf, content, pdf.get_xref_table(), 1000).identities()) == []


OUTSIDE = {
    "the data of a stream": b"<</Length 1/F 5 0 R>>\nstream\nx\nendstream",
    "a movie": b"<</F 5 0 R/Aspect[1 1]>>",
    "a file that is named": b"<</Type/F/F 5 0 R>>",
    "a destination elsewhere": b"<</S/GoToE/F 5 0 R>>",
}


@pytest.mark.parametrize("objects", [0, 400])
@pytest.mark.parametrize("what", list(OUTSIDE))
def test_what_refers_to_the_name_of_a_file_is_found_among_fonts_that_are_called_so(what: str, objects: int) -> None:
    others = {
        4: OUTSIDE[what],
        5: b"(elsewhere.bin)",
        **dict.fromkeys(range(10, 10 + objects), b"<</Font<</F 6 0 R>>>>"),
    }
    content = _file({1: _CATALOG, 2: _PAGES, 3: _PAGE, **others, 6: b"<</Type/Font>>"})
    assert _by_reading(content) == {ContentKind.EXTERNAL}
    assert _by_bytes(content) == {ContentKind.EXTERNAL}
    with open_pdf(content) as pdf:
        assert set(Suspects(pdf, content, pdf.get_xref_table(), 1000).identities()) == {(4, 0)}


_PARTS = [*b"( ) << >> < > [ ] % \\ endobj stream obj /A 41".split(), b"\n", b" "]
_parts = st.lists(st.sampled_from(_PARTS), max_size=10).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(_parts, _parts, st.sampled_from([0, 60]))
def test_whatever_stands_around_a_script_it_is_found_if_reading_finds_it(
    before: bytes, after: bytes, objects: int
) -> None:
    hidden = {4: b"<<%s%s%s>>" % (before, _SCRIPT, after)}
    others = dict.fromkeys(range(10, 10 + objects), b"<</A 1>>")
    content = _file({1: _CATALOG, 2: _PAGES, 3: _PAGE, **hidden, **others})
    assert _by_bytes(content) >= _by_reading(content)


def test_an_object_that_is_elsewhere_than_said_is_damage() -> None:
    content = _file({1: _CATALOG, 2: _PAGES, 3: _PAGE}, {4: b"<</Type/Page/"})
    with pytest.raises(DocumentDamaged):
        _by_bytes(content)


@pytest.mark.skipif(CORPORA is None, reason="SEAL_TEST_CORPORA names no real files")
def test_in_real_files_bytes_tell_what_reading_tells() -> None:
    compared = 0
    for path in sorted(Path(str(CORPORA), "pdf").rglob("*.pdf")):
        content = path.read_bytes()
        try:
            read = _by_reading(content)
        except Exception:
            continue
        try:
            told = _by_bytes(content)
        except DocumentDamaged:
            continue
        assert told == read, path.name
        compared += 1
    assert compared > 100

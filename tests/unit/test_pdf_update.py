"""增量更新: what is appended is read back by a parser that did not write it, whatever form the document has."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seal_service.formats.pdf import PdfStructureError, open_pdf
from seal_service.formats.pdf_update import PdfUpdate, array, dictionary, entries_of, octets, reference, stream, text

FORMS = {
    "a table": pikepdf.ObjectStreamMode.disable,
    "a stream": pikepdf.ObjectStreamMode.generate,
}


def _document(mode: pikepdf.ObjectStreamMode, pages: int = 2) -> bytes:
    pdf = pikepdf.new()
    for _ in range(pages):
        pdf.add_blank_page(page_size=(595, 842))
    out = io.BytesIO()
    pdf.save(out, object_stream_mode=mode, deterministic_id=True)
    return out.getvalue()


def _updated(content: bytes, appended: bytes, key: str, value: bytes) -> bytes:
    """With one more revision, in which the catalog has one more entry."""
    with open_pdf(content, appended) as pdf:
        update = PdfUpdate(pdf, content, appended)
        new = update.add(value)
        update.set(pdf.Root.objgen, dictionary(entries_of(pdf.Root) | {key: reference(new)}))
        return appended + bytes(update.write().appended)


@pytest.mark.parametrize("form", list(FORMS))
def test_revision_after_revision_is_read_back(form: str, tmp_path: Path) -> None:
    content, appended = _document(FORMS[form]), b""
    for count in range(4):
        appended = _updated(content, appended, f"/Own{count}", text(f"第 {count} 次"))
    whole = content + appended
    with pikepdf.open(io.BytesIO(whole), attempt_recovery=False) as pdf:
        assert [str(pdf.Root[f"/Own{count}"]) for count in range(4)] == [f"第 {count} 次" for count in range(4)]
        assert len(pdf.pages) == 2
        assert pdf.get_warnings() == []
    assert (b"\nxref\n" in appended) is (form == "a table")
    qpdf = shutil.which("qpdf")
    if qpdf is not None:
        path = tmp_path / "updated.pdf"
        path.write_bytes(whole)
        assert subprocess.run([qpdf, "--check", str(path)], capture_output=True, check=False).returncode == 0


def test_the_identifier_keeps_its_first_part_and_changes_its_second() -> None:
    content = _document(FORMS["a table"])
    once = _updated(content, b"", "/A", b"1")
    twice = _updated(content, once, "/B", b"2")
    found = []
    for appended in (b"", once, twice):
        with open_pdf(content, appended) as pdf:
            found.append([bytes(part) for part in pdf.trailer.ID])
    assert len({first for first, _ in found}) == 1
    assert len({second for _, second in found}) == 3


def test_a_generation_number_is_kept() -> None:
    content = _document(FORMS["a table"])
    moved = content.replace(b"2 0 obj", b"2 5 obj").replace(b"2 0 R", b"2 5 R")
    at = moved.index(b"2 5 obj")
    moved = moved.replace(b"%010d 00000 n" % at, b"%010d 00005 n" % at)
    with open_pdf(moved) as pdf:
        update = PdfUpdate(pdf, moved)
        update.set((2, 5), dictionary(entries_of(pdf.get_object((2, 5))) | {"/Own": b"true"}))
        appended = bytes(update.write().appended)
    with open_pdf(moved, appended) as pdf:
        assert pdf.get_object((2, 5)).get("/Own") == True  # noqa: E712


def test_a_document_larger_than_what_is_copied_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seal_service.formats.pdf._SMALL", 0)
    content = _document(FORMS["a stream"])
    copied = _updated(content, b"", "/A", octets(b"x"))
    monkeypatch.setattr("seal_service.formats.pdf._COPIED", 0)
    in_pieces = _updated(content, b"", "/A", octets(b"x"))
    assert copied == in_pieces
    with open_pdf(content, in_pieces) as pdf:
        assert bytes(pdf.Root.A) == b"x"


def test_an_end_without_startxref_is_not_written_to() -> None:
    content = _document(FORMS["a table"])
    with open_pdf(content) as pdf, pytest.raises(PdfStructureError):
        PdfUpdate(pdf, content[:-100] + b" " * 5000)


_names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20).map(lambda one: "/" + one)
_values: st.SearchStrategy[object] = st.recursive(
    st.booleans() | st.integers(-(2**31), 2**31) | st.binary(max_size=40) | _names,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=12,
)


def _pikepdf(value: Any) -> Any:
    match value:
        case bytes():
            return pikepdf.String(value)
        case str():
            return pikepdf.Name(value)
        case list():
            return pikepdf.Array([_pikepdf(one) for one in value])
        case dict():
            return pikepdf.Dictionary({key: _pikepdf(one) for key, one in value.items()})
    return value


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_names.filter(lambda one: one != "/Type"), _values, max_size=5), st.sampled_from(list(FORMS)))
def test_a_dictionary_of_any_values_survives_being_changed(held: dict[str, object], form: str) -> None:
    pdf = pikepdf.open(io.BytesIO(_document(FORMS[form])))
    pdf.Root.Own = pdf.make_indirect(_pikepdf(held))
    out = io.BytesIO()
    pdf.save(out, object_stream_mode=FORMS[form])
    content = out.getvalue()
    with open_pdf(content) as before:
        own = before.Root.Own
        update = PdfUpdate(before, content)
        packed = update.add(stream({"/Kind": b"/Test"}, b"data"))
        update.set(own.objgen, dictionary(entries_of(own) | {"/Added": array([reference(packed)])}))
        appended = bytes(update.write().appended)
        with open_pdf(content, appended) as after:
            entries = dict(after.Root.Own.items())
            assert entries.pop("/Added")[0].read_raw_bytes() == b"data"
            assert set(entries) == set(dict(own.items())) - {"/Added"}
            for key, value in dict(own.items()).items():
                if key != "/Added":
                    assert _plain(entries[key]) == _plain(value)


def _plain(value: object) -> object:
    return value.unparse(resolved=True) if isinstance(value, pikepdf.Object) else value

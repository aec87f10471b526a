"""What was changed after sealing is found: bit by bit, by appended revisions, by tricks with ByteRange and Contents."""

from __future__ import annotations

import io
import random
import re
from typing import Any

import pikepdf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.sign.fields import FieldMDPAction, FieldMDPSpec, MDPPerm

from seal_service.domain.verdict import Coverage, Indication, Modifications, SubIndication
from tests.hostile_bytes import appended, written
from tests.signed_pdfs import add_store, city, document, only, outcome, sealed_b_lt, sign, update, verify

GAP = re.compile(rb"/ByteRange ?\[ ?0 ([0-9]+) ([0-9]+) ([0-9]+) *\]")


def ranges(content: bytes) -> tuple[int, int, int]:
    """The last ByteRange in the file."""
    numbers = [tuple(map(int, one.groups())) for one in GAP.finditer(content)][-1]
    return numbers[0], numbers[1], numbers[2]


def with_byte_range(content: bytes, numbers: str) -> bytes:
    """The last ByteRange with other numbers, in the same place."""
    found = list(GAP.finditer(content))[-1]
    text = b"/ByteRange [" + numbers.encode()
    assert len(text) < len(found[0])
    return content[: found.start()] + text.ljust(len(found[0]) - 1) + b"]" + content[found.end() :]


def test_a_changed_byte_anywhere_in_the_signed_ranges_is_found() -> None:
    content = sign(document())
    gap_start, gap_end, _ = ranges(content)
    choose = random.Random(7)
    places = [choose.randrange(gap_start) for _ in range(60)]
    places += [choose.randrange(gap_end, len(content)) for _ in range(40)]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << choose.randrange(8)
        if place < 1024 and b"%PDF-" not in changed[:1024]:
            continue
        report = verify(bytes(changed))
        assert not report.technically_valid, place
        assert report.indication is not Indication.TOTAL_PASSED, place


def test_a_changed_page_is_a_hash_failure() -> None:
    content = sign(document(text="amount 100"))
    report = verify(content.replace(b"amount 100", b"amount 900"))
    assert (report.indication, report.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.HASH_FAILURE)
    assert not only(report).integrity


def test_a_changed_signature_value_is_found() -> None:
    content = sign(document())
    gap_start, _, _ = ranges(content)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        value = bytes(pdf.Root.AcroForm.Fields[0].V.Contents)
    length = 4 + int.from_bytes(value[2:4], "big")
    place = gap_start + 1 + 2 * (length - 3)
    digit = b"0" if content[place : place + 1] != b"0" else b"1"
    report = verify(content[:place] + digit + content[place + 1 :])
    assert not report.technically_valid
    assert report.indication is Indication.TOTAL_FAILED


@pytest.mark.parametrize("tail", [b"x", b"%%EOF\n", b"\n1 0 obj\n<<>>\nendobj\n", b"startxref\n0\n%%EOF\n"])
def test_bytes_after_the_end_that_belong_to_no_revision_are_found(tail: bytes) -> None:
    report = verify(sign(document()) + tail)
    assert report.indication is not Indication.TOTAL_PASSED
    assert not report.technically_valid


def test_white_space_at_the_end_is_nothing() -> None:
    report = verify(sign(document()) + b"\r\n\n  \n")
    assert (report.indication, only(report).coverage) == (Indication.TOTAL_PASSED, Coverage.WHOLE_FILE)


def replace_page_content(writer: Any) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    page[pdf_name("/Contents")] = writer.add_object(
        generic.StreamObject(stream_data=b"BT /F1 24 Tf 72 700 Td (something else) Tj ET")
    )
    writer.update_container(page)


def add_page(writer: Any) -> None:
    pages = writer.root["/Pages"]
    page = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Page"),
            pdf_name("/Parent"): writer.root.raw_get("/Pages"),
            pdf_name("/MediaBox"): generic.ArrayObject([generic.NumberObject(n) for n in (0, 0, 9, 9)]),
        }
    )
    pages["/Kids"].append(writer.add_object(page))
    pages[pdf_name("/Count")] = generic.NumberObject(3)
    writer.update_container(pages)


def hide_behind_annotation(writer: Any) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    stamp = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/FreeText"),
            pdf_name("/Rect"): generic.ArrayObject([generic.NumberObject(n) for n in (70, 690, 300, 730)]),
            pdf_name("/Contents"): generic.pdf_string("paid"),
        }
    )
    annotations = page.get("/Annots") or generic.ArrayObject()
    page[pdf_name("/Annots")] = generic.ArrayObject([*annotations, writer.add_object(stamp)])
    writer.update_container(page)


def open_action(writer: Any) -> None:
    writer.root[pdf_name("/OpenAction")] = generic.DictionaryObject(
        {pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): generic.pdf_string("app.alert(1)")}
    )
    writer.update_root()


def replace_font(writer: Any) -> None:
    font = writer.root["/Pages"]["/Kids"][0]["/Resources"]["/Font"]["/F1"]
    font[pdf_name("/BaseFont")] = pdf_name("/Symbol")
    writer.update_container(font)


@pytest.mark.parametrize("change", [replace_page_content, add_page, hide_behind_annotation, open_action, replace_font])
def test_a_revision_that_changes_what_is_shown_is_found(change: Any) -> None:
    report = verify(update(sign(document()), change))
    one = only(report)
    assert (one.integrity, one.coverage, one.modifications) == (
        True,
        Coverage.WHOLE_REVISION,
        Modifications.CHANGED,
    )
    assert (one.indication, one.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.DOCUMENT_CHANGED)
    assert not report.technically_valid


@pytest.mark.parametrize("change", [replace_page_content, add_page])
def test_a_change_that_is_taken_back_or_sealed_over_is_still_found(change: Any) -> None:
    content = sign(update(sign(document()), change), name="Seal2")
    first, second = verify(content).signatures
    assert (first.modifications, second.modifications) == (Modifications.CHANGED, Modifications.NONE)
    assert (first.indication, second.indication) == (Indication.TOTAL_FAILED, Indication.TOTAL_PASSED)


def with_dangling_reference() -> bytes:
    """A sealed page whose content names a second part that is not there."""
    text = b"<</Length 37>>stream\nBT /F1 24 Tf 72 700 Td (sample) Tj ET\nendstream"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents[4 0 R 90 0 R]>>"
    return sign(written([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, text]))


def test_an_object_that_the_signed_page_named_in_advance_is_no_addition() -> None:
    """Nothing that existed is touched, yet the page shows more than it did when it was sealed."""
    content = with_dangling_reference()
    assert verify(content).indication is Indication.TOTAL_PASSED
    forged = b"<</Length 37>>stream\nBT /F1 24 Tf 72 600 Td (forged) Tj ET\nendstream"
    one = only(verify(appended(content, {90: forged})))
    assert (one.modifications, one.sub_indication) == (Modifications.CHANGED, SubIndication.DOCUMENT_CHANGED)


def test_an_appended_revision_left_out_by_the_cross_references_is_found() -> None:
    """The bytes stay, a later revision's /Prev skips them: other readers may show them."""
    content = sign(document())
    hidden = update(content, replace_page_content)
    last = list(re.finditer(rb"startxref\s+([0-9]+)\s+%%EOF", content))[-1][1]
    tail = hidden + b"\nstartxref\n" + last + b"\n%%EOF\n"
    assert only(verify(tail)).modifications is Modifications.CHANGED


def test_a_certified_document_that_permits_nothing_refuses_even_form_filling() -> None:
    one = only(verify(update(sign(form(document()), certify=MDPPerm.NO_CHANGES), fill)))
    assert (one.modifications, one.indication) == (Modifications.CHANGED, Indication.TOTAL_FAILED)


def test_a_certified_document_that_permits_signing_takes_another_seal() -> None:
    content = sign(sign(document(), certify=MDPPerm.FILL_FORMS), name="Seal2")
    assert verify(content).indication is Indication.TOTAL_PASSED


def test_a_store_may_follow_even_a_certification_without_changes() -> None:
    content = add_store(sign(document(), certify=MDPPerm.NO_CHANGES), certificates=[city().ca])
    assert only(verify(content)).modifications is Modifications.ALLOWED


def form(content: bytes) -> bytes:
    """With a text field."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        text = pdf.make_indirect(
            pikepdf.Dictionary(
                Type=pikepdf.Name.Annot,
                Subtype=pikepdf.Name.Widget,
                FT=pikepdf.Name.Tx,
                T="amount",
                V="100",
                DA="/F1 12 Tf",
                Rect=[100, 100, 200, 120],
            )
        )
        pdf.pages[0].Annots = pdf.make_indirect(pikepdf.Array([text]))
        pdf.Root.AcroForm = pdf.make_indirect(pikepdf.Dictionary(Fields=pikepdf.Array([text]), SigFlags=3))
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True)
    return out.getvalue()


def fill(writer: Any) -> None:
    for reference in writer.root["/AcroForm"]["/Fields"]:
        one = reference.get_object()
        if one.get("/T") == "amount":
            one[pdf_name("/V")] = generic.pdf_string("900")
            writer.update_container(one)


def test_filling_a_form_is_permitted_unless_the_field_is_locked() -> None:
    free = update(sign(form(document())), fill)
    assert only(verify(free)).modifications is Modifications.ALLOWED
    lock = FieldMDPSpec(FieldMDPAction.INCLUDE, fields=["amount"])
    locked = update(sign(form(document()), lock=lock), fill)
    assert only(verify(locked)).modifications is Modifications.CHANGED
    other = FieldMDPSpec(FieldMDPAction.INCLUDE, fields=["other"])
    assert only(verify(update(sign(form(document()), lock=other), fill))).modifications is Modifications.ALLOWED


def test_a_byte_range_with_other_numbers_is_refused() -> None:
    content = sign(document())
    a, b, c = ranges(content)
    tricks = [
        f"0 {a} {b}",
        f"1 {a - 1} {b} {c}",
        f"0 {a - 1} {b} {c}",
        f"0 {a} {b + 1} {c - 1}",
        f"0 {a} {b} {c - 20}",
        f"0 {a} {b} {c + 20}",
        f"0 {b} {a} {c}",
        f"0 0 0 {a}",
        f"0 {a} {b} -1",
        "0 0 0 0",
        "null",
        f"0 {a} {b} 1.5",
        f"0 {a} 9999999 9",
    ]
    for numbers in tricks:
        report = verify(with_byte_range(content, numbers))
        assert not report.technically_valid, numbers
        assert report.indication is Indication.TOTAL_FAILED, numbers
        assert report.sub_indication is SubIndication.FORMAT_FAILURE, numbers


def test_a_gap_wider_than_contents_is_refused_although_the_digest_is_right() -> None:
    """Signature wrapping: unsigned bytes in the gap, beside the value."""
    content = sign(document())
    gap_start, gap_end, _ = ranges(content)
    hidden = content[: gap_end - 1] + b" " + content[gap_end - 1 :]
    assert hidden[gap_start:gap_end].startswith(b"<")
    assert not verify(hidden).technically_valid


def test_a_signature_of_another_document_put_in_is_found() -> None:
    ours, other = sign(document(text="ours")), sign(document(text="else"))
    start, end, _ = ranges(ours)
    other_start, other_end, _ = ranges(other)
    value = other[other_start:other_end][1:-1].strip(b"0")
    wrapped = ours[: start + 1] + value.ljust(end - start - 2, b"0") + ours[end - 1 :]
    report = verify(wrapped)
    assert (report.indication, report.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.HASH_FAILURE)


def test_a_signature_dictionary_replaced_later_is_refused() -> None:
    def spoof(writer: Any) -> None:
        value = writer.root["/AcroForm"]["/Fields"][0]["/V"]
        value[pdf_name("/Reason")] = generic.pdf_string("another reason")
        writer.update_container(value)

    one = only(verify(update(sign(document()), spoof)))
    assert (one.indication, one.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.FORMAT_FAILURE)
    assert not one.technically_valid


def test_a_second_field_that_borrows_a_signature_is_refused() -> None:
    """Its ByteRange and Contents are copies: the gap lies in the other field's object."""

    def borrow(writer: Any) -> None:
        form_dictionary = writer.root["/AcroForm"]
        original = form_dictionary["/Fields"][0]["/V"]
        copied = generic.DictionaryObject({key: original.raw_get(key) for key in original})
        widget = generic.DictionaryObject(
            {
                pdf_name("/FT"): pdf_name("/Sig"),
                pdf_name("/T"): generic.pdf_string("Borrowed"),
                pdf_name("/V"): writer.add_object(copied),
            }
        )
        form_dictionary["/Fields"].append(writer.add_object(widget))
        writer.update_container(form_dictionary["/Fields"])
        writer.update_container(form_dictionary)

    reports = {one.name: one for one in verify(update(sign(document()), borrow)).signatures}
    assert reports["Borrowed"].sub_indication is SubIndication.FORMAT_FAILURE
    assert outcome(reports["Borrowed"], "byte_range") == "fail"


def test_a_removed_page_of_a_b_lt_document_is_found() -> None:
    def remove(writer: Any) -> None:
        pages = writer.root["/Pages"]
        del pages["/Kids"][1]
        pages[pdf_name("/Count")] = generic.NumberObject(1)
        writer.update_container(pages)

    one = only(verify(update(sealed_b_lt(), remove), offline=True))
    assert (one.indication, one.modifications) == (Indication.TOTAL_FAILED, Modifications.CHANGED)

"""证明修订: what the short way permits, the general rules permit too; every trick near it is left to them."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from random import Random

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from seal_service.domain.use import SignatureLevel
from seal_service.domain.verdict import Modifications
from seal_service.verification import revisions
from seal_service.verification.proof_references import refers_to
from seal_service.verification.proof_revisions import Revision, adds_proofs_alone
from seal_service.verification.revision_rules import compare_revisions
from tests import signed_pdfs
from tests.hostile_bytes import appended, catalog, document, stream, written
from tests.instance import blank_pdf
from tests.sealing_world import World, another_intent
from tests.strangers_files import verify

ENDING = re.compile(rb"startxref\s+([0-9]+)\s+%%EOF")
ROOT = b"/Type/Catalog/Pages 2 0 R"
PROOF = stream(b"0\x03\x02\x01\x05")
STORE = b"/DSS<</Certs[5 0 R]>>"
STORE_APART = b"<</Type/DSS/Certs[5 0 R]>>"


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def revisions_of(content: bytes) -> list[Revision]:
    return [Revision(content, one.end(), int(one[1])) for one in ENDING.finditer(content)]


def last_adds_proofs_alone(content: bytes) -> bool:
    before, after = revisions_of(content)[-2:]
    return adds_proofs_alone(before, after)


def told(content: bytes) -> list[bool]:
    """Which revisions after the first add proofs alone."""
    return [adds_proofs_alone(*pair) for pair in pairwise(revisions_of(content))]


def of_five(root: bytes = b"", leaf: bytes = b"", *, more: bytes = b"null") -> bytes:
    """A document of four objects, and none that has number 5."""
    return written([catalog(root), b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page_of(leaf), more])


def page_of(leaf: bytes = b"") -> bytes:
    return b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]%b>>" % leaf


def with_store(before: bytes, root: bytes = b"", **objects: bytes) -> bytes:
    """A revision whose object 5 is a certificate of a store, with further objects by number."""
    numbered = {int(name.removeprefix("o")): value for name, value in objects.items()}
    return appended(before, {1: b"<<%b%b%b>>" % (ROOT, STORE, root), 5: PROOF} | numbered)


def with_store_apart(store: bytes) -> bytes:
    """A document whose store is object 6."""
    return document(b"null", PROOF, store, b"null", root=b"/DSS 6 0 R")


@pytest.mark.parametrize("level", [SignatureLevel.B_LT, SignatureLevel.B_LTA])
def test_our_own_proofs_are_told_at_once_and_as_the_general_rules_tell_them(
    world: World, level: SignatureLevel, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = world.seal(blank_pdf(), level=level).content
    sealing, *proofs = told(sealed)
    assert not sealing
    assert all(proofs), proofs
    assert len(proofs) == {SignatureLevel.B_LT: 1, SignatureLevel.B_LTA: 2}[level]
    at_once = verify(world, sealed)
    monkeypatch.setattr(revisions, "adds_proofs_alone", lambda *_: False)
    assert at_once == verify(world, sealed)


def test_of_the_revisions_of_two_seals_the_proofs_alone_are_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    once = world.seal(blank_pdf(), level=SignatureLevel.B_LT).content
    twice = world.seal(once, level=SignatureLevel.B_LT, intent=another_intent(2)).content
    assert told(twice) == [False, True, False, True]
    at_once = verify(world, twice)
    assert [one.modifications for one in at_once.signatures] == [Modifications.ALLOWED] * 2
    monkeypatch.setattr(revisions, "adds_proofs_alone", lambda *_: False)
    assert at_once == verify(world, twice)


def test_a_store_that_grows_in_its_place_is_certain_and_one_that_is_something_else_too_is_not() -> None:
    before = with_store_apart(STORE_APART)
    grown = STORE_APART.replace(b"[5 0 R]", b"[5 0 R 8 0 R]")
    assert last_adds_proofs_alone(appended(before, {6: grown, 8: PROOF}))
    entry = b"/VRI<</%b<</Type/VRI/Cert[8 0 R]>>>>" % (b"0A" * 20)
    assert last_adds_proofs_alone(appended(before, {6: STORE_APART.replace(b"/Certs", entry + b"/Certs"), 8: PROOF}))
    assert not last_adds_proofs_alone(appended(before, {6: STORE_APART.replace(b"/Certs", b"/Font"), 8: PROOF}))
    other = with_store_apart(STORE_APART.replace(b"/Certs", b"/Font<<>>/Certs"))
    assert not last_adds_proofs_alone(appended(other, {6: grown, 8: PROOF}))
    entry = entry.replace(b"0A" * 20, b"XObject")
    assert not last_adds_proofs_alone(
        appended(before, {6: STORE_APART.replace(b"/Certs", entry + b"/Certs"), 8: PROOF})
    )


def test_an_entry_of_the_store_stays_what_it_was() -> None:
    entry = b"/VRI<</%b<</Cert[5 0 R]>>>>" % (b"0A" * 20)
    store = STORE_APART.replace(b"/Certs", entry + b"/Certs")
    before = with_store_apart(store)
    grown = store.replace(b"/Certs[5 0 R]", b"/Certs[5 0 R 8 0 R]")
    assert last_adds_proofs_alone(appended(before, {6: grown, 8: PROOF}))
    for changed in (grown.replace(b"/Cert[", b"/OCSP["), grown.replace(b"0A", b"0B", 1), grown.replace(entry, b"")):
        assert not last_adds_proofs_alone(appended(before, {6: changed, 8: PROOF}))


def test_the_plain_case_of_the_tricks_below_is_certain() -> None:
    assert last_adds_proofs_alone(with_store(of_five()))
    assert last_adds_proofs_alone(with_store(of_five(b"/Lang(zh)"), b"/Lang(zh)"))


@pytest.mark.parametrize(
    "trick",
    [
        lambda: with_store(of_five(), o3=page_of(b"/Contents 5 0 R")),
        lambda: with_store(of_five(), o4=b"true"),
        lambda: with_store(of_five(), o6=b"(nobody names it)"),
        lambda: with_store(of_five(), b"/OpenAction 5 0 R"),
        lambda: with_store(of_five(), b"/Names<<>>"),
        lambda: with_store(of_five(), b"/Pages 6 0 R", o6=b"<</Type/Pages/Kids[]/Count 0>>"),
        lambda: with_store(of_five(b"/Lang(zh)")),
        lambda: with_store(of_five(b"/Lang(zh)"), b"/Lang(en)"),
        lambda: with_store(of_five(b"/Outlines 4 0 R"), b"/Outlines 2 0 R"),
        lambda: with_store(of_five(), b"/Extensions<</ESIC 5 0 R>>"),
        lambda: with_store(of_five(), b"/AcroForm<</Fields[]>>"),
        lambda: with_store(of_five()).replace(b"/Certs[5 0 R]", b"/Other[5 0 R]"),
        lambda: with_store(of_five()).replace(b"/Certs[5 0 R]", b"/Certs 5 0 R "),
        lambda: with_store(of_five()).replace(b"/Certs[5 0 R]", b"/Certs[2 0 R]"),
        lambda: with_store(of_five()).replace(b"trailer\n<</Size 6/Prev", b"trailer\n<</Size 6/XRefStm 9/Prev"),
        lambda: appended(with_store(of_five()), {5: PROOF}),
        lambda: appended(of_five(), {5: PROOF}, trailer=b"/Root 4 0 R"),
        lambda: appended(of_five(), {1: b"<<%b%b>>" % (ROOT, STORE), 5: PROOF}, trailer=b"/Root 1 0 R/Info 5 0 R"),
    ],
)
def test_what_else_a_revision_writes_is_not_certain(trick: Callable[[], bytes]) -> None:
    assert not last_adds_proofs_alone(trick())


@pytest.mark.parametrize(
    "reference",
    [
        b"5 0 R",
        b"5\n0\rR",
        b"05 0 R",
        b"+5 0 R",
        b"5 00 R",
        b"5 0R",
        b"5%c\n0 R",
        b"5 0 %c\rR",
        b"5 1 R",
        b"5 %a\n%b\n0 R",
    ],
)
def test_an_object_that_the_revision_before_names_without_having_it_is_not_certain(reference: bytes) -> None:
    """It would show what it did not when it was signed."""
    assert not last_adds_proofs_alone(with_store(of_five(b"", b"/Contents[%b]" % reference)))


def test_numbers_alone_are_no_references() -> None:
    content = b"5 0 obj 15 0 r 5 0 0 R5 5 R 5. 0 R [5 6 R]"
    assert not refers_to(content, len(content), (), {(7, 0), (4, 0)})
    assert refers_to(b"1 0 R", 5, (b"[120 0 R]",), {(120, 0), (129, 0)})
    assert not refers_to(b"1 0 R", 5, (b"[120 0 R]",), {(121, 0), (12, 0), (1200, 0)})
    assert refers_to(b"127 %" + b"x" * 2000 + b"\n0 R", 2012, (), {(127, 0)}), "a comment too long to look through"
    assert not refers_to(b"127 0 R", 5, (), {(127, 0)}), "what lies beyond the end is another revision"


def test_such_a_trick_on_a_signed_document_is_found() -> None:
    """The page names object 90, which it was signed without."""
    signed = signed_pdfs.sign(document(leaf=b"/Contents[90 0 R]"))
    root = re.findall(rb"\n1 0 obj\n<<(.*?)>>\nendobj", signed, re.DOTALL)[-1]
    forged = appended(signed, {1: b"<<%b/DSS<</Certs[90 0 R]>>>>" % root, 90: stream(b"0 0 99 99 re f")})
    one = signed_pdfs.only(signed_pdfs.verify(forged))
    assert one.modifications is Modifications.CHANGED


WORD = re.compile(rb"(?<=[ /<>\[\]\n])(?:[A-Z][A-Za-z]+|[0-9]{1,4})(?=[ /<>\[\]\n])")


@pytest.mark.parametrize("level", [SignatureLevel.B_LT, SignatureLevel.B_LTA])
def test_what_the_short_way_permits_the_general_rules_permit(world: World, level: SignatureLevel) -> None:
    """Numbers and names that a real revision of proofs wrote are put in each other's places; no offset moves."""
    sealed = world.seal(blank_pdf(), level=level).content
    before = revisions_of(sealed)[-2].end
    places = [one.span() for one in WORD.finditer(sealed, before)]
    random, certain = Random(20261124), 0
    for _ in range(1_500):
        (a, b), (c, d) = random.sample(places, 2)
        changed = sealed[:a] + sealed[c:d] + sealed[b:]
        if d - c == b - a and last_adds_proofs_alone(changed):
            certain += 1
            reader = PdfFileReader(BytesIO(changed), strict=False)
            last = reader.xrefs.total_revisions - 1
            old, new = (reader.get_historical_resolver(number) for number in (last - 1, last))
            compare_revisions(old, new, certified=False)
    assert certain > 10, "most exchanges are refused, some harm nothing"

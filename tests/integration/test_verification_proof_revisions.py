"""证明修订: what the short way permits, the general rules permit too; every trick near it is left to them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from seal_service.domain.use import SignatureLevel
from seal_service.domain.verdict import Modifications
from seal_service.verification import revisions
from seal_service.verification.proof_references import refers_to
from seal_service.verification.proof_revisions import Revision, adds_proofs_alone
from tests.hostile_bytes import appended, catalog, document, stream, written
from tests.instance import blank_pdf
from tests.sealing_world import World, another_intent
from tests.strangers_files import verify

ENDING = re.compile(rb"startxref\s+([0-9]+)\s+%%EOF")
ROOT = b"/Type/Catalog/Pages 2 0 R"
PROOF = stream(b"0\x03\x02\x01\x05")
STORE = b"/DSS<</Certs[5 0 R]>>"


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def revisions_of(content: bytes) -> list[Revision]:
    return [Revision(content, one.end(), int(one[1])) for one in ENDING.finditer(content)]


def last_adds_proofs_alone(content: bytes) -> bool:
    before, after = revisions_of(content)[-2:]
    return adds_proofs_alone(before, after)


def of_five(root: bytes = b"", leaf: bytes = b"", *, more: bytes = b"null") -> bytes:
    """A document of four objects, and none that has number 5."""
    return written([catalog(root), b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page_of(leaf), more])


def page_of(leaf: bytes = b"") -> bytes:
    return b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]%b>>" % leaf


def with_store(before: bytes, root: bytes = b"", **objects: bytes) -> bytes:
    """A revision whose object 5 is a certificate of a store, with further objects by number."""
    numbered = {int(name.removeprefix("o")): value for name, value in objects.items()}
    return appended(before, {1: b"<<%b%b%b>>" % (ROOT, STORE, root), 5: PROOF} | numbered)


@pytest.mark.parametrize("level", [SignatureLevel.B_LT, SignatureLevel.B_LTA])
def test_our_own_proofs_are_told_at_once_and_as_the_general_rules_tell_them(
    world: World, level: SignatureLevel, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = world.seal(blank_pdf(), level=level).content
    assert [adds_proofs_alone(*pair) for pair in zip(revisions_of(sealed)[1:], revisions_of(sealed)[2:], strict=False)]
    assert all(
        adds_proofs_alone(*pair) for pair in zip(revisions_of(sealed)[1:], revisions_of(sealed)[2:], strict=False)
    )
    at_once = verify(world, sealed)
    monkeypatch.setattr(revisions, "adds_proofs_alone", lambda *_: False)
    assert at_once == verify(world, sealed)


def test_a_further_seal_is_none(world: World) -> None:
    once = world.seal(blank_pdf(), level=SignatureLevel.B_LT).content
    twice = world.seal(once, level=SignatureLevel.B_LT, intent=another_intent(2)).content
    told = [adds_proofs_alone(*pair) for pair in zip(revisions_of(twice), revisions_of(twice)[1:], strict=False)]
    assert told == [False, True, False, True]


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


def test_such_a_trick_on_a_sealed_document_is_found(world: World) -> None:
    """The page names object 90, which the city sealed as nothing."""
    sealed = world.seal(document(leaf=b"/Contents[90 0 R]"), level=SignatureLevel.B_B).content
    root = re.findall(rb"\n1 0 obj\n<<(.*?)>>\nendobj", sealed, re.DOTALL)[-1]
    forged = appended(sealed, {1: b"<<%b/DSS<</Certs[90 0 R]>>>>" % root, 90: stream(b"0 0 99 99 re f")})
    (one,) = verify(world, forged).signatures
    assert one.modifications is Modifications.CHANGED

"""Signed notes: read as they were written, verified under the right key, refused when one bit is another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import NoteRefused
from seal_service.formats.base64_text import decoded, encoded
from seal_service.formats.note import (
    LARGEST_NOTE,
    MOST_SIGNATURES,
    NoteSignature,
    SignatureType,
    SignedNote,
    VerifierKey,
    read_note,
    read_signature_lines,
    verified_by,
    verifier_key,
    write_note,
)
from tests.note_keys import NoteKey, one_bit_mutations

VECTORS = Path(__file__).parents[1] / "vectors" / "transparency.json"
LOG = NoteKey("seal.example/log")
TEXT = "seal.example/log\n7\n签章日志\n"

letters = st.characters(exclude_categories=["Cs"], exclude_characters=[chr(code) for code in range(32) if code != 10])
texts = st.text(letters, max_size=60).map(lambda text: text + "\n")
names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)
signatures = st.builds(
    NoteSignature, name=names, key_id=st.binary(min_size=4, max_size=4), value=st.binary(min_size=1, max_size=80)
)


@given(texts, st.lists(signatures, min_size=1, max_size=4))
def test_a_note_is_read_as_it_was_written(text: str, lines: list[NoteSignature]) -> None:
    assert read_note(write_note(text, lines)) == SignedNote(text=text, signatures=tuple(lines))


@given(st.binary(max_size=80) | st.text(st.sampled_from("a\n— +A=\x00"), max_size=40).map(str.encode))
def test_any_bytes_are_a_note_that_would_be_written_so_or_refused(content: bytes) -> None:
    try:
        note = read_note(content)
    except NoteRefused:
        return
    assert write_note(note.text, note.signatures) == content


@given(names, st.sampled_from(SignatureType), st.binary(min_size=32, max_size=32))
def test_a_verifier_key_is_read_as_it_was_written(name: str, how: SignatureType, public_key: bytes) -> None:
    key = VerifierKey(name=name, type=how, public_key=public_key)
    assert verifier_key(key.text) == key


@given(texts)
def test_a_note_is_verified_by_who_signed_it(text: str) -> None:
    other = NoteKey("other.example/log")
    note = read_note(write_note(text, [other.signature(text), LOG.signature(text)]))
    assert verified_by(note, [LOG.public]) == (LOG.public,)
    assert set(verified_by(note, [LOG.public, other.public])) == {LOG.public, other.public}
    with pytest.raises(NoteRefused, match="None of the known keys"):
        verified_by(note, [NoteKey("third.example/log").public])


def test_a_key_of_the_same_name_is_not_the_key() -> None:
    with pytest.raises(NoteRefused, match="None of the known keys"):
        verified_by(read_note(LOG.note(TEXT)), [NoteKey("seal.example/log", seed="another").public])


def test_a_witness_key_signs_no_text_itself() -> None:
    witness = NoteKey("witness.example", SignatureType.COSIGNATURE)
    with pytest.raises(NoteRefused, match="None of the known keys"):
        verified_by(read_note(witness.note(TEXT)), [witness.public])


def test_a_wrong_signature_of_a_known_key_spoils_a_right_one() -> None:
    right, wrong = LOG.signature(TEXT), LOG.signature("another\n")
    with pytest.raises(NoteRefused, match="not over this text"):
        verified_by(read_note(write_note(TEXT, [right, wrong])), [LOG.public])


def test_a_signature_twice_is_one_signer() -> None:
    assert verified_by(read_note(write_note(TEXT, [LOG.signature(TEXT)] * 2)), [LOG.public]) == (LOG.public,)


def test_no_bit_of_a_note_can_change() -> None:
    for changed in one_bit_mutations(LOG.note(TEXT)):
        with pytest.raises(NoteRefused):
            verified_by(read_note(changed), [LOG.public])


def test_no_bit_of_a_verifier_key_can_change() -> None:
    for changed in one_bit_mutations(LOG.public.text.encode()):
        with pytest.raises(NoteRefused):
            verifier_key(changed.decode(errors="surrogateescape"))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"text\n",
        b"text\n\n",
        b"text\n\n\n",
        b"text\n\nno signature\n",
        "text\n— a AAAAAAA=\n".encode(),  # no empty line
        "text\n\n— a AAAAAAA=".encode(),  # no line feed
        "text\n\n— a AAAAAA==\n".encode(),  # a key id alone
        "text\n\n— a AAAAAAB=\n".encode(),  # another spelling of the same bytes
        "text\n\n— a AAAA\tAAA=\n".encode(),
        "text\n\n—  AAAAAAA=\n".encode(),  # no name
        "text\n\n— a+b AAAAAAA=\n".encode(),
        "text\n\n— a\u00a0b AAAAAAA=\n".encode(),
        "text\n\n— a AAAAAAA= \n".encode(),
        b"text\n\n- a AAAAAAA=\n",
        "te\txt\n\n— a AAAAAAA=\n".encode(),
        "te\rxt\n\n— a AAAAAAA=\n".encode(),
        "te\x00xt\n\n— a AAAAAAA=\n".encode(),
        b"te\xffxt\n\n" + "— a AAAAAAA=\n".encode(),
        b"te\xed\xa0\x80xt\n\n" + "— a AAAAAAA=\n".encode(),  # half of a surrogate pair
        b"text\n\n" + "— a AAAAAAA=\n".encode() * (MOST_SIGNATURES + 1),
        b"x" * LARGEST_NOTE + "\n\n— a AAAAAAA=\n".encode(),
    ],
)
def test_what_is_no_note_is_refused(content: bytes) -> None:
    with pytest.raises(NoteRefused):
        read_note(content)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (TEXT, []),
        (TEXT, [LOG.signature(TEXT)] * (MOST_SIGNATURES + 1)),
        ("no line feed", [LOG.signature(TEXT)]),
        ("a\ttab\n", [LOG.signature(TEXT)]),
        ("half a pair \ud800\n", [LOG.signature(TEXT)]),
        ("x" * LARGEST_NOTE + "\n", [LOG.signature(TEXT)]),
        (TEXT, [NoteSignature(name="a b", key_id=b"1234", value=b"5")]),
        (TEXT, [NoteSignature(name="", key_id=b"1234", value=b"5")]),
        (TEXT, [NoteSignature(name="a", key_id=b"123", value=b"45")]),
        (TEXT, [NoteSignature(name="a", key_id=b"1234", value=b"")]),
    ],
)
def test_what_could_not_be_read_is_not_written(text: str, lines: list[NoteSignature]) -> None:
    with pytest.raises(NoteRefused):
        write_note(text, lines)


@pytest.mark.parametrize("lines", ["", "\n", "— a AAAAAAA=", "— a AAAAAAA=\n\n", "\n— a AAAAAAA=\n", "text\n"])
def test_signature_lines_are_nothing_but_signature_lines(lines: str) -> None:
    with pytest.raises(NoteRefused):
        read_signature_lines(lines)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "seal.example/log",
        "a+b+c",
        "+00000000+AQ==",
        "seal.example/log+00000000+" + LOG.public.text.rpartition("+")[2],
        LOG.public.text + "+",
        LOG.public.text.rpartition("+")[0] + "+",
        "seal.example/log+00000000+" + encoded(b"\x02" + bytes(32)),  # a type that is not known
        "seal.example/log+00000000+" + encoded(b"\x01" + bytes(31)),
        "é\x85log" + LOG.public.text,
    ],
)
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(NoteRefused):
        verifier_key(text)


@given(st.text(max_size=40))
def test_any_text_is_base64_in_its_one_spelling_or_refused(text: str) -> None:
    try:
        data = decoded(text)
    except ValueError:
        return
    assert encoded(data) == text


@given(st.binary(max_size=80))
def test_base64_is_read_as_it_was_written(data: bytes) -> None:
    assert decoded(encoded(data)) == data


def test_notes_never_change_unnoticed() -> None:
    """Golden vectors: a difference here means that what was handed out could no longer be checked."""
    vector = json.loads(VECTORS.read_text())
    assert LOG.public.text == vector["log_key"]
    assert LOG.note(vector["text"]).decode() == vector["note"]
    assert verified_by(read_note(vector["note"].encode()), [verifier_key(vector["log_key"])]) == (LOG.public,)

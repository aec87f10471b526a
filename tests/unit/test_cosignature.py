"""Cosignatures: a witness's time and signature hold for one checkpoint, under its key, to the bit."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import NoteRefused
from seal_service.formats.checkpoint import Checkpoint, open_checkpoint
from seal_service.formats.cosignature import cosignature, cosigned_at, cosigned_message
from seal_service.formats.note import SignatureType, read_note, signature_line, verifier_key
from tests.note_keys import NoteKey, one_bit_mutations

VECTORS = Path(__file__).parents[1] / "vectors" / "transparency.json"
LOG = NoteKey("seal.example/log")
WITNESS = NoteKey("witness.example/audit", SignatureType.COSIGNATURE)
TEXT = Checkpoint(origin="seal.example/log", size=7, root=bytes(32)).text
AT = datetime(2026, 7, 1, 8, tzinfo=UTC)

times = st.integers(0, 253402300799).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(times)
def test_the_time_of_a_cosignature_is_read_as_it_was_written(at: datetime) -> None:
    assert cosigned_at(read_note(WITNESS.cosigned(LOG.note(TEXT), TEXT, at)), WITNESS.public) == at


def test_what_is_signed_is_the_time_and_then_the_checkpoint() -> None:
    assert cosigned_message(TEXT, AT + timedelta(milliseconds=999)) == (
        b"cosignature/v1\ntime 1782892800\nseal.example/log\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    )


def test_a_cosigned_checkpoint_still_opens_under_the_logs_key() -> None:
    content = WITNESS.cosigned(LOG.note(TEXT), TEXT, AT)
    assert open_checkpoint(content, LOG.public).content == content


def test_the_latest_word_of_a_witness_counts() -> None:
    content = LOG.note(TEXT)
    for seconds in (5, 9, 2):
        content = WITNESS.cosigned(content, TEXT, AT + timedelta(seconds=seconds))
    assert cosigned_at(read_note(content), WITNESS.public) == AT + timedelta(seconds=9)


def test_no_bit_of_a_cosigned_checkpoint_can_change() -> None:
    content = WITNESS.cosigned(LOG.note(TEXT), TEXT, AT)
    for changed in one_bit_mutations(content):
        with pytest.raises(NoteRefused):  # one of the two signatures does not hold or is not there
            cosigned_at(open_checkpoint(changed, LOG.public).note, WITNESS.public)


def test_one_wrong_line_of_a_witness_spoils_a_right_one() -> None:
    wrong = WITNESS.cosignature(TEXT.replace("7", "8"), AT)
    content = WITNESS.cosigned(LOG.note(TEXT), TEXT, AT) + signature_line(wrong).encode()
    with pytest.raises(NoteRefused, match="not over this checkpoint"):
        cosigned_at(read_note(content), WITNESS.public)


def test_a_note_without_the_witness_is_not_cosigned() -> None:
    with pytest.raises(NoteRefused, match="did not cosign"):
        cosigned_at(read_note(LOG.note(TEXT)), WITNESS.public)
    other = NoteKey("other.example", SignatureType.COSIGNATURE)
    with pytest.raises(NoteRefused, match="did not cosign"):
        cosigned_at(read_note(other.cosigned(LOG.note(TEXT), TEXT, AT)), WITNESS.public)


def test_a_signature_of_the_text_itself_is_no_cosignature() -> None:
    with pytest.raises(NoteRefused, match="not over this checkpoint"):
        cosigned_at(read_note(LOG.note(TEXT)), LOG.public)


@pytest.mark.parametrize("seconds", [1 << 63, (1 << 64) - 1, 253402300800])
def test_a_time_that_no_clock_shows_is_refused(seconds: int) -> None:
    line = WITNESS.cosignature(TEXT, AT)
    value = seconds.to_bytes(8) + line.value[8:]
    hostile = signature_line(type(line)(name=line.name, key_id=line.key_id, value=value))
    with pytest.raises(NoteRefused, match="not over this checkpoint"):
        cosigned_at(read_note(LOG.note(TEXT) + hostile.encode()), WITNESS.public)


@pytest.mark.parametrize("length", [1, 8, 64, 71, 73])
def test_a_cosignature_of_another_length_is_refused(length: int) -> None:
    line = cosignature(WITNESS.public, AT, bytes(length - 8) if length > 8 else b"")
    hostile = signature_line(type(line)(name=line.name, key_id=line.key_id, value=line.value[:length]))
    with pytest.raises(NoteRefused, match="not over this checkpoint"):
        cosigned_at(read_note(LOG.note(TEXT) + hostile.encode()), WITNESS.public)


def test_cosignatures_never_change_unnoticed() -> None:
    """Golden vectors: a difference here means that what witnesses gave could no longer be checked."""
    vector = json.loads(VECTORS.read_text())
    assert WITNESS.public.text == vector["witness_key"]
    assert WITNESS.cosigned(vector["note"].encode(), vector["text"], AT).decode() == vector["cosigned"]
    assert cosigned_at(read_note(vector["cosigned"].encode()), verifier_key(vector["witness_key"])) == AT

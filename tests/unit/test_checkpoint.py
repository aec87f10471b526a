"""Checkpoints: read as they were written, of one origin, under its key; nothing else is read as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import NoteRefused
from seal_service.formats.base64_text import encoded
from seal_service.formats.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from tests.note_keys import NoteKey, one_bit_mutations

LOG = NoteKey("seal.example/log")
ROOT = bytes(range(32))
TREE = Checkpoint(origin="seal.example/log", size=7, root=ROOT)

lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
checkpoints = st.builds(
    Checkpoint,
    origin=lines,
    size=st.integers(0, (1 << 63) - 1),
    root=st.binary(min_size=32, max_size=32),
    extensions=st.lists(lines, max_size=3).map(tuple),
)


@given(checkpoints)
def test_a_checkpoint_is_read_as_it_was_written(checkpoint: Checkpoint) -> None:
    assert read_checkpoint(checkpoint.text) == checkpoint


@given(st.text(st.sampled_from("a017\n="), max_size=20) | st.text(max_size=60))
def test_any_text_is_a_checkpoint_that_would_be_written_so_or_refused(text: str) -> None:
    try:
        checkpoint = read_checkpoint(text)
    except NoteRefused:
        return
    assert checkpoint.text == text


@given(checkpoints)
def test_a_checkpoint_is_opened_under_its_logs_key(checkpoint: Checkpoint) -> None:
    named = Checkpoint(
        origin=LOG.public.name, size=checkpoint.size, root=checkpoint.root, extensions=checkpoint.extensions
    )
    content = LOG.note(named.text)
    opened = open_checkpoint(content, LOG.public)
    assert opened.checkpoint == named
    assert opened.content == content


def test_no_bit_of_a_signed_checkpoint_can_change() -> None:
    for changed in one_bit_mutations(LOG.note(TREE.text)):
        with pytest.raises(NoteRefused):
            open_checkpoint(changed, LOG.public)


def test_a_log_does_not_sign_for_another() -> None:
    with pytest.raises(NoteRefused, match=r"is of other\.example"):
        open_checkpoint(LOG.note(Checkpoint(origin="other.example", size=7, root=ROOT).text), LOG.public)


def test_another_key_of_the_same_name_does_not_open_it() -> None:
    with pytest.raises(NoteRefused, match="None of the known keys"):
        open_checkpoint(NoteKey("seal.example/log", seed="another").note(TREE.text), LOG.public)


def test_what_a_log_signed_that_is_no_checkpoint_is_not_opened() -> None:
    with pytest.raises(NoteRefused, match="origin, size and root"):
        open_checkpoint(LOG.note("seal.example/log\n"), LOG.public)


_HASH = encoded(ROOT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "\n\n\n",
        f"a\n7\n{_HASH}",
        f"\n7\n{_HASH}\n",
        f"a\n07\n{_HASH}\n",
        f"a\n+7\n{_HASH}\n",
        f"a\n-7\n{_HASH}\n",
        f"a\n7 \n{_HASH}\n",
        f"a\n٧\n{_HASH}\n",
        f"a\n9223372036854775808\n{_HASH}\n",
        f"a\n{'9' * 5000}\n{_HASH}\n",
        f"a\n7\n{_HASH[:-4]}\n",
        f"a\n7\n{encoded(ROOT[:31])}\n",
        f"a\n7\n{encoded(ROOT + ROOT)}\n",
        f"a\n7\n{_HASH}\n\n",
        f"a\n7\n{_HASH}\n\nb\n",
        f"a\n7\n{_HASH}\nb",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteRefused):
        read_checkpoint(text)


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint(origin="", size=7, root=ROOT),
        Checkpoint(origin="a\nb", size=7, root=ROOT),
        Checkpoint(origin="a", size=-1, root=ROOT),
        Checkpoint(origin="a", size=1 << 63, root=ROOT),
        Checkpoint(origin="a", size=7, root=ROOT[:31]),
        Checkpoint(origin="a", size=7, root=ROOT, extensions=("",)),
        Checkpoint(origin="a", size=7, root=ROOT, extensions=("b\nc",)),
    ],
)
def test_what_could_not_be_read_is_not_written(checkpoint: Checkpoint) -> None:
    with pytest.raises(NoteRefused):
        _ = checkpoint.text

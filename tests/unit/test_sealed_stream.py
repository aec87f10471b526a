"""A long content, encrypted in pieces: whatever is changed, moved, repeated or cut off is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import IntegrityFailed
from seal_service.formats.sealed_stream import PIECE, opened, sealed
from seal_service.pki.vault import KeyRingVault
from tests.pki_instance import SystemEntropy, key_hierarchy

_KEYS = TemporaryDirectory()
VAULT = KeyRingVault(key_hierarchy(Path(_KEYS.name)), SystemEntropy())
CONTEXT = b"a file"
LENGTHS = (0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 17)
"""On both sides of every boundary."""


def content(length: int) -> bytes:
    return (b"0123456789abcdef" * (length // 16 + 1))[:length]


def in_chunks(whole: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


def frames(stream: bytes) -> list[bytes]:
    found = []
    while stream:
        end = 4 + int.from_bytes(stream[:4], "big")
        found.append(stream[:end])
        stream = stream[end:]
    return found


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("size", [1000, PIECE, 5 * PIECE])
def test_what_was_sealed_is_opened(length: int, size: int) -> None:
    whole = content(length)
    stream = b"".join(sealed(in_chunks(whole, size), VAULT, CONTEXT))
    assert b"".join(opened(in_chunks(stream, size), VAULT, CONTEXT)) == whole
    assert len(frames(stream)) == max(1, -(-length // PIECE))


def test_another_context_opens_nothing() -> None:
    stream = b"".join(sealed([b"content"], VAULT, CONTEXT))
    with pytest.raises(IntegrityFailed):
        b"".join(opened([stream], VAULT, b"another file"))


STREAM = b"".join(sealed([content(3 * PIECE + 17)], VAULT, CONTEXT))
OTHER = b"".join(sealed([content(PIECE + 17)], VAULT, CONTEXT))
A, B, C, D = frames(STREAM)


@pytest.mark.parametrize(
    "changed",
    [
        [],
        [A],
        [A, B, C],
        [B, C, D],
        [A, C, D],
        [A, B, C, D, D],
        [A, B, B, C, D],
        [B, A, C, D],
        [A, B, C, frames(OTHER)[1]],
        [STREAM[:-1]],
        [STREAM + b"\0"],
        [STREAM[: len(A) + 2]],
        [b"\xff\xff\xff\xff" + STREAM[4:]],
    ],
)
def test_pieces_can_neither_be_moved_left_out_repeated_nor_cut_off(changed: list[bytes]) -> None:
    with pytest.raises(IntegrityFailed):
        b"".join(opened(changed, VAULT, CONTEXT))


@given(position=st.integers(0, len(OTHER) - 1), bit=st.integers(0, 7))
def test_no_bit_can_be_flipped(position: int, bit: int) -> None:
    changed = bytearray(OTHER)
    changed[position] ^= 1 << bit
    with pytest.raises(IntegrityFailed):
        b"".join(opened([bytes(changed)], VAULT, CONTEXT))

"""见证请求 (C2SP tlog-witness, add-checkpoint): a checkpoint, and how it follows the one that was seen last."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from seal_service.domain.errors import NoteRefused
from seal_service.formats.base64_text import decoded, encoded

LARGEST_REQUEST = 64 * 1024
"""Bytes."""
SIZE_TYPE = "text/x.tlog.size"
"""Media type of the answer that tells the size which a witness knows."""
LONGEST_PATH = 63
_LARGEST_SIZE = (1 << 63) - 1
_HASH_BYTES = 32
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessRequest:
    """见证请求 as read: nothing of it is verified yet."""

    old_size: int
    path: tuple[bytes, ...]
    """The consistency path from the old size (RFC 6962, 2.1.2)."""
    checkpoint: bytes
    """The signed note."""


def write_witness_request(old_size: int, path: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The body of the request."""
    return "\n".join([f"old {old_size}", *map(encoded, path), "", ""]).encode() + checkpoint


def read_witness_request(content: bytes) -> WitnessRequest:
    """The request of a body; NoteRefused for everything that `write_witness_request` would not have written."""
    if len(content) > LARGEST_REQUEST:
        raise NoteRefused(f"A request to a witness has at most {LARGEST_REQUEST} bytes")
    head, separator, checkpoint = content.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
        if not separator or not first.startswith("old ") or len(lines) > LONGEST_PATH:
            raise ValueError(f"`old` and a size, at most {LONGEST_PATH} hashes, an empty line and a checkpoint")
        old_size = read_size(first.removeprefix("old "))
        path = tuple(map(decoded, lines))
        if any(len(one) != _HASH_BYTES for one in path):
            raise ValueError("a hash has 32 bytes")
    except ValueError as error:
        raise NoteRefused(f"This is no request to a witness: {error}") from error
    return WitnessRequest(old_size=old_size, path=path, checkpoint=checkpoint)


def read_size(text: str) -> int:
    """A tree's size; ValueError."""
    if not _SIZE.fullmatch(text) or int(text) > _LARGEST_SIZE:
        raise ValueError("a size is a number below 2^63 without leading zeros")
    return int(text)

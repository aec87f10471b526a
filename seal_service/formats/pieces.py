"""合装: named values and several pieces of bytes in one, for a blob that this program alone reads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from seal_service.domain.errors import IntegrityFailed
from seal_service.ports.documents import Content

_FORM = b"pieces1\n"
_LENGTH = 4
_LONGEST_HEADER = 1 << 20


def joined(values: Mapping[str, Any], pieces: Sequence[Content]) -> tuple[Content, ...]:
    """The pieces behind a header with the values (JSON) and their lengths; no piece is copied."""
    named = {"values": values, "lengths": [len(one) for one in pieces]}
    header = json.dumps(named, ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode()
    return (_FORM + len(header).to_bytes(_LENGTH, "big") + header, *pieces)


def separated(kept: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """What `joined` put together; IntegrityFailed for anything else."""
    start = len(_FORM) + _LENGTH
    length = int.from_bytes(kept[len(_FORM) : start], "big")
    if kept[: len(_FORM)] != _FORM or length > _LONGEST_HEADER:
        raise IntegrityFailed
    try:
        named = json.loads(kept[start : start + length])
        values, lengths = named["values"], [int(one) for one in named["lengths"]]
    except (ValueError, TypeError, KeyError):
        raise IntegrityFailed from None
    at, pieces = start + length, []
    for size in lengths:
        if size < 0:
            raise IntegrityFailed
        pieces.append(kept[at : at + size])
        at += size
    if at != len(kept) or not isinstance(values, dict):
        raise IntegrityFailed
    return values, pieces

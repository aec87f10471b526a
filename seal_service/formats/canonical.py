"""RFC 8785 (JCS) bytes for a small profile of JSON, in which the standard library's encoder already gives them.

The profile: an object with ASCII keys whose values are strings, integers |n| < 2^53, booleans, null, flat arrays of
these, or one level of such objects. No floats, no lone surrogates, at most 16 KiB.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Never

from seal_service.domain.errors import InvalidInput

Scalar = str | int | bool | None
Value = Scalar | Sequence[Scalar]
Leaf = Mapping[str, Value | Mapping[str, Value]]
"""What the profile can hold."""

LARGEST_BYTES = 16 * 1024
_LARGEST_INTEGER = (1 << 53) - 1


def encode(leaf: Leaf) -> bytes:
    """The canonical bytes of an object (RFC 8785, 3.2); InvalidInput when it is outside the profile."""
    _check_object(leaf, depth=0)
    try:
        canon = json.dumps(
            leaf, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
        ).encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("Text holds half of a surrogate pair") from error
    if len(canon) > LARGEST_BYTES:
        raise InvalidInput(f"The record has {len(canon)} bytes, more than {LARGEST_BYTES}")
    return canon


def decode(canon: bytes) -> dict[str, Value | dict[str, Value]]:
    """The object of canonical bytes; InvalidInput for anything that `encode` would not have written so."""
    if len(canon) > LARGEST_BYTES:
        raise InvalidInput(f"The record has {len(canon)} bytes, more than {LARGEST_BYTES}")
    try:
        leaf = json.loads(canon.decode(), parse_float=_refuse_number, parse_constant=_refuse_number)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The record is not JSON in UTF-8 of the log's profile") from error
    if not isinstance(leaf, dict):
        raise InvalidInput("The record is not a JSON object")
    if encode(leaf) != canon:
        raise InvalidInput("The record is not in canonical form (RFC 8785)")
    return leaf


def _refuse_number(text: str) -> Never:
    raise ValueError(f"{text} is not an integer")


def _check_object(value: Mapping[str, object], depth: int) -> None:
    for key, item in value.items():
        if not isinstance(key, str) or not key.isascii():
            raise InvalidInput("A key is not ASCII text")
        if isinstance(item, dict):
            if depth:
                raise InvalidInput(f"{key} is nested too deeply")
            _check_object(item, depth + 1)
        elif isinstance(item, list | tuple):
            for one in item:
                _check_scalar(key, one)
        else:
            _check_scalar(key, item)


def _check_scalar(key: str, value: object) -> None:
    if isinstance(value, int):
        if abs(value) > _LARGEST_INTEGER:
            raise InvalidInput(f"{key} is an integer beyond 2^53 - 1")
    elif value is not None and not isinstance(value, str):
        raise InvalidInput(f"{key} is neither text, integer, boolean nor null")

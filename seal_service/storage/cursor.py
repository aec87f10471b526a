"""Cursors: where a page of a list ended, as text that is safe in a URL."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from seal_service.domain.errors import InvalidCursor
from seal_service.storage.tables import EPOCH

_LONGEST = 512
_LARGEST = (1 << 63) - 1
_MALFORMED = (binascii.Error, ValueError, TypeError, OverflowError, RecursionError)


def encode_cursor(order: str, at: datetime, key: str) -> str:
    """The cursor after the item of a moment and key, in a list that is ordered by `order`."""
    return _encode([order, (at - EPOCH) // timedelta(microseconds=1), key])


def decode_cursor(order: str, cursor: str) -> tuple[datetime, str]:
    """Moment and key; InvalidCursor for a text that no list ordered by `order` gave out."""
    try:
        found, at, key = _decode(cursor)
        if found != order or type(at) is not int or type(key) is not str:
            raise InvalidCursor
        key.encode()
        return EPOCH + timedelta(microseconds=at), key
    except _MALFORMED as error:
        raise InvalidCursor from error


def encode_counted(order: str, count: int, values: Sequence[int | str]) -> str:
    """The cursor after the values that are counted so often, in statistics that are ordered by `order`."""
    return _encode([order, count, *values])


def decode_counted(
    order: str, cursor: str, types: Sequence[type[int] | type[str]]
) -> tuple[int, tuple[int | str, ...]]:
    """Count and values; InvalidCursor for a text that no statistics ordered by `order` gave out."""
    try:
        found, count, *values = _decode(cursor)
        if found != order or [type(count), *map(type, values)] != [int, *types]:
            raise InvalidCursor
        if any(abs(one) > _LARGEST for one in (count, *values) if isinstance(one, int)):
            raise InvalidCursor
        for one in values:
            str(one).encode()
        return count, tuple(values)
    except _MALFORMED as error:
        raise InvalidCursor from error


def _encode(place: Sequence[int | str]) -> str:
    text = json.dumps(place, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str) -> list[Any]:
    if len(cursor) > _LONGEST or not cursor.isascii():
        raise InvalidCursor
    place = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    if type(place) is not list:
        raise InvalidCursor
    return place

"""Cursors: where a page of a list ended, as text that is safe in a URL."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime, timedelta

from seal_service.domain.errors import InvalidCursor
from seal_service.storage.tables import EPOCH

_LONGEST = 512


def encode_cursor(order: str, at: datetime, key: str) -> str:
    """The cursor after the item of a moment and key, in a list that is ordered by `order`."""
    text = json.dumps([order, (at - EPOCH) // timedelta(microseconds=1), key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(order: str, cursor: str) -> tuple[datetime, str]:
    """Moment and key; InvalidCursor for a text that no list ordered by `order` gave out."""
    if len(cursor) > _LONGEST or not cursor.isascii():
        raise InvalidCursor
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found, at, key = json.loads(text)
        if found != order or type(at) is not int or type(key) is not str:
            raise InvalidCursor
        key.encode()
        return EPOCH + timedelta(microseconds=at), key
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InvalidCursor from error

"""Base64 (RFC 4648, 4) with one spelling for each value."""

from __future__ import annotations

import base64
import binascii


def encoded(data: bytes) -> str:
    """With padding, on one line."""
    return base64.b64encode(data).decode()


def decoded(text: str) -> bytes:
    """The bytes; ValueError for every spelling that `encoded` would not have written."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("it is not base64") from error
    if encoded(data) != text:
        raise ValueError("it is not the one base64 spelling of its bytes")
    return data

"""The leaf hash of a transparency log (RFC 6962, 2.1)."""

from __future__ import annotations

import hashlib


def leaf_hash(canon: bytes) -> bytes:
    """SHA-256(0x00 ‖ canon), 32 bytes."""
    return hashlib.sha256(b"\x00" + canon).digest()

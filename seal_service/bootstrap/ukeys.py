"""智能密码钥匙 at the command line: what a person's UKey signs."""

from __future__ import annotations

from pathlib import Path

from seal_service.pki.person_ukey import signed_by_ukey


def sign_by_ukey(module: Path, token: str, key: str | None, pin: str, message: bytes) -> bytes:
    """The signature by the UKey with this label, in the form in which people sign in by it; InvalidInput."""
    return signed_by_ukey(module, token, key, pin, message)

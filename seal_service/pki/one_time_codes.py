"""动态口令: time-based codes (RFC 6238) under HMAC-SHA-256, as counters (RFC 4226) of 30 seconds."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

from seal_service.domain.second_factor import WINDOW

STEP_SECONDS = 30


class TotpCodes:
    """The port OneTimeCodes."""

    def __init__(self, issuer: str, digits: int = 6) -> None:
        self._issuer = issuer
        self._digits = digits

    def address(self, key: bytes, account_name: str) -> str:
        """`otpauth://totp/…` with its algorithm, digits and period."""
        label = quote(f"{self._issuer}:{account_name}", safe="")
        asked = {
            "secret": base64.b32encode(key).decode().rstrip("="),
            "issuer": self._issuer,
            "algorithm": "SHA256",
            "digits": str(self._digits),
            "period": str(STEP_SECONDS),
        }
        return f"otpauth://totp/{label}?{urlencode(asked, quote_via=quote)}"

    def counters(self, key: bytes, code: str, now: datetime) -> Sequence[int]:
        """The steps around now whose code this is; every one is compared, in constant time."""
        if len(code) != self._digits or not code.isascii() or not code.isdigit():
            return []
        present = int(now.timestamp()) // STEP_SECONDS
        codes = HOTP(key, self._digits, SHA256())
        found = []
        for counter in range(present - WINDOW, present + WINDOW + 1):
            try:
                codes.verify(code.encode(), counter)
            except InvalidToken:
                continue
            found.append(counter)
        return found

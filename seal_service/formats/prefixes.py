"""前文: digests of what a document was before one of its signatures was appended."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from seal_service.domain.logged import Prefix
from seal_service.domain.verdict import SignatureReport
from seal_service.ports.documents import Content

_ENDING = re.compile(rb"startxref[\0\t\n\f\r ]+[0-9]{1,12}[\0\t\n\f\r ]+%%EOF")


class Prefixes:
    """SHA-256 of a document's beginnings; asked for in rising order, all of them cost one pass."""

    def __init__(self, content: Content) -> None:
        self._content = memoryview(content)
        self._states: dict[int, Any] = {0: hashlib.sha256()}

    def of(self, report: SignatureReport) -> Prefix:
        """The digest, hexadecimal, of so many first bytes; None unless this signature's revision alone follows them."""
        gap_start = report.signed.gap_start if report.signed is not None else 0

        def digest(size: int) -> str | None:
            if not 0 < size < gap_start or _ENDING.search(self._content, size, gap_start):
                return None
            return self._digest(size)

        return digest

    def _digest(self, size: int) -> str:
        if size not in self._states:
            known = max(one for one in self._states if one < size)
            state = self._states[known].copy()
            state.update(self._content[known:size])
            self._states[size] = state
        found: str = self._states[size].hexdigest()
        return found

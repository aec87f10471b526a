"""覆盖字节的杂凑值: digests of what the signatures of one document cover, what they share hashed once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from seal_service.ports.documents import Content
from seal_service.verification.byte_range import CoveredBytes


class CoveredDigests:
    """Digests of each signature's covered bytes, by algorithm; each taken once, and only when it is asked for.

    The bytes before the gaps are hashed in one pass: at each gap the state is copied, and continued behind it.
    """

    def __init__(self, content: Content, covered: Sequence[CoveredBytes]) -> None:
        self._content = memoryview(content)
        self._gaps = sorted({one.gap_start for one in covered if one.sound})
        self._states: dict[str, dict[int, Any]] = {}
        self._taken: dict[tuple[str, int, int], bytes] = {}

    def digest(self, name: str, covered: CoveredBytes) -> bytes:
        """By the algorithm's name; ValueError for a name that is none."""
        key = (name, covered.gap_start, covered.end)
        if key not in self._taken:
            state = self._before(name, covered.gap_start).copy()
            state.update(self._content[covered.gap_end : covered.end])
            self._taken[key] = state.digest()
        return self._taken[key]

    def _before(self, name: str, gap: int) -> Any:
        if name not in self._states:
            state, at = hashlib.new(name, usedforsecurity=False), 0
            states = self._states[name] = {}
            for one in self._gaps:
                state.update(self._content[at:one])
                states[one], at = state.copy(), one
        return self._states[name][gap]

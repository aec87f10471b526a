"""Calls under way, and the wait for their end: nothing is closed under a seal use that is being completed."""

from __future__ import annotations

import threading
from types import TracebackType


class CallsUnderWay:
    """Counts the calls that are inside its context. Safe for threads."""

    def __init__(self) -> None:
        self._count = 0
        self._changed = threading.Condition()

    def __enter__(self) -> None:
        with self._changed:
            self._count += 1

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def ended_within(self, seconds: float) -> bool:
        """Whether all of them ended within this time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, seconds)

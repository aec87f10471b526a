"""What was found lately is told again, so that many who ask cost no more than one."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Found = TypeVar("Found")


class LatelyFound(Generic[Found]):
    """The newest finding, as long as it is fresh; one caller looks, the others wait for what it finds. Safe for
    threads."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = Lock()
        self._kept: tuple[float, Found] | None = None

    def found(self, look: Callable[[], Found]) -> Found:
        """What was found within the last seconds, else what `look` finds now; its failure is not kept."""
        with self._lock:
            if self._kept is None or self._monotonic() - self._kept[0] >= self._seconds:
                self._kept = (self._monotonic(), look())
            return self._kept[1]

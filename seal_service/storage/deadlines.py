"""Time limits of what cannot limit its own time: nearly all of it ends long before, and must cost next to nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition, Thread

_IDLE_SECONDS = 30.0
"""After which the watching thread ends when there is nothing to watch."""


class Deadlines:
    """Calls back, each time in a thread of its own, what is not met in time. Safe for threads.

    One thread watches them all. It is not woken for a deadline later than the one that it waits for, so that setting
    and meeting one is two changes of a table.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._due: dict[object, tuple[float, Callable[[], None]]] = {}
        self._wakes_at = 0.0
        self._watching: Thread | None = None

    def set(self, seconds: float, late: Callable[[], None]) -> object:
        """Have `late` called in so many seconds, unless this deadline is met before."""
        deadline, due = object(), time.monotonic() + seconds
        with self._changed:
            self._due[deadline] = (due, late)
            if self._watching is None or not self._watching.is_alive():  # threads do not survive a fork
                self._wakes_at = due
                self._watching = Thread(target=self._watch, name="deadlines", daemon=True)
                self._watching.start()
            elif due < self._wakes_at:
                self._changed.notify()
        return deadline

    def met(self, deadline: object) -> bool:
        """Whether it was met in time; `late` is not called after that. False: it was called, or is being called."""
        with self._changed:
            return self._due.pop(deadline, None) is not None

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for deadline in [one for one, (due, _) in self._due.items() if due <= now]:
                    _, late = self._due.pop(deadline)
                    Thread(target=late, daemon=True).start()
                self._wakes_at = min((due for due, _ in self._due.values()), default=now + _IDLE_SECONDS)
                self._changed.wait(self._wakes_at - now)
                if not self._due:
                    self._watching = None
                    return

"""检查点守护 that answers in time: one on a mount that hangs is not readable, and keeps no caller waiting for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from threading import BoundedSemaphore, Thread
from typing import TypeVar

from seal_service.domain.errors import LogHalted
from seal_service.ports.transparency import Guard, GuardedCheckpoint

SECONDS = 3.0
"""For which a read may take."""
READS = 4
"""That are under way at most. A read of a mount that hangs comes back when the mount does, or never."""
PAUSE = 10.0
"""Seconds for which it is not tried again after one did not come back in time."""
_Found = TypeVar("_Found")


class GuardInTime:
    """A guard whose reads are bounded in time, each by a thread of its own; LogHalted for one that does not come back.
    Safe for threads.

    What changes it is the publisher's and an operator's alone, and is not bounded: it is waited for by nobody else.
    """

    def __init__(self, guard: Guard, seconds: float = SECONDS, pause: float = PAUSE) -> None:
        self._guard = guard
        self._seconds = seconds
        self._pause = pause
        self._free = BoundedSemaphore(READS)
        self._hangs_until = 0.0
        """Up to when nobody tries again, after a read did not come back in time."""

    def is_there(self) -> bool:
        """Whether anybody made it; LogHalted when that cannot be told in time."""
        return self._in_time(self._guard.is_there)

    def read(self) -> GuardedCheckpoint:
        """What it holds; LogHalted when it is not there or cannot be read in time."""
        return self._in_time(self._guard.read)

    def create(self, content: bytes) -> None:
        """Make it; AlreadyRegistered."""
        self._guard.create(content)

    def renew(self, lost: GuardedCheckpoint | None, content: bytes) -> None:
        """Begin anew; AlreadyRegistered."""
        self._guard.renew(lost, content)

    def advance(self, expected: GuardedCheckpoint, content: bytes) -> None:
        """Put another checkpoint in the place of the expected one; LogHalted."""
        self._guard.advance(expected, content)

    def _in_time(self, ask: Callable[[], _Found]) -> _Found:
        began = time.monotonic()
        if began < self._hangs_until or not self._free.acquire(timeout=self._seconds):
            raise self._late()
        found: Future[_Found] = Future()

        def run() -> None:
            try:
                found.set_result(ask())
            except BaseException as error:  # whoever asked raises it
                found.set_exception(error)
            finally:
                self._free.release()
                self._hangs_until = 0.0  # it answers again

        Thread(target=run, name="guard", daemon=True).start()
        try:
            return found.result(max(0.0, began + self._seconds - time.monotonic()))
        except NotInTime:
            self._hangs_until = time.monotonic() + self._pause
            if found.done():  # it came back just now, and did not see that it was late
                self._hangs_until = 0.0
            raise self._late() from None

    def _late(self) -> LogHalted:
        return LogHalted(
            f"The log's guard (SEAL_LOG_GUARD) was not read within {self._seconds:g} s: its volume hangs. Mount it "
            "anew; if this stays, start the service anew"
        )

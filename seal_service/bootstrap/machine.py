"""The machine: its time of day and its randomness."""

from __future__ import annotations

import os
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock: the only place that asks it."""

    def now(self) -> datetime:
        """Now, UTC."""
        return datetime.now(UTC)


class SystemEntropy:
    """The operating system's random source."""

    def token(self, length: int) -> bytes:
        """`length` bytes."""
        return os.urandom(length)

"""The machine: its time of day, its randomness, its memory."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime

import pikepdf

from seal_service.domain.operation import UseStep

LARGEST_STREAM = 256 << 20
"""Bytes that one compressed stream of a document may grow to in qpdf."""


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


def bound_document_parsing() -> None:
    """Limit what a hostile PDF can make qpdf allocate; for the whole process, so it is set before any is read."""
    pikepdf.settings.set_qpdf_limits(
        flate_max_memory=LARGEST_STREAM,
        run_length_max_memory=LARGEST_STREAM,
        png_max_memory=LARGEST_STREAM,
        tiff_max_memory=LARGEST_STREAM,
        dct_max_memory=LARGEST_STREAM,
    )


class Unmeasured:
    """Measurements that nobody reads, as for a command that ends at once."""

    def timed(self, step: UseStep) -> AbstractContextManager[None]:
        """Nothing."""
        del step
        return nullcontext()

    def use_ended(self, result: str, level: str | None) -> None:
        """Nothing."""
        del result, level

"""The machine: its time of day, its randomness, its memory."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pikepdf

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

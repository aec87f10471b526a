"""Bounds on the work that one document may cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from seal_service.formats.pdf_signatures import ReadingLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationLimits:
    """How far verification goes before it answers that it cannot tell."""

    bytes: int = 200 << 20
    hashed: int = 1 << 30
    """Bytes behind their gaps that the signatures of one document may cover, all together."""
    reading: ReadingLimits = field(default_factory=ReadingLimits)
    revisions: int = 300
    """Later revisions that are compared, all signatures together."""
    paths: int = 8
    """Certificate paths that are tried for one signature."""
    revocation_items: int = 200
    """Lists and answers that are read for one certificate."""
    seconds: float = 3.0
    """Of processor time; after this, no further revision is compared: modifications are unknown."""


class Deadline:
    """A moment on a monotonic clock after which optional work is no longer begun."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._until = monotonic() + seconds

    @property
    def passed(self) -> bool:
        """Whether the time is used up."""
        return self._monotonic() > self._until

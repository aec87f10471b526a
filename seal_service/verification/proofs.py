"""存在性证明: valid document time-stamps, each proving that all before it existed by its time (EN 319 102-1, 5.6.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A valid document time-stamp: the bytes up to `end` existed at `time`."""

    end: int
    time: datetime
    evidence: frozenset[bytes] = field(default_factory=frozenset)
    """The revocation data that lay in the security store then."""


def earliest_proof(proofs: Sequence[Proof], end: int) -> datetime | None:
    """The earliest time by which the bytes up to `end` are proven to have existed."""
    return min((one.time for one in proofs if one.end > end), default=None)

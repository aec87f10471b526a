"""What a judge has looked at already: entries and documents never change, so that most rounds look at new ones alone.

A whole look, at everything again, comes every so many rounds and at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from seal_service.domain.backup import NamedBlob
from seal_service.domain.invariants import Finding
from seal_service.ports.checking import Scan, Scans, StoredEntry, UsedKey


@dataclass
class Seen:
    """Names of what was found well; what is in `looked_at` becomes so when nothing else was wrong beside it."""

    well: set[str] = field(default_factory=set)
    looked_at: set[str] = field(default_factory=set)

    def new(self, name: str) -> bool:
        """Whether it has to be looked at, which it is now."""
        self.looked_at.add(name)
        return name not in self.well

    def keep(self) -> None:
        """What was looked at is well."""
        self.well |= self.looked_at
        self.looked_at = set()


@dataclass(frozen=True)
class UnseenScans:
    """The port Scans, without the entries and documents that were found well before."""

    scans: Scans
    seen: Seen

    @contextmanager
    def open(self) -> Iterator[Scan]:
        """The state now."""
        with self.scans.open() as scan:
            yield UnseenScan(scan, self.seen)

    def own_faults(self, limit: int) -> Sequence[Finding]:
        """All that the database's own means find: they know nothing of what was seen."""
        return self.scans.own_faults(limit)


@dataclass(frozen=True)
class UnseenScan:
    """The port Scan. What rows say against one another is asked of all of them."""

    scan: Scan
    seen: Seen

    def log_size(self) -> int:
        """How many entries there are."""
        return self.scan.log_size()

    def entries(self) -> Iterator[StoredEntry]:
        """The new ones."""
        return (one for one in self.scan.entries() if self.seen.new(f"entry {one.entry_id}"))

    def contradictions(self, limit: int) -> Iterator[tuple[int, Sequence[Finding]]]:
        """Of all rows."""
        return self.scan.contradictions(limit)

    @contextmanager
    def blobs(self) -> Iterator[Iterator[NamedBlob]]:
        """The new ones, and those that are about to go."""
        with self.scan.blobs() as named:
            yield (one for one in named if self.seen.new(f"blob {one.digest}") or one.removable)

    def keys(self, now: datetime) -> Iterator[UsedKey]:
        """Of every credential in force that was not opened yet."""
        return (one for one in self.scan.keys(now) if self.seen.new(f"key {one.reference}"))

"""Ports to 日志恢复: what the published log has that a restored database lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from seal_service.ports.records import LogRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedEntry:
    """An entry as its canonical bytes tell it. Personal fields are in no bundle: the row has none."""

    row: LogRow
    facts: Mapping[str, object]
    reason: str | None


class PublishedEntries(Protocol):
    """The bundles of the published log: a full second copy of its entries."""

    def groups(self, first: int, size: int) -> Iterator[Sequence[bytes]]:
        """The canonical bytes of the places [first, size), up to 256 at once; LogDamaged when some are not there."""

    def entry(self, canon: bytes) -> ReplayedEntry:
        """What the bytes say; LogDamaged when they are no entry of this log."""

"""Ports to 日志审计: the tree, read to the end in one consistent state and compared with all that was said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from seal_service.domain.invariants import Finding
from seal_service.ports.records import StoredCheckpoint, TreeHead

PROJECTED = (
    "kind", "seq", "intent_id", "use_id", "seal_code", "unit_id", "account_id", "scenario", "document_sha256",
    "result",
)  # fmt: skip
"""Columns that say what the canonical bytes say under the same names."""
COUNTED = ("kind", "result", "seal_code", "unit_id", "account_id", "scenario")
"""Those of them that entries are counted by."""


class PlacedRow(NamedTuple):
    """A place of the tree with the entry that the log has of it, taken for nothing more: a million of them are made."""

    place: int
    entry_id: str
    leaf_hash: bytes
    """Of the place."""
    canon: bytes | None
    """None: the entry is not there."""
    written_hash: bytes | None
    """Of the entry, when it was written."""
    at: int | None
    """Microseconds since 1970."""
    columns: tuple[Any, ...]
    """In the order of PROJECTED: strings, `seq` a number, or None."""


class CountedBy(NamedTuple):
    """What statistics count placed entries by. A named tuple: one is made for each entry."""

    day: int
    """Of Asia/Shanghai, since 1970."""
    said: tuple[str | None, ...]
    """What COUNTED names."""


class TreeScan(Protocol):
    """One state of the tree from beginning to end."""

    def head(self) -> TreeHead:
        """The head."""

    def places(self) -> int:
        """How many there are, were there no gap."""

    def rows(self, first: int, count: int) -> Sequence[PlacedRow]:
        """So many places from one on."""

    def leaf_hashes(self, first: int, count: int) -> Sequence[bytes]:
        """Of places alone."""

    def checkpoints(self, above: int) -> Iterator[StoredCheckpoint]:
        """Larger than a size, by their size."""

    def faults(self, limit: int) -> Iterator[tuple[int, Sequence[Finding]]]:
        """Entries that neither have a place nor wait for one, or both; the number of each, and the first few."""

    def counted(self, below: int) -> Mapping[CountedBy, int]:
        """The entries of places below one, counted anew."""

    def statistics(self) -> Mapping[CountedBy, int]:
        """The counts as they are kept."""


class TreeScans(Protocol):
    """The database as an audit reads it."""

    def open(self) -> AbstractContextManager[TreeScan]:
        """The state now; writers go on."""


class SignedRoot(NamedTuple):
    """What somebody holds for the root of the tree of a size."""

    size: int
    root: bytes
    said_by: str


class ComparedGroup(NamedTuple):
    """What is left of 256 places, the last ones may be fewer, when their rows are compared: the tree's part."""

    hashes: Sequence[bytes]
    """The leaf hashes of the places."""
    root: bytes
    """Over them (RFC 6962, 2.1)."""


class ComparedPage(NamedTuple):
    """Places whose rows were compared."""

    end: int
    """The place after the last: where one is not there, it ends."""
    groups: Sequence[ComparedGroup]
    findings: Sequence[Finding]
    counted: Mapping[CountedBy, int]
    """The entries that are there."""


class TreeCheck(Protocol):
    """A tree that is given from its first leaf on, in groups of 256, compared with files and roots."""

    def add(self, group: ComparedGroup) -> Iterator[Finding]:
        """The next group."""

    def pass_over(self, group: ComparedGroup) -> Iterator[Finding]:
        """The next group, which was compared before: with signed roots alone."""

    def head(self) -> TreeHead:
        """Of all that was given."""

    def rest(self) -> Iterator[SignedRoot]:
        """Roots of sizes that were not reached."""


ReadFile = Callable[[str], bytes | None]
NewTreeCheck = Callable[[int, ReadFile, Iterator[SignedRoot]], TreeCheck]
"""Of the size that is published, its files, and the roots in the order of their sizes."""
RowCheck = Callable[[PlacedRow], Sequence[Finding]]
"""Where a row's bytes, hashes and columns disagree."""
ComparePages = Callable[[TreeScan, range, int], Iterator[ComparedPage]]
"""Of the places of a range that begins at a multiple of 256, with the files of the size that is published, in order.
Unavailable when a process that was to compare has ended."""
CompareGroup = Callable[
    [int, Sequence[bytes] | None, Sequence[bytes], int, ReadFile], tuple[ComparedGroup, Sequence[Finding]]
]
"""A group from its first place, entries and leaf hashes, compared with the files of the size that is published."""
BundlePaths = Callable[[int], Iterator[tuple[str, int]]]
"""The bundles of a tree of a size, with how many entries are in each."""
ReadBundle = Callable[[bytes, int], Sequence[bytes]]
"""The entries of a bundle; LogDamaged when it has not so many."""

"""The signing log as a tree: places of entries, the head, checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple, Protocol

from seal_service.ports.records.log import LogRow


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHead:
    """How far the log is sequenced: the compact range of its tree."""

    size: int
    hashes: tuple[bytes, ...]
    """Of the complete subtrees, the largest first."""


GrowTree = Callable[[TreeHead, Sequence[bytes]], TreeHead]
"""The head after more leaf hashes."""


class PendingEntry(NamedTuple):
    """An entry that waits for its place, as the database gives it back: its bytes are hashed again.

    A named tuple: the sequencer makes tens of thousands of them a second.
    """

    position: int
    """In the queue. It says nothing of lower ones: entries are committed out of order."""
    entry_id: str
    canon: bytes
    leaf_hash: bytes
    """As it was when the entry was written."""
    day: int
    """When it was written, in Asia/Shanghai, since 1970: what statistics count it by."""
    kind: str
    result: str
    account_id: str | None
    unit_id: str | None
    seal_code: str | None
    scenario: str | None

    @property
    def counted_by(self) -> tuple[int, str, str, str | None, str | None, str | None, str | None]:
        """What statistics count it by: the day and what follows."""
        return self[4:]


class PlacedEntry(NamedTuple):
    """An entry in its place."""

    place: int
    """Its index in the tree."""
    entry_id: str
    leaf_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsBucket:
    """What entries are counted by: a day of Asia/Shanghai and what the entry says."""

    day: date
    kind: str
    result: str
    account_id: str | None
    unit_id: str | None
    seal_code: str | None
    scenario: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCheckpoint:
    """A checkpoint as it was signed: one root for a size, for good."""

    size: int
    root: bytes
    note: bytes
    """The signed note, without cosignatures."""
    at: datetime


class TreeRecords(Protocol):
    """The tree's rows. Leaves and checkpoints are inserted and read, never changed."""

    def lock_head(self) -> TreeHead:
        """The head, held until the transaction ends: who holds it is the sequencer."""

    def head(self) -> TreeHead:
        """The head as committed last."""

    def pending(self, limit: int) -> Sequence[PendingEntry]:
        """The first entries of the queue, in its order."""

    def pending_count(self) -> int:
        """How many wait."""

    def oldest_pending(self) -> datetime | None:
        """When the entry was written that has waited longest; None when none waits."""

    def place(
        self,
        entries: Sequence[PlacedEntry],
        positions: Sequence[int],
        head: TreeHead,
        counted: Mapping[StatisticsBucket, int],
    ) -> None:
        """Insert leaves, take exactly these positions off the queue, move the head, add counts to the statistics.

        Never all positions up to one: a lower one may be committed later. Raises LogDamaged when the head is not where
        the leaves begin, an entry has a place already, or the queue does not hold these positions.
        """

    def replay(self, rows: Sequence[LogRow], head: TreeHead, counted: Mapping[StatisticsBucket, int]) -> None:
        """Insert entries of the published log with the places that they have there, up to the new head.

        An entry that is here and waits gets its place and leaves the queue; nothing is filed, and no personal field
        comes back. Raises LogDamaged when the head is not where they begin, or one contradicts what is here.
        """

    def index_of(self, entry_id: str) -> int | None:
        """An entry's place, or None while it waits."""

    def entry_at(self, index: int) -> str | None:
        """The entry of a place."""

    def statistics(self) -> Mapping[StatisticsBucket, int]:
        """Every count that is kept: of the entries that have a place, and of no other."""

    def leaves(self, first: int, count: int) -> Sequence[PlacedEntry]:
        """In the order of their places."""

    def entries(self, first: int, count: int) -> Sequence[bytes]:
        """The canonical bytes of entries, in the order of their places; LogDamaged when a place has lost its entry."""

    def insert_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        """Insert; nothing for the same root of a size again; LogDamaged for another root."""

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """The largest."""

    def first_checkpoint_at(self) -> datetime | None:
        """When the smallest was signed, or None."""

    def checkpoint_of(self, size: int) -> StoredCheckpoint | None:
        """The one of a size."""

    def insert_cosignature(self, size: int, line: str, at: datetime) -> None:
        """A witness's signature line under the checkpoint of a size; nothing when it is there."""

    def cosignatures(self, size: int) -> Sequence[str]:
        """The signature lines of witnesses under the checkpoint of a size."""

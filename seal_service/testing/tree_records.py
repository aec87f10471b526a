"""A fake of the tree's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from seal_service.domain.errors import LogDamaged
from seal_service.domain.events import TERMINAL_KINDS
from seal_service.domain.local_time import FIRST_DAY, local_day
from seal_service.ports.records import LogRow, PendingEntry, PlacedEntry, StatisticsBucket, StoredCheckpoint, TreeHead
from seal_service.testing.state import State


@dataclass
class MemoryTree:
    """Leaves, the queue, checkpoints."""

    state: State

    def lock_head(self) -> TreeHead:
        """The head."""
        return self.head()

    def head(self) -> TreeHead:
        """The head."""
        return self.state.head.get("", TreeHead(size=0, hashes=()))

    def pending(self, limit: int) -> Sequence[PendingEntry]:
        """In order."""
        first = sorted(self.state.queue.items())[:limit]
        rows = ((position, self.state.entries[entry_id]) for position, entry_id in first)
        return [
            PendingEntry(
                position=position,
                entry_id=row.entry_id,
                canon=row.canon,
                leaf_hash=row.leaf_hash,
                day=(local_day(row.at) - FIRST_DAY).days,
                kind=row.kind,
                result=row.result,
                account_id=row.account_id,
                unit_id=row.unit_id,
                seal_code=row.seal_code,
                scenario=row.scenario,
            )
            for position, row in rows
        ]

    def pending_count(self) -> int:
        """Count."""
        return len(self.state.queue)

    def oldest_pending(self) -> datetime | None:
        """Of the first."""
        first = next(iter(self.pending(1)), None)
        return None if first is None else self.state.entries[first.entry_id].at

    def place(
        self,
        entries: Sequence[PlacedEntry],
        positions: Sequence[int],
        head: TreeHead,
        counted: Mapping[StatisticsBucket, int],
    ) -> None:
        """Insert, take off, move, add."""
        before = self.head().size
        placed = {one.entry_id for one in self.state.leaves.values()}
        if [one.place for one in entries] != list(range(before, head.size)):
            raise LogDamaged("The head is not where these entries begin")
        if len(positions) != len(entries) or not set(positions) <= set(self.state.queue):
            raise LogDamaged("The queue does not hold these positions")
        if placed & {one.entry_id for one in entries}:
            raise LogDamaged("An entry has a place already")
        self.state.leaves |= {one.place: one for one in entries}
        self.state.head[""] = head
        for position in positions:
            del self.state.queue[position]
        for bucket, count in counted.items():
            self.state.statistics[bucket] = self.state.statistics.get(bucket, 0) + count

    def replay(self, rows: Sequence[LogRow], head: TreeHead, counted: Mapping[StatisticsBucket, int]) -> None:
        """Insert what is not there, then as if it had waited."""
        for row in rows:
            there = self.state.entries.setdefault(row.entry_id, row)
            if there.leaf_hash != row.leaf_hash:
                raise LogDamaged("The entry has other bytes here")
            if row.kind in TERMINAL_KINDS and row.intent_id is not None:
                self.state.terminals.setdefault(row.intent_id, row.entry_id)
        waiting = {entry_id: position for position, entry_id in self.state.queue.items()}
        last = max(self.state.queue, default=len(self.state.entries))
        for number, row in enumerate(rows, last + 1):
            if row.entry_id not in waiting:
                waiting[row.entry_id] = number
                self.state.queue[number] = row.entry_id
        places = enumerate(rows, head.size - len(rows))
        placed = [PlacedEntry(place=at, entry_id=row.entry_id, leaf_hash=row.leaf_hash) for at, row in places]
        self.place(placed, [waiting[row.entry_id] for row in rows], head, counted)

    def index_of(self, entry_id: str) -> int | None:
        """Look."""
        return next((one.place for one in self.state.leaves.values() if one.entry_id == entry_id), None)

    def entry_at(self, index: int) -> str | None:
        """Look."""
        found = self.state.leaves.get(index)
        return None if found is None else found.entry_id

    def statistics(self) -> Mapping[StatisticsBucket, int]:
        """All."""
        return dict(self.state.statistics)

    def leaves(self, first: int, count: int) -> Sequence[PlacedEntry]:
        """In order."""
        return [self.state.leaves[one] for one in range(first, first + count) if one in self.state.leaves]

    def entries(self, first: int, count: int) -> Sequence[bytes]:
        """In order."""
        return [self.state.entries[one.entry_id].canon for one in self.leaves(first, count)]

    def insert_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        """Insert once."""
        if self.state.checkpoints.setdefault(checkpoint.size, checkpoint).root != checkpoint.root:
            raise LogDamaged("There is a checkpoint of this size with another root")

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """The largest."""
        return max(self.state.checkpoints.values(), key=lambda one: one.size, default=None)

    def first_checkpoint_at(self) -> datetime | None:
        """Of the smallest."""
        first = min(self.state.checkpoints.values(), key=lambda one: one.size, default=None)
        return None if first is None else first.at

    def checkpoint_of(self, size: int) -> StoredCheckpoint | None:
        """Look."""
        return self.state.checkpoints.get(size)

    def insert_cosignature(self, size: int, line: str, at: datetime) -> None:
        """Insert once."""
        self.state.cosignatures.setdefault((size, line), at)

    def cosignatures(self, size: int) -> Sequence[str]:
        """As they came."""
        found = sorted((at, line) for (of, line), at in self.state.cosignatures.items() if of == size)
        return [line for _, line in found]

"""日志排序: entries that wait get their places in the tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import LogDamaged, LogHalted
from seal_service.domain.local_time import FIRST_DAY, local_day
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.ports.records import GrowTree, LogRow, PendingEntry, PlacedEntry, Records, StatisticsBucket
from seal_service.usecases.log_damage import LogDamage
from seal_service.usecases.reserve_use import stands

MOST_AT_ONCE = 2000
"""Entries in a transaction, in which on SQLite nobody else writes."""
_MOST_ROUNDS = 50
_OURSELVES = Caller(account_id=None, name="service")


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceLog:
    """日志排序 of the first entries of the queue."""

    limit: int = MOST_AT_ONCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequenced:
    """How many entries got their places, and how many have one now."""

    placed: int
    size: int


@dataclass(frozen=True)
class SequenceLogUseCase:
    """日志排序, as often as one likes and by any number of processes: who locks the head is the sequencer.

    Raises LogHalted when entries wait and guard or witnesses remember more than this database: a place that is given in
    a restored old state is another entry's in the published tree, and what is missing could never be replayed. Raises
    LogDamaged at the first entry whose bytes have not the hash with which they were written. Entries before it
    in the queue have their places then: they are sound, their places are the same with or without it, and their proofs
    are owed. Nothing after it has: an entry that were passed over would be missing from the tree, which is what whoever
    changed it may have wanted. So the log stands still there until a person has looked; and nothing is sealed by any
    process meanwhile, since the receipt of a use promises it a place.
    """

    permission: ClassVar[Permission] = Permission.RECONCILE
    records: Records
    grow: GrowTree
    halted: Callable[[], str | None] = stands
    """Why nothing may be placed any more."""
    damage: LogDamage | None = None
    """Where other processes are told; None: nowhere."""

    def __call__(self, _caller: Caller, command: SequenceLog) -> Sequenced:
        """What was done, durably."""
        try:
            done = self._sequenced(command.limit)
        except LogDamaged as error:
            self._tell(error.message)
            raise
        self._tell(None)
        return done

    def _tell(self, damage: str | None) -> None:
        if self.damage is not None:
            self.damage.tell(damage)

    def _sequenced(self, limit: int) -> Sequenced:
        # 0. Where nothing waits, which is most of the time, nobody is kept from writing.
        with self.records.read() as transaction:
            size, waits = transaction.tree.head().size, transaction.tree.oldest_pending() is not None
        if not waits:
            return Sequenced(placed=0, size=size)
        halted = self.halted()
        if halted is not None:
            raise LogHalted(halted)
        with self.records.write() as transaction:
            # 1. Hold the head: another sequencer waits here, and then sees what this one has done.
            head = transaction.tree.lock_head()
            # 2. Read back what was written, and hash it again.
            waiting = transaction.tree.pending(limit)
            hashes = [leaf_hash(entry.canon) for entry in waiting]
            sound = next((at for at, one in enumerate(waiting) if one.leaf_hash != hashes[at]), len(waiting))
            # 3. Place what is sound up to there.
            if sound:
                head_after = self.grow(head, hashes[:sound])
                placed = [
                    PlacedEntry(place, one.entry_id, hashed)
                    for place, (one, hashed) in enumerate(zip(waiting[:sound], hashes, strict=False), head.size)
                ]
                taken = [one.position for one in waiting[:sound]]
                transaction.tree.place(placed, taken, head_after, counted(waiting[:sound]))
                transaction.commit()
                head = head_after
        if sound < len(waiting):
            raise LogDamaged(
                f"The bytes of entry {waiting[sound].entry_id} are not those that were written: the log stands still "
                f"at {head.size} entries and nothing is sealed; run `seal log audit` and compare with a backup"
            )
        return Sequenced(placed=sound, size=head.size)


@dataclass(frozen=True)
class CatchUp:
    """Gives places to all that waits, and tells how many entries have one. A log that stands still is read as it is."""

    sequence: SequenceLogUseCase

    def __call__(self) -> int:
        """The size of the tree."""
        with self.sequence.records.read() as transaction:
            size, waiting = transaction.tree.head().size, transaction.tree.oldest_pending()
        if waiting is None:
            return size
        with suppress(LogDamaged, LogHalted):
            for _ in range(_MOST_ROUNDS):
                if self.sequence(_OURSELVES, SequenceLog()).placed < MOST_AT_ONCE:
                    break
        with self.sequence.records.read() as transaction:
            return transaction.tree.head().size


def counted(entries: Sequence[PendingEntry]) -> dict[StatisticsBucket, int]:
    """What statistics say of entries that get their places."""
    return _buckets(Counter(one.counted_by for one in entries))


def counted_again(rows: Sequence[LogRow]) -> dict[StatisticsBucket, int]:
    """The same of entries that come back."""
    return _buckets(
        Counter(
            (
                (local_day(one.at) - FIRST_DAY).days,
                str(one.kind),
                one.result,
                one.account_id,
                one.unit_id,
                one.seal_code,
                one.scenario,
            )
            for one in rows
        )
    )


def _buckets(counts: Mapping[tuple[Any, ...], int]) -> dict[StatisticsBucket, int]:
    return {
        StatisticsBucket(
            day=FIRST_DAY + timedelta(days=day),
            kind=kind,
            result=result,
            account_id=account_id,
            unit_id=unit_id,
            seal_code=seal_code,
            scenario=scenario,
        ): count
        for (day, kind, result, account_id, unit_id, seal_code, scenario), count in counts.items()
    }

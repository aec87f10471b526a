"""签章日志 as a tree: leaves, the head, the queue, checkpoints, statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.exc import IntegrityError

from seal_service.domain.errors import LogDamaged
from seal_service.domain.local_time import FIRST_DAY
from seal_service.ports.records.log import LogRow
from seal_service.ports.records.tree import PendingEntry, PlacedEntry, StatisticsBucket, StoredCheckpoint, TreeHead
from seal_service.storage.locking import locked
from seal_service.storage.log_queries import DAY_OF_ENTRY
from seal_service.storage.repositories.replayed import insert_absent, take_off
from seal_service.storage.statement import Statement
from seal_service.storage.tables import (
    LogCheckpointRow,
    LogCosignatureRow,
    LogHeadRow,
    LogLeafRow,
    LogPendingRow,
    LogStatRow,
    SignLogRow,
)
from seal_service.storage.upsert import upsert

_HASH_BYTES = 32

_INDEX_OF = Statement(select(LogLeafRow.idx).where(LogLeafRow.entry_id == bindparam("entry_id")))
_HEAD_ROW = select(LogHeadRow.__table__).where(LogHeadRow.id == 1)
_HEAD = locked(_HEAD_ROW)
_COMMITTED_HEAD = Statement(_HEAD_ROW)
_MOVE_HEAD = Statement(
    update(LogHeadRow)
    .where(LogHeadRow.id == 1, LogHeadRow.size == bindparam("before"))
    .values(size=bindparam("after"), hashes=bindparam("nodes"), epoch=LogHeadRow.epoch + 1)
)
_PENDING = Statement(  # the columns in the order of PendingEntry
    select(
        LogPendingRow.q,
        SignLogRow.entry_id,
        SignLogRow.canon,
        SignLogRow.leaf_hash,
        DAY_OF_ENTRY,
        SignLogRow.kind,
        SignLogRow.result,
        SignLogRow.account_id,
        SignLogRow.unit_id,
        SignLogRow.seal_code,
        SignLogRow.scenario,
    )
    .join(SignLogRow, SignLogRow.entry_id == LogPendingRow.entry_id)
    .order_by(LogPendingRow.q)
    .limit(bindparam("most"))
)
_BUCKET = ("day", "unit_id", "account_id", "seal_code", "scenario", "kind", "result")
# Thousands of rows in one statement.
_INSERT_LEAVES = {
    "postgresql": "INSERT INTO log_leaf (idx, entry_id, leaf_hash) "
    "SELECT %s::bigint + n - 1, entry, substr(%b::bytea, 32 * n::integer - 31, 32) "
    "FROM unnest(%b::text[]) WITH ORDINALITY AS one (entry, n)",
    "sqlite": "INSERT INTO log_leaf (idx, entry_id, leaf_hash) "
    "WITH RECURSIVE one (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM one WHERE n + 1 < ?5) "
    "SELECT ?1 + n, rtrim(CAST(substr(?3, ?4 * n + 1, ?4) AS TEXT)), substr(?2, 32 * n + 1, 32) FROM one",
}
_TAKE_OFF = {
    "postgresql": "DELETE FROM log_pending WHERE q = ANY(%b::bigint[])",
    # Nobody else writes: what waits between the first and the last is what was read.
    "sqlite": "DELETE FROM log_pending WHERE q BETWEEN ? AND ?",
}


@dataclass(frozen=True, slots=True)
class SqlTree:
    """The tree's rows."""

    connection: Connection

    def lock_head(self) -> TreeHead:
        """The head, held until the transaction ends."""
        return self._head(_HEAD.on(self.connection))

    def head(self) -> TreeHead:
        """The head as committed last."""
        return self._head(_COMMITTED_HEAD)

    def pending(self, limit: int) -> Sequence[PendingEntry]:
        """The first entries of the queue."""
        return [PendingEntry._make(row) for row in _PENDING.driven(self.connection, most=limit)]

    def pending_count(self) -> int:
        """Counted."""
        return self.connection.scalar(select(func.count()).select_from(LogPendingRow)) or 0

    def oldest_pending(self) -> datetime | None:
        """When the first entry of the queue was written."""
        joined = select(SignLogRow.at).join(LogPendingRow, LogPendingRow.entry_id == SignLogRow.entry_id)
        return self.connection.scalar(joined.order_by(LogPendingRow.q).limit(1))

    def place(
        self,
        entries: Sequence[PlacedEntry],
        positions: Sequence[int],
        head: TreeHead,
        counted: Mapping[StatisticsBucket, int],
    ) -> None:
        """Leaves first: a row leaves the queue only when its entry has a place."""
        self._place(entries, head)
        if self._take_off(positions) != len(entries):
            raise LogDamaged("The queue of the log does not hold the entries that were read from it")
        self._count(counted)

    def replay(self, rows: Sequence[LogRow], head: TreeHead, counted: Mapping[StatisticsBucket, int]) -> None:
        """Rows, places, then the queue."""
        insert_absent(self.connection, rows)
        places = enumerate(rows, head.size - len(rows))
        self._place([PlacedEntry(place=at, entry_id=row.entry_id, leaf_hash=row.leaf_hash) for at, row in places], head)
        take_off(self.connection, rows)
        self._count(counted)

    def _place(self, entries: Sequence[PlacedEntry], head: TreeHead) -> None:
        before = head.size - len(entries)
        if [one.place for one in entries] != list(range(before, head.size)):
            raise LogDamaged("Entries are placed one after another, up to the new size")
        moved = {"before": before, "after": head.size, "nodes": b"".join(head.hashes)}
        if _MOVE_HEAD.run(self.connection, moved) != 1:
            raise LogDamaged(f"The log's head is not at {before}, where these entries begin")
        try:
            self._insert(before, entries)
        except IntegrityError as error:
            raise LogDamaged("An entry that waits in the queue has its place in the tree already") from error

    def index_of(self, entry_id: str) -> int | None:
        """By the unique key."""
        row = _INDEX_OF.one(self.connection, entry_id=entry_id)
        return None if row is None else row.idx

    def entry_at(self, index: int) -> str | None:
        """By the key."""
        return self.connection.scalar(select(LogLeafRow.entry_id).where(LogLeafRow.idx == index))

    def statistics(self) -> Mapping[StatisticsBucket, int]:
        """All rows."""
        return {
            StatisticsBucket(
                day=FIRST_DAY + timedelta(days=row.day),
                kind=row.kind,
                result=row.result,
                account_id=row.account_id or None,
                unit_id=row.unit_id or None,
                seal_code=row.seal_code or None,
                scenario=row.scenario or None,
            ): row.count_
            for row in self.connection.execute(select(*_STAT_COLUMNS, LogStatRow.count.label("count_")))
        }

    def leaves(self, first: int, count: int) -> Sequence[PlacedEntry]:
        """A range of the key."""
        wanted = select(LogLeafRow.idx, LogLeafRow.entry_id, LogLeafRow.leaf_hash)
        wanted = wanted.where(LogLeafRow.idx >= first, LogLeafRow.idx < first + count).order_by(LogLeafRow.idx)
        found = self.connection.execute(wanted)
        return [PlacedEntry(place=row.idx, entry_id=row.entry_id, leaf_hash=row.leaf_hash) for row in found]

    def entries(self, first: int, count: int) -> Sequence[bytes]:
        """A range of the key, with what the log has of each."""
        wanted = select(LogLeafRow.idx, SignLogRow.canon).outerjoin(
            SignLogRow, SignLogRow.entry_id == LogLeafRow.entry_id
        )
        wanted = wanted.where(LogLeafRow.idx >= first, LogLeafRow.idx < first + count).order_by(LogLeafRow.idx)
        found = self.connection.execute(wanted).all()
        if any(row.idx != first + place or row.canon is None for place, row in enumerate(found)):
            raise LogDamaged(f"From place {first} on, the tree has a place without its entry in the database")
        return [row.canon for row in found]

    def insert_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        """Insert, or find the same root."""
        there = self.checkpoint_of(checkpoint.size)
        if there is None:
            values = {"size": checkpoint.size, "root": checkpoint.root, "note": checkpoint.note, "at": checkpoint.at}
            wanted = upsert(self.connection, LogCheckpointRow).values(values).on_conflict_do_nothing()
            if self.connection.execute(wanted).rowcount == 1:
                return
            there = self.checkpoint_of(checkpoint.size)  # another process was first
        if there is None or there.root != checkpoint.root:
            raise LogDamaged(f"There is a checkpoint of {checkpoint.size} entries with another root")

    def latest_checkpoint(self) -> StoredCheckpoint | None:
        """The largest."""
        row = self.connection.execute(
            select(LogCheckpointRow.__table__).order_by(LogCheckpointRow.size.desc()).limit(1)
        ).one_or_none()
        return None if row is None else StoredCheckpoint(size=row.size, root=row.root, note=row.note, at=row.at)

    def first_checkpoint_at(self) -> datetime | None:
        """Of the smallest."""
        row = LogCheckpointRow
        return self.connection.scalar(select(row.at).order_by(row.size).limit(1))

    def checkpoint_of(self, size: int) -> StoredCheckpoint | None:
        """By the key."""
        wanted = select(LogCheckpointRow.__table__).where(LogCheckpointRow.size == size)
        row = self.connection.execute(wanted).one_or_none()
        return None if row is None else StoredCheckpoint(size=row.size, root=row.root, note=row.note, at=row.at)

    def insert_cosignature(self, size: int, line: str, at: datetime) -> None:
        """Insert, or find the same line."""
        if line not in self.cosignatures(size):
            wanted = upsert(self.connection, LogCosignatureRow).values(size=size, line=line, at=at)
            self.connection.execute(wanted.on_conflict_do_nothing())

    def cosignatures(self, size: int) -> Sequence[str]:
        """In the order in which they came."""
        row = LogCosignatureRow
        return self.connection.scalars(select(row.line).where(row.size == size).order_by(row.at, row.line)).all()

    def _head(self, wanted: Statement) -> TreeHead:
        row = wanted.one(self.connection)
        if row is None or len(row.hashes) != row.size.bit_count() * _HASH_BYTES:
            raise LogDamaged("The log's head is not there, or has not the hashes of its size")
        hashes = tuple(row.hashes[at : at + _HASH_BYTES] for at in range(0, len(row.hashes), _HASH_BYTES))
        return TreeHead(size=row.size, hashes=hashes)

    def _insert(self, first: int, entries: Sequence[PlacedEntry]) -> None:
        if not entries:
            return
        name = self.connection.dialect.name
        hashes = b"".join(one.leaf_hash for one in entries)
        entry_ids = [one.entry_id for one in entries]
        given: tuple[object, ...] = (entry_ids,)
        if name == "sqlite":  # which has no arrays, and whose json_each wants to create a table in older versions
            width = max(map(len, entry_ids))
            given = ("".join(one.ljust(width) for one in entry_ids).encode("ascii"), width, len(entry_ids))
        self.connection.exec_driver_sql(_INSERT_LEAVES[name], (first, hashes, *given))

    def _take_off(self, positions: Sequence[int]) -> int:
        if not positions:
            return 0
        name = self.connection.dialect.name
        given = (list(positions),) if name == "postgresql" else (positions[0], positions[-1])
        return self.connection.exec_driver_sql(_TAKE_OFF[name], given).rowcount

    def _count(self, counted: Mapping[StatisticsBucket, int]) -> None:
        rows = [
            {
                "day": (bucket.day - FIRST_DAY).days,
                "unit_id": bucket.unit_id or "",
                "account_id": bucket.account_id or "",
                "seal_code": bucket.seal_code or "",
                "scenario": bucket.scenario or "",
                "kind": bucket.kind,
                "result": bucket.result,
                "count": count,
            }
            for bucket, count in counted.items()
        ]
        if rows:
            wanted = upsert(self.connection, LogStatRow)
            more = LogStatRow.count + wanted.excluded.count
            self.connection.execute(wanted.on_conflict_do_update(index_elements=_BUCKET, set_={"count": more}), rows)


_STAT_COLUMNS = tuple(getattr(LogStatRow, name) for name in _BUCKET)

"""The tree, read to the end in one transaction, for audits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, func, select

from seal_service.domain.invariants import Finding, Invariant
from seal_service.ports.log_checking import COUNTED, PROJECTED, CountedBy, PlacedRow
from seal_service.ports.records import StoredCheckpoint, TreeHead
from seal_service.storage.engine import Database
from seal_service.storage.log_queries import DAY_OF_ENTRY
from seal_service.storage.postgresql_copies import one_state
from seal_service.storage.refusals import database_failures
from seal_service.storage.repositories.tree import SqlTree
from seal_service.storage.statement import Statement
from seal_service.storage.tables import (
    LogCheckpointRow,
    LogLeafRow,
    LogPendingRow,
    LogStatRow,
    SignLogRow,
)

_CHECKPOINTS_AT_ONCE = 1000
_PLACED = Statement(
    select(
        LogLeafRow.idx,
        LogLeafRow.entry_id,
        LogLeafRow.leaf_hash,
        SignLogRow.canon,
        SignLogRow.leaf_hash.label("written"),
        SignLogRow.at,
        *(getattr(SignLogRow, name) for name in PROJECTED),
    )
    .outerjoin(SignLogRow, SignLogRow.entry_id == LogLeafRow.entry_id)
    .where(LogLeafRow.idx >= bindparam("first"), LogLeafRow.idx < bindparam("end"))
    .order_by(LogLeafRow.idx)
)


@dataclass(frozen=True, slots=True)
class SqlTreeScan:
    """One read transaction."""

    connection: Connection

    def head(self) -> TreeHead:
        """The head."""
        return SqlTree(self.connection).head()

    def places(self) -> int:
        """The greatest, and one."""
        greatest = self.connection.scalar(select(func.max(LogLeafRow.idx)))
        return 0 if greatest is None else greatest + 1

    def rows(self, first: int, count: int) -> Sequence[PlacedRow]:
        """By the key of places."""
        found = _PLACED.driven(self.connection, first=first, end=first + count)
        return [PlacedRow._make((*row[:6], row[6:])) for row in found]

    def leaf_hashes(self, first: int, count: int) -> Sequence[bytes]:
        """By the key."""
        wanted = select(LogLeafRow.leaf_hash).where(LogLeafRow.idx >= first, LogLeafRow.idx < first + count)
        return self.connection.scalars(wanted.order_by(LogLeafRow.idx)).all()

    def checkpoints(self, above: int) -> Iterator[StoredCheckpoint]:
        """In pages."""
        row, after = LogCheckpointRow, above
        while True:
            wanted = select(row.__table__).where(row.size > after).order_by(row.size).limit(_CHECKPOINTS_AT_ONCE)
            page = self.connection.execute(wanted).all()
            if not page:
                return
            for one in page:
                yield StoredCheckpoint(size=one.size, root=one.root, note=one.note, at=one.at)
            after = page[-1].size

    def faults(self, limit: int) -> Iterator[tuple[int, Sequence[Finding]]]:
        """Question by question."""
        questions = (
            (Invariant.PLACED, "it has no place in the tree and does not wait for one", _without_place()),
            (Invariant.PLACED, "it waits for a place and has one", _placed_and_waiting()),
        )
        for invariant, detail, wanted in questions:
            subjects = self.connection.scalars(wanted.limit(limit)).all()
            count = len(subjects)
            if count == limit:
                count = self.connection.scalar(select(func.count()).select_from(wanted.subquery())) or 0
            yield count, [Finding(invariant=invariant, subject=str(one), detail=detail) for one in subjects]

    def counted(self, below: int) -> Mapping[CountedBy, int]:
        """Grouped."""
        if not below:
            return {}
        by = [DAY_OF_ENTRY.label("day"), *(getattr(SignLogRow, name) for name in COUNTED)]
        placed = select(*by).join(LogLeafRow, LogLeafRow.entry_id == SignLogRow.entry_id).where(LogLeafRow.idx < below)
        each = placed.subquery()
        found = self.connection.execute(select(func.count(), *each.c).group_by(*each.c))
        return {CountedBy(day, tuple(said)): count for count, day, *said in found}

    def statistics(self) -> Mapping[CountedBy, int]:
        """All rows; what is not said is empty there."""
        said = [getattr(LogStatRow, name) for name in COUNTED]
        found = self.connection.execute(select(LogStatRow.count.label("n"), LogStatRow.day, *said))
        return {CountedBy(day, tuple(one or None for one in said)): count for count, day, *said in found}


@dataclass(frozen=True, slots=True)
class SqlTreeScans:
    """The database as audits read it."""

    database: Database

    @contextmanager
    def open(self) -> Iterator[SqlTreeScan]:
        """One state, for as long as it is read."""
        reader = self.database.reader
        one = reader.begin() if reader.dialect.name == "sqlite" else one_state(reader)
        with database_failures(), one as connection:
            yield SqlTreeScan(connection)


def _without_place() -> Select[Any]:
    placed = exists().where(LogLeafRow.entry_id == SignLogRow.entry_id)
    waiting = exists().where(LogPendingRow.entry_id == SignLogRow.entry_id)
    return select(SignLogRow.entry_id).where(~placed, ~waiting)


def _placed_and_waiting() -> Select[Any]:
    return select(LogPendingRow.entry_id).where(exists().where(LogLeafRow.entry_id == LogPendingRow.entry_id))

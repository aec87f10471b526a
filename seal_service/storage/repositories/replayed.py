"""日志恢复: entries of the published log that a restored database lacks, written with their places."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from seal_service.domain.errors import LogDamaged
from seal_service.domain.events import TERMINAL_KINDS
from seal_service.ports.records import LogRow
from seal_service.storage.mapping import log_values
from seal_service.storage.tables import LogPendingRow, LogTerminalRow, SignLogRow

_AT_ONCE = 500
"""Values of an IN: SQLite takes 32,766, old ones 999."""


def insert_absent(connection: Connection, rows: Sequence[LogRow]) -> None:
    """Rows that are not there, and the ends of intents that they are; LogDamaged when one is there with other bytes."""
    there: dict[str, bytes] = {}
    for group in _groups([row.entry_id for row in rows]):
        wanted = select(SignLogRow.entry_id, SignLogRow.leaf_hash).where(SignLogRow.entry_id.in_(group))
        there |= {row.entry_id: row.leaf_hash for row in connection.execute(wanted)}
    other = next((row for row in rows if there.get(row.entry_id, row.leaf_hash) != row.leaf_hash), None)
    if other is not None:
        raise LogDamaged(f"The entry {other.entry_id} has other bytes here than in the published log")
    absent = [row for row in rows if row.entry_id not in there]
    ends = [
        {"intent_id": row.intent_id, "entry_id": row.entry_id}
        for row in absent
        if row.kind in TERMINAL_KINDS and row.intent_id is not None
    ]
    try:
        if absent:
            connection.execute(insert(SignLogRow), [log_values(row) for row in absent])
        if ends:
            connection.execute(insert(LogTerminalRow), ends)
    except IntegrityError as error:
        raise LogDamaged(
            "An entry of the published log contradicts one that was written here after the restore: restore the "
            "backup again, and recover the log before anything else is done"
        ) from error


def take_off(connection: Connection, rows: Sequence[LogRow]) -> None:
    """Out of the queue, those that waited in it."""
    for group in _groups([row.entry_id for row in rows]):
        connection.execute(delete(LogPendingRow).where(LogPendingRow.entry_id.in_(group)))


def _groups(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE)]

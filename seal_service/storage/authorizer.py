"""What the service's own SQLite connections may do: default deny, beneath every SQL statement they prepare.

A tripwire against our own faults and injected SQL; triggers hold against other programs, the log's tree against all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from seal_service.storage.tables import APPEND_ONLY, QUEUES, StoredRow

Authorizer = Callable[[int, str | None, str | None, str | None, str | None], int]

_TABLES = frozenset(StoredRow.metadata.tables)
_READING = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
    }
)
_READING_PRAGMAS = frozenset({"table_info", "table_xinfo"})  # how SQLAlchemy asks whether a table exists
_VALUE_PRAGMAS = frozenset({"read_uncommitted"})  # read once by SQLAlchemy's dialect; never set


def readers_authorizer(
    action: int,
    first: str | None,
    second: str | None,
    database: str | None,  # noqa: ARG001
    trigger: str | None,  # noqa: ARG001
) -> int:
    """Allow to read, nothing else."""
    if action in _READING:
        allowed = True
    elif action == sqlite3.SQLITE_FUNCTION:
        allowed = second != "load_extension"
    elif action == sqlite3.SQLITE_PRAGMA:
        allowed = first in _READING_PRAGMAS or (first in _VALUE_PRAGMAS and second is None)
    else:
        allowed = False
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def writers_authorizer(
    action: int, first: str | None, second: str | None, database: str | None, trigger: str | None
) -> int:
    """Allow also to insert into our tables, to update those that are not append-only, and to delete from queues."""
    if action == sqlite3.SQLITE_INSERT:
        allowed = first in _TABLES
    elif action == sqlite3.SQLITE_DELETE:
        allowed = first in QUEUES
    elif action == sqlite3.SQLITE_UPDATE:
        allowed = first in _TABLES - APPEND_ONLY - QUEUES
    else:
        return readers_authorizer(action, first, second, database, trigger)
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

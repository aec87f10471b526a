"""Locks that hold until a transaction ends: of rows, and of names for which there may be no row yet.

SQLite needs none: there a transaction that may write is the only one.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, text

from seal_service.storage.statement import Asked, Statement

ONLY_READS = "seal_only_reads"
"""Execution option of an engine whose transactions only read."""

_HOLD = Statement(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"))


class Lockable:
    """Rows to be read, locked where the transaction may write."""

    def __init__(self, wanted: Select[Any], locking: Select[Any]) -> None:
        self._wanted = Statement(wanted)
        self._locking = Statement(locking)

    def on(self, connection: Connection) -> Statement:
        """The statement for a connection."""
        return self._wanted if _only_reads(connection) else self._locking


def locked(wanted: Select[Any]) -> Lockable:
    """Rows that nobody else changes or locks until the transaction ends; references to them stay possible."""
    return Lockable(wanted, wanted.with_for_update(key_share=True))


def held_still(wanted: Select[Any]) -> Lockable:
    """Rows that nobody else changes until the transaction ends, though others may hold them still too."""
    return Lockable(wanted, wanted.with_for_update(read=True))


def holding(connection: Connection, name: str) -> tuple[Asked, ...]:
    """What is asked first to wait until no other transaction holds a name, and to hold it until this one ends."""
    if connection.dialect.name == "postgresql" and not _only_reads(connection):
        return ((_HOLD, {"name": name}),)
    return ()


def _only_reads(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get(ONLY_READS))

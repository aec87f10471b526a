"""What the database's own means say of its soundness."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from seal_service.domain.invariants import Finding, Invariant
from seal_service.storage.sqlite import plain_connection, sqlite_module
from seal_service.storage.tables import APPEND_ONLY, QUEUES

_ACTS = ("update", "delete", "replace")


def sqlite_faults(path: Path, limit: int) -> Sequence[Finding]:
    """SQLite's integrity_check and foreign_key_check of a file; writers go on in WAL mode."""
    try:
        return _asked(path, limit)
    except sqlite_module().Error as error:  # too damaged even to be checked
        return [Finding(invariant=Invariant.DATABASE, subject="", detail=str(error))]


def _asked(path: Path, limit: int) -> list[Finding]:
    with closing(plain_connection(path)) as connection:
        found = connection.execute(f"PRAGMA integrity_check({limit})").fetchall()
        faults = [Finding(invariant=Invariant.DATABASE, subject="", detail=str(one)) for (one,) in found if one != "ok"]
        for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(limit):
            told = f"a row of {table} refers to a row of {parent} that is not there"
            faults.append(Finding(invariant=Invariant.REFERENCES, subject=f"{table} {row}", detail=told))
    return faults


def sqlite_own_faults(path: Path, limit: int) -> Sequence[Finding]:
    """Those, and triggers of the append-only tables that are not there."""
    faults = list(sqlite_faults(path, limit))
    with closing(plain_connection(path)) as connection:
        triggers = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")}
    for name in sorted({f"{table}_no_{act}" for table in APPEND_ONLY | QUEUES for act in _ACTS} - triggers):
        faults.append(Finding(invariant=Invariant.APPEND_ONLY, subject=name, detail="the trigger is not there"))
    return faults

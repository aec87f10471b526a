"""What the database's own means say of its soundness."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from seal_service.domain.invariants import Finding, Invariant
from seal_service.storage.engine import plain_connection


def sqlite_faults(path: Path, limit: int) -> Sequence[Finding]:
    """SQLite's integrity_check and foreign_key_check of a file; writers go on in WAL mode."""
    with closing(plain_connection(path)) as connection:
        found = connection.execute(f"PRAGMA integrity_check({limit})").fetchall()
        faults = [Finding(invariant=Invariant.DATABASE, subject="", detail=str(one)) for (one,) in found if one != "ok"]
        for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check").fetchmany(limit):
            told = f"a row of {table} refers to a row of {parent} that is not there"
            faults.append(Finding(invariant=Invariant.REFERENCES, subject=f"{table} {row}", detail=told))
    return faults

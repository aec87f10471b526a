"""What the database's own means say of its soundness."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from seal_service.domain.invariants import Finding, Invariant


def sqlite_faults(connection: Connection, limit: int) -> Sequence[Finding]:
    """SQLite's integrity_check and foreign_key_check; `connection` is the owner's, no other may ask."""
    found = connection.exec_driver_sql(f"PRAGMA integrity_check({limit})").scalars().all()
    faults = [Finding(invariant=Invariant.DATABASE, subject="", detail=str(one)) for one in found if one != "ok"]
    for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(limit):
        told = f"a row of {table} refers to a row of {parent} that is not there"
        faults.append(Finding(invariant=Invariant.REFERENCES, subject=f"{table} {row}", detail=told))
    return faults

"""INSERT … ON CONFLICT, which both engines have and SQLAlchemy spells by engine."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from seal_service.storage.tables import StoredRow


def upsert(connection: Connection, row: type[StoredRow]) -> postgresql.Insert | sqlite.Insert:
    """An insert into a row's table that can say what is done when it is there already: in one step, at any load."""
    return postgresql.insert(row) if connection.dialect.name == "postgresql" else sqlite.insert(row)

"""The engines that tests of the database run on, each with a database that is empty but for its schema."""

from __future__ import annotations

import sqlite3.dbapi2
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seal_service.storage.engine import Database, open_database
from seal_service.storage.schema import upgrade
from tests.postgresql import lent_database

SQLITE = {"sqlite": None, "sqlite of Python": sqlite3.dbapi2}
ENGINES = [*SQLITE, "postgresql"]


@contextmanager
def lent(engine: str, directory: Path) -> Iterator[Database]:
    """A database on an engine, until the block ends; the test is skipped where the engine is not installed."""
    if engine == "postgresql":
        with lent_database() as addresses:
            database = open_database(addresses.url, addresses.owner_url)
            try:
                yield database
            finally:
                database.close()
        return
    database = open_database(f"sqlite:///{directory / 'seal.db'}", sqlite=SQLITE[engine])
    upgrade(database)
    try:
        yield database
    finally:
        database.close()

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
    with lent_at(engine, directory) as (database, _):
        yield database


@contextmanager
def lent_at(engine: str, directory: Path) -> Iterator[tuple[Database, str]]:
    """The same with its address, by which another process opens it."""
    if engine == "postgresql":
        with lent_database() as addresses:
            database = open_database(addresses.url, addresses.owner_url)
            try:
                yield database, addresses.url
            finally:
                database.close()
        return
    address = f"sqlite:///{directory / 'seal.db'}"
    database = open_database(address, sqlite=SQLITE[engine])
    upgrade(database)
    try:
        yield database, address
    finally:
        database.close()

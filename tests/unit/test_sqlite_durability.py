"""Which SQLite is trusted with write-ahead logging, and how the database is opened with each."""

from __future__ import annotations

import sqlite3.dbapi2
import threading
from pathlib import Path

import pytest

from seal_service.storage.engine import open_database
from seal_service.storage.sqlite import plain_connection, sqlite_module, wal_is_safe


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 7, 0), False),
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 44, 9), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 0), False),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_wal_is_used_only_where_the_reset_bug_is_fixed(version: tuple[int, int, int], safe: bool) -> None:
    assert wal_is_safe(version) is safe


@pytest.mark.parametrize("module", [sqlite3.dbapi2, sqlite_module()], ids=lambda module: module.__name__)
def test_connections_are_as_durable_as_health_says(module: object, tmp_path: Path) -> None:
    import types

    assert isinstance(module, types.ModuleType)
    database = open_database(f"sqlite:///{tmp_path / 'seal.db'}", sqlite=module)
    journal, synchronous = ("wal", 2) if wal_is_safe(module.sqlite_version_info) else ("persist", 3)
    with database.owner.connect() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers", "trusted_schema")
        ]
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 60_000, "others may be upgrading"
    assert found == [journal, synchronous, 1, 1, 0]
    assert database.is_durable
    assert module.sqlite_version in database.durability
    assert f"journal_mode={journal.upper()}" in database.durability
    assert ("WAL-reset bug" in database.durability) is (journal == "persist")
    database.close()


def test_a_file_that_another_program_begins_to_write_is_waited_for(tmp_path: Path) -> None:
    """SQLite refuses a change of the journal mode at once while another connection is about to write."""
    path = tmp_path / "seal.db"
    path.touch()
    other = plain_connection(path)
    other.execute("BEGIN IMMEDIATE")
    database = open_database(f"sqlite:///{path}")
    modes: list[object] = []

    def opened() -> None:
        with database.owner.connect() as connection:
            modes.append(connection.exec_driver_sql("PRAGMA journal_mode").scalar())

    opening = threading.Thread(target=opened)
    opening.start()
    opening.join(0.3)
    assert opening.is_alive()
    other.execute("COMMIT")
    other.close()
    opening.join()
    assert modes == ["wal" if wal_is_safe(sqlite_module().sqlite_version_info) else "persist"]
    database.close()

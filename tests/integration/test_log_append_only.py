"""The log's tables do not change: every way past them that SQLite offers is tried on a real database file."""

from __future__ import annotations

import importlib
import sqlite3.dbapi2
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from seal_service.domain.events import EventKind
from seal_service.ports.records import PlacedEntry, PrivateField, StoredCheckpoint, TreeHead
from seal_service.storage.engine import Database, open_database
from seal_service.storage.schema import upgrade
from seal_service.storage.tables import APPEND_ONLY, QUEUES, StoredRow
from seal_service.storage.unit_of_work import SqlRecords
from tests.storage_samples import CODE, NOW, log_row

COLUMNS = (
    "entry_id, kind, seq, intent_id, use_id, seal_code, unit_id, account_id, operator_ref, scenario, "
    "document_sha256, result, at, canon, leaf_hash"
)


def entry(entry_id: str, seq: str = "NULL") -> str:
    """SQL values of an entry that says something else."""
    return (
        f"('{entry_id}', 'seal.completed', {seq}, NULL, NULL, '{CODE}', NULL, NULL, NULL, NULL, NULL, 'success', 0, "
        "x'00', x'00')"
    )


CHANGES = {
    "update": "UPDATE sign_log SET canon = x'00'",
    "update of one column": "UPDATE sign_log SET result = 'failure' WHERE entry_id = 'end'",
    "update or replace": "UPDATE OR REPLACE sign_log SET entry_id = 'intent' WHERE entry_id = 'end'",
    "update or ignore": "UPDATE OR IGNORE sign_log SET seq = 9",
    "update from": "UPDATE sign_log SET canon = x'00' FROM log_pending WHERE log_pending.entry_id = sign_log.entry_id",
    "delete": "DELETE FROM sign_log",
    "delete with returning": "DELETE FROM sign_log WHERE entry_id = 'end' RETURNING entry_id",
    "replace into": f"REPLACE INTO sign_log ({COLUMNS}) VALUES {entry('end')}",
    "insert or replace": f"INSERT OR REPLACE INTO sign_log ({COLUMNS}) VALUES {entry('end')}",
    "replace by the counter": f"REPLACE INTO sign_log ({COLUMNS}) VALUES {entry('new', '1')}",
    "replace by the rowid": f"REPLACE INTO sign_log (rowid, {COLUMNS}) VALUES (1, {entry('new')[1:]}",
    "replace by oid": f"REPLACE INTO sign_log (oid, {COLUMNS}) VALUES (2, {entry('new')[1:]}",
    "replace by select": "REPLACE INTO sign_log SELECT * FROM sign_log",
    "upsert": f"INSERT INTO sign_log ({COLUMNS}) VALUES {entry('end')} ON CONFLICT DO UPDATE SET canon = x'00'",
    "upsert on the counter": f"INSERT INTO sign_log ({COLUMNS}) VALUES {entry('new', '1')} "
    "ON CONFLICT (seal_code, seq) DO UPDATE SET canon = x'00'",
    "terminal: update": "UPDATE log_terminal SET entry_id = 'other'",
    "terminal: delete": "DELETE FROM log_terminal",
    "terminal: replace": "REPLACE INTO log_terminal VALUES ('intent', 'other')",
    "terminal: replace by entry": "REPLACE INTO log_terminal VALUES ('other', 'end')",
    "terminal: replace by rowid": "REPLACE INTO log_terminal (rowid, intent_id, entry_id) VALUES (1, 'other', 'other')",
    "terminal: upsert": "INSERT INTO log_terminal VALUES ('intent', 'x') ON CONFLICT DO UPDATE SET entry_id = 'x'",
    "leaf: update": "UPDATE log_leaf SET leaf_hash = x'00'",
    "leaf: delete": "DELETE FROM log_leaf WHERE idx = 0",
    "leaf: replace": "REPLACE INTO log_leaf VALUES (0, 'other', x'00')",
    "leaf: replace by entry": "REPLACE INTO log_leaf VALUES (9, 'intent', x'00')",
    "leaf: replace by rowid": "REPLACE INTO log_leaf (rowid, entry_id, leaf_hash) VALUES (0, 'other', x'00')",
    "leaf: upsert": "INSERT INTO log_leaf VALUES (0, 'x', x'00') ON CONFLICT DO UPDATE SET leaf_hash = x'00'",
    "checkpoint: update": "UPDATE log_checkpoint SET root = x'00'",
    "checkpoint: delete": "DELETE FROM log_checkpoint",
    "checkpoint: replace": "REPLACE INTO log_checkpoint VALUES (1, x'00', x'00', 0)",
    "checkpoint: upsert": "INSERT INTO log_checkpoint VALUES (1, x'00', x'00', 0) ON CONFLICT DO UPDATE SET at = 0",
    "cosignature: update": "UPDATE log_cosignature SET line = 'x'",
    "cosignature: delete": "DELETE FROM log_cosignature",
    "cosignature: replace": "REPLACE INTO log_cosignature VALUES (1, 'line', 0)",
    "cosignature: replace by rowid": "REPLACE INTO log_cosignature (rowid, size, line, at) VALUES (1, 1, 'x', 0)",
    "queue: update": "UPDATE log_pending SET entry_id = 'intent'",
    "queue: delete": "DELETE FROM log_pending",
    "queue: replace": "REPLACE INTO log_pending (q, entry_id) VALUES (2, 'intent')",
    "private: update": "UPDATE private_field SET ciphertext = x'00'",
    "private: delete": "DELETE FROM private_field",
    "private: replace": "REPLACE INTO private_field VALUES ('end', 'name', x'00')",
    "private: replace by rowid": "REPLACE INTO private_field (rowid, entry_id, name, ciphertext) "
    "VALUES (1, 'intent', 'name', x'00')",
    "private: upsert": "INSERT INTO private_field VALUES ('end', 'name', x'00') "
    "ON CONFLICT DO UPDATE SET ciphertext = x'00'",
}

ATTACKS_ON_THE_SCHEMA = {
    "drop trigger": "DROP TRIGGER sign_log_no_update",
    "drop table": "DROP TABLE sign_log",
    "drop index": "DROP INDEX ix_sign_log_at",
    "rename table": "ALTER TABLE sign_log RENAME TO old_log",
    "drop column": "ALTER TABLE sign_log DROP COLUMN scenario",
    "add column": "ALTER TABLE sign_log ADD COLUMN more TEXT",
    "rename column": "ALTER TABLE sign_log RENAME COLUMN result TO outcome",
    "create table": "CREATE TABLE another (a)",
    "create view": "CREATE VIEW another AS SELECT 1",
    "create trigger": "CREATE TRIGGER t AFTER INSERT ON sign_log BEGIN DELETE FROM log_pending; END",
    "shadow by a temporary table": "CREATE TEMP TABLE sign_log (entry_id)",
    "temporary trigger": "CREATE TEMP TRIGGER t BEFORE INSERT ON sign_log BEGIN SELECT RAISE(IGNORE); END",
    "temporary view": "CREATE TEMP VIEW sign_log AS SELECT 1",
    "writable schema": "PRAGMA writable_schema=ON",
    "recursive triggers": "PRAGMA recursive_triggers=OFF",
    "foreign keys": "PRAGMA foreign_keys=OFF",
    "synchronous": "PRAGMA synchronous=OFF",
    "journal mode": "PRAGMA journal_mode=OFF",
    "query only": "PRAGMA query_only=OFF",
    "user version": "PRAGMA user_version=7",
    "schema table": "DELETE FROM sqlite_master WHERE type = 'trigger'",
    "schema table, updated": "UPDATE sqlite_schema SET sql = ''",
    "sequence table": "UPDATE sqlite_sequence SET seq = 0",
    "another revision": "INSERT INTO alembic_version VALUES ('9')",
    "sequence table, inserted": "INSERT INTO sqlite_sequence VALUES ('log_pending', 0)",
    "revision": "UPDATE alembic_version SET version_num = '9'",
    "attach": "ATTACH ':memory:' AS other",
    "vacuum": "VACUUM",
    "vacuum into": "VACUUM INTO '/dev/null'",
    "reindex": "REINDEX",
    "analyze": "ANALYZE",
    "load extension": "SELECT load_extension('x')",
    "business rows are not deleted": "DELETE FROM seal_use",
    "pending rows are not changed away": "DELETE FROM log_pending",
}

REFUSED = "not authorized|append-only|prohibited|may not be modified|authorization denied"

WRITES = {
    "insert": "INSERT INTO seal_code_sequence VALUES ('999900', 1)",
    "update": "UPDATE log_head SET epoch = epoch + 10",
    "insert into the log": f"INSERT INTO sign_log ({COLUMNS}) VALUES {entry('new')}",
}


def drivers() -> list[Any]:
    """The DB-API modules at hand: Python's own, and pysqlite3 where it can be installed."""
    try:
        return [sqlite3.dbapi2, importlib.import_module("pysqlite3.dbapi2")]
    except ImportError:
        return [sqlite3.dbapi2]


@pytest.fixture(params=drivers(), ids=lambda module: module.__name__, scope="module")
def driver(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "seal.db"


@pytest.fixture(scope="module")
def database(file: Path, driver: Any) -> Iterator[Database]:
    """A log of an intent and its end, with a private field; no test changes it."""
    file.unlink(missing_ok=True)
    opened = open_database(f"sqlite:///{file}", sqlite=driver)
    upgrade(opened)
    private = (PrivateField(name="name", ciphertext=b"kept"),)
    with SqlRecords(opened).write() as transaction:
        transaction.log.insert(log_row("intent", EventKind.SEAL_INTENT, seq=1, seal_code=CODE))
        transaction.log.insert(
            log_row("end", EventKind.SEAL_COMPLETED, seq=2, seal_code=CODE, intent_id="intent", private=private)
        )
        (waiting,) = transaction.tree.pending(1)
        placed = PlacedEntry(place=0, entry_id="intent", leaf_hash=waiting.leaf_hash)
        transaction.tree.place([placed], [waiting.position], TreeHead(size=1, hashes=(waiting.leaf_hash,)), {})
        transaction.tree.insert_checkpoint(StoredCheckpoint(size=1, root=waiting.leaf_hash, note=b"note", at=NOW))
        transaction.tree.insert_cosignature(1, "line", NOW)
        transaction.commit()
    yield opened
    opened.close()


def contents(file: Path, driver: Any) -> list[Any]:
    """Everything that the append-only tables and the schema say."""
    with closing(driver.connect(file)) as connection:
        tables = [
            connection.execute(f"SELECT rowid, * FROM {table}").fetchall() for table in sorted(APPEND_ONLY | QUEUES)
        ]
        return [*tables, connection.execute("SELECT * FROM sqlite_master ORDER BY name").fetchall()]


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("sql", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("pragma", ["recursive_triggers=OFF", "foreign_keys=OFF", "recursive_triggers=ON"])
def test_another_program_cannot_change_a_row(file: Path, driver: Any, sql: str, pragma: str) -> None:
    before = contents(file, driver)
    with closing(driver.connect(file, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA {pragma}")
        with pytest.raises(driver.DatabaseError, match="append-only"):
            connection.execute(sql).fetchall()
    assert contents(file, driver) == before


@pytest.mark.usefixtures("database")
def test_a_replacement_that_is_to_be_ignored_changes_nothing(file: Path, driver: Any) -> None:
    before = contents(file, driver)
    with closing(driver.connect(file, isolation_level=None)) as connection, pytest.raises(driver.IntegrityError):
        connection.execute(f"INSERT OR IGNORE INTO sign_log ({COLUMNS}) VALUES {entry('end')}")
    assert contents(file, driver) == before


@pytest.mark.usefixtures("database")
def test_a_new_row_is_still_accepted(file: Path, driver: Any) -> None:
    with closing(driver.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute(f"REPLACE INTO sign_log ({COLUMNS}) VALUES {entry('new', '3')}")
        assert connection.execute("SELECT count(*) FROM sign_log").fetchone() == (3,)
        connection.execute("ROLLBACK")


@pytest.mark.parametrize("sql", [*CHANGES.values(), *ATTACKS_ON_THE_SCHEMA.values()])
@pytest.mark.parametrize("door", ["writer", "reader"])
def test_the_services_own_connections_cannot_change_rows_or_schema(
    database: Database, file: Path, driver: Any, sql: str, door: str
) -> None:
    before = contents(file, driver)
    with (
        closing(getattr(database, door).raw_connection()) as connection,
        pytest.raises(driver.DatabaseError, match=REFUSED),
    ):
        connection.driver_connection.execute(sql).fetchall()
    assert contents(file, driver) == before


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
def test_the_services_own_connections_change_no_row_even_where_triggers_are_gone(
    tmp_path: Path, driver: Any, table: str
) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'seal.db'}", sqlite=driver)
    upgrade(database)
    with database.owner.begin() as connection:
        for act in ("update", "delete", "replace"):
            connection.exec_driver_sql(f"DROP TRIGGER {table}_no_{act}")
    key = next(iter(StoredRow.metadata.tables[table].primary_key.columns)).name
    for sql in (f"UPDATE {table} SET {key} = 'x'", f"DELETE FROM {table}"):
        with database.writer.connect() as connection, pytest.raises(DBAPIError, match="not authorized"):
            connection.exec_driver_sql(sql)
    database.close()


@pytest.mark.parametrize("sql", WRITES.values(), ids=WRITES)
def test_a_reading_connection_writes_nothing(database: Database, sql: str) -> None:
    with database.reader.connect() as connection, pytest.raises(DBAPIError, match="not authorized"):
        connection.exec_driver_sql(sql)
    with database.writer.connect() as connection:
        connection.exec_driver_sql(sql)
        connection.rollback()


def test_a_reading_connection_is_read_only_beneath_its_authorizer(database: Database) -> None:
    with database.reader.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.set_authorizer(None)
        with pytest.raises(DBAPIError, match="readonly"):
            connection.exec_driver_sql(WRITES["insert"])


def test_every_append_only_table_has_its_three_triggers(database: Database) -> None:
    with database.reader.connect() as connection:
        found = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
    expected = {f"{table}_no_{act}" for table in APPEND_ONLY | QUEUES for act in ("update", "delete", "replace")}
    assert set(found) == expected

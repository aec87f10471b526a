"""The log's tables do not change on PostgreSQL: every way that needs no superuser is tried on a real server."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from seal_service.domain.errors import InstanceNotReady
from seal_service.domain.events import EventKind
from seal_service.ports.records import PlacedEntry, PrivateField, StoredCheckpoint, TreeHead
from seal_service.storage.engine import Database, open_database
from seal_service.storage.schema import require_current, upgrade
from seal_service.storage.tables import APPEND_ONLY, FLEETING, QUEUES, StoredRow
from seal_service.storage.unit_of_work import SqlRecords
from tests.postgresql import APPLICATION, OWNER, Addresses, cluster, empty_database, lent_database, migrated_database
from tests.storage_samples import CODE, NOW, log_row

HARDENING = Path(__file__).parents[2] / "deploy" / "harden-postgresql.sql"

COLUMNS = "(entry_id, kind, seq, seal_code, result, at, canon, leaf_hash)"


def entry(entry_id: str, seq: int) -> str:
    """SQL of a row that says something else."""
    return f"INSERT INTO sign_log {COLUMNS} VALUES ('{entry_id}', 'seal.completed', {seq}, '{CODE}', '', 0, '', '')"


CHANGES_OF_ROWS = {
    "update": "UPDATE sign_log SET canon = ''",
    "update of one column": "UPDATE sign_log SET result = 'failure' WHERE entry_id = 'end'",
    "update from": "UPDATE sign_log SET canon = '' FROM log_pending p WHERE p.entry_id = sign_log.entry_id",
    "delete": "DELETE FROM sign_log",
    "delete using": "DELETE FROM sign_log USING log_pending p WHERE p.entry_id = sign_log.entry_id",
    "truncate": "TRUNCATE sign_log",
    "truncate all that refer to it": "TRUNCATE sign_log CASCADE",
    "truncate and restart": "TRUNCATE log_pending, log_terminal, private_field, sign_log RESTART IDENTITY",
    "upsert": f"{entry('end', 9)} ON CONFLICT (entry_id) DO UPDATE SET canon = ''",
    "upsert on the counter": f"{entry('new', 1)} ON CONFLICT (seal_code, seq) DO UPDATE SET canon = ''",
    "merge that updates": "MERGE INTO sign_log l USING sign_log n ON l.entry_id = n.entry_id "
    "WHEN MATCHED THEN UPDATE SET canon = ''",
    "merge that deletes": "MERGE INTO sign_log l USING sign_log n ON l.entry_id = n.entry_id WHEN MATCHED THEN DELETE",
    "in a common table expression": "WITH gone AS (DELETE FROM sign_log RETURNING *) SELECT count(*) FROM gone",
    "in one that nobody reads": "WITH changed AS (UPDATE sign_log SET canon = '' RETURNING 1) SELECT 1",
    "while it is explained": "EXPLAIN ANALYZE DELETE FROM sign_log",
    "prepared": "PREPARE away AS DELETE FROM sign_log; EXECUTE away",
    "in a block": "DO $$ BEGIN DELETE FROM sign_log; END $$",
    "in a block that forgives": "DO $$ BEGIN DELETE FROM sign_log; EXCEPTION WHEN unique_violation THEN NULL; END $$",
    "by a query as text": "SELECT query_to_xml('DELETE FROM sign_log', true, true, '')",
    "by a cursor": "DECLARE c CURSOR FOR SELECT * FROM sign_log FOR UPDATE; FETCH c; DELETE FROM sign_log "
    "WHERE CURRENT OF c",
    "by replication's role": "SET session_replication_role = replica; DELETE FROM sign_log",
    "terminal: update": "UPDATE log_terminal SET entry_id = 'other'",
    "terminal: delete": "DELETE FROM log_terminal",
    "terminal: truncate": "TRUNCATE log_terminal",
    "terminal: upsert": "INSERT INTO log_terminal VALUES ('intent', 'end') ON CONFLICT (intent_id) DO UPDATE "
    "SET entry_id = 'intent'",
    "leaf: update": "UPDATE log_leaf SET leaf_hash = ''",
    "leaf: delete": "DELETE FROM log_leaf",
    "leaf: truncate": "TRUNCATE log_leaf",
    "leaf: upsert": "INSERT INTO log_leaf VALUES (0, 'x', '') ON CONFLICT (idx) DO UPDATE SET leaf_hash = ''",
    "checkpoint: update": "UPDATE log_checkpoint SET root = ''",
    "checkpoint: delete": "DELETE FROM log_checkpoint",
    "checkpoint: truncate": "TRUNCATE log_checkpoint CASCADE",
    "cosignature: update": "UPDATE log_cosignature SET line = 'x'",
    "cosignature: delete": "DELETE FROM log_cosignature",
    "cosignature: truncate": "TRUNCATE log_cosignature",
    "queue: update": "UPDATE log_pending SET entry_id = 'x'",
    "queue: delete": "DELETE FROM log_pending",
    "queue: truncate": "TRUNCATE log_pending",
    "private: update": "UPDATE private_field SET ciphertext = ''",
    "private: delete": "DELETE FROM private_field",
    "private: truncate": "TRUNCATE private_field",
    "private: upsert": "INSERT INTO private_field VALUES ('end', 'name', '') ON CONFLICT (entry_id, name) DO UPDATE "
    "SET ciphertext = ''",
}

CHANGES_OF_TABLES = {
    "disable a trigger": "ALTER TABLE sign_log DISABLE TRIGGER sign_log_no_delete",
    "disable all triggers": "ALTER TABLE sign_log DISABLE TRIGGER USER",
    "let replication pass a trigger": "ALTER TABLE sign_log ENABLE TRIGGER sign_log_no_delete",
    "drop a trigger": "DROP TRIGGER sign_log_no_update ON sign_log",
    "rename a trigger": "ALTER TRIGGER sign_log_no_update ON sign_log RENAME TO sign_log_update",
    "empty the triggers' function": "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RETURN NEW; END $$",
    "drop the triggers' function": "DROP FUNCTION refuse_change() CASCADE",
    "a trigger before the others": "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RETURN NULL; END $$; CREATE TRIGGER a_swallow BEFORE INSERT ON sign_log "
    "FOR EACH ROW EXECUTE FUNCTION swallow()",
    "a rule instead of the insert": "CREATE RULE swallow AS ON INSERT TO sign_log DO INSTEAD NOTHING",
    "rewrite a column": "ALTER TABLE sign_log ALTER COLUMN canon TYPE bytea USING ''::bytea",
    "rewrite by another type": "ALTER TABLE sign_log ALTER COLUMN result TYPE integer USING 0",
    "drop a column": "ALTER TABLE sign_log DROP COLUMN canon",
    "add a column": "ALTER TABLE sign_log ADD COLUMN more text DEFAULT clock_timestamp()",
    "rename a column": "ALTER TABLE sign_log RENAME COLUMN result TO outcome",
    "rename the table": "ALTER TABLE sign_log RENAME TO old_log; CREATE TABLE sign_log (LIKE old_log)",
    "a view in its place": "ALTER TABLE sign_log RENAME TO old_log; CREATE VIEW sign_log AS SELECT * FROM old_log "
    "WHERE result <> 'failure'",
    "another schema": "CREATE SCHEMA away; ALTER TABLE sign_log SET SCHEMA away",
    "another schema in front": f"CREATE SCHEMA {APPLICATION}; CREATE TABLE {APPLICATION}.sign_log (LIKE sign_log)",
    "a table that inherits": "CREATE TABLE more_log () INHERITS (sign_log)",
    "a policy that hides rows": "ALTER TABLE sign_log ENABLE ROW LEVEL SECURITY",
    "drop a constraint": "ALTER TABLE sign_log DROP CONSTRAINT uq_sign_log_seal_code_seq",
    "drop an index": "DROP INDEX ix_sign_log_at",
    "drop the table": "DROP TABLE sign_log CASCADE",
    "drop the schema": "DROP SCHEMA public CASCADE",
    "drop what one owns": f"DROP OWNED BY {OWNER}",
    "a cascade from elsewhere": "CREATE TABLE lever (entry_id text PRIMARY KEY); ALTER TABLE log_terminal ADD "
    "FOREIGN KEY (entry_id) REFERENCES lever ON DELETE CASCADE NOT VALID",
    "a table of one's own": "CREATE TABLE another (a int)",
    "a table from a query": "SELECT * INTO another FROM sign_log",
    "a view": "CREATE VIEW another AS SELECT 1",
    "a function": "CREATE FUNCTION another() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a function that acts as its owner": "CREATE FUNCTION act() RETURNS void LANGUAGE sql SECURITY DEFINER AS "
    "'ALTER TABLE sign_log DISABLE TRIGGER USER'",
    "a temporary table in front": "CREATE TEMP TABLE sign_log (entry_id text)",
}

SAID_NO = r"append-only|permission denied|referenced in a foreign key|not allowed in a non-volatile function"

OF_THE_OWNER_ALONE = {
    "give more rights": f"GRANT ALL ON sign_log TO {APPLICATION}",
    "give rights to everybody": "GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC",
    "give rights from now on": f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {APPLICATION}",
}

OF_THE_APPLICATION_ALONE = {
    "take the table": f"ALTER TABLE sign_log OWNER TO {APPLICATION}",
    "act as the owner": f"SET ROLE {OWNER}",
    "be the owner": f"SET SESSION AUTHORIZATION {OWNER}",
    "join the owner": f"GRANT {OWNER} TO {APPLICATION}",
    "more rights for its role": f"ALTER ROLE {APPLICATION} SUPERUSER",
    "join those who write everything": f"GRANT pg_write_all_data TO {APPLICATION}",
    "lock the log for itself": "LOCK TABLE sign_log IN ACCESS EXCLUSIVE MODE",
    "lock rows of the log": "SELECT * FROM sign_log FOR UPDATE",
    "the catalog": "UPDATE pg_catalog.pg_trigger SET tgenabled = 'D'",
    "the server's settings": "ALTER SYSTEM SET fsync = off",
    "a file into the log": "COPY sign_log FROM '/etc/hostname'",
    "a program": "COPY sign_log TO PROGRAM 'true'",
    "the counter of the queue": "SELECT setval('log_pending_q_seq', 1)",
    "business rows are not deleted": "DELETE FROM unit",
    "business tables are not emptied": "TRUNCATE observation",
    "the revision": "UPDATE alembic_version SET version_num = '9'",
    "drop the database": "DROP DATABASE {database}",
    "rename the database": "ALTER DATABASE {database} RENAME TO another",
}


@dataclass(frozen=True)
class Log:
    """A database with a log of an intent and its end, with a private field; no test changes it."""

    addresses: Addresses

    @property
    def name(self) -> str:
        return self.addresses.url.rpartition("/")[2]

    def session(self, role: str) -> psycopg.Connection[Any]:
        """A session of a role as any program may open it."""
        return psycopg.connect(cluster().address(role, self.name, "postgresql"), autocommit=True)

    def contents(self) -> list[Any]:
        """Everything that the append-only tables and their triggers say."""
        with closing(cluster().superuser(self.name)) as connection:
            tables = [
                connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()
                for name in sorted(APPEND_ONLY | QUEUES)
            ]
            of_triggers = "SELECT tgrelid::regclass::text, tgname, tgenabled, prosrc FROM pg_trigger JOIN pg_proc p "
            triggers = connection.execute(f"{of_triggers} ON p.oid = tgfoid WHERE NOT tgisinternal ORDER BY 1, 2")
            return [*tables, triggers.fetchall()]

    def refused(self, role: str, sql: str) -> str:
        """What the server says no with; AssertionError when something was changed."""
        before = self.contents()
        with closing(self.session(role)) as session, pytest.raises(psycopg.Error) as raised:
            session.execute(sql.replace("{database}", self.name))
        assert self.contents() == before
        return str(raised.value)


@contextmanager
def a_log() -> Iterator[Log]:
    """A log in a database that the program itself has made ready, with all its rights."""
    addresses = empty_database("append_only")
    with closing(open_database(addresses.url, addresses.owner_url)) as database:
        upgrade(database)
        fill(database)
    yield Log(addresses)
    cluster().drop(addresses)


def fill(database: Database) -> None:
    private = (PrivateField(name="name", ciphertext=b"kept"),)
    with SqlRecords(database).write() as transaction:
        transaction.log.insert(log_row("intent", EventKind.SEAL_INTENT, seq=1, seal_code=CODE))
        ended = log_row("end", EventKind.SEAL_COMPLETED, seq=2, seal_code=CODE, intent_id="intent", private=private)
        transaction.log.insert(ended)
        (waiting,) = transaction.tree.pending(1)
        placed = PlacedEntry(place=0, entry_id="intent", leaf_hash=waiting.leaf_hash)
        transaction.tree.place([placed], [waiting.position], TreeHead(size=1, hashes=(waiting.leaf_hash,)), {})
        transaction.tree.insert_checkpoint(StoredCheckpoint(size=1, root=waiting.leaf_hash, note=b"note", at=NOW))
        transaction.tree.insert_cosignature(1, "line", NOW)
        transaction.commit()


@pytest.fixture(scope="module")
def log() -> Iterator[Log]:
    with a_log() as made:
        yield made


@pytest.fixture(scope="module")
def hardened() -> Iterator[Log]:
    with a_log() as made:
        assert psql(made.name) == "the tables are frozen\n"
        yield made


def psql(database: str, *options: str, role: str = "postgres") -> str:
    """Run the hardening script as its first lines say."""
    made = cluster()
    connection = {"PGHOST": "127.0.0.1", "PGPORT": str(made.port), "PGUSER": role, "PGPASSWORD": made.password}
    command = [str(made.programs / "psql"), "--no-psqlrc", "--dbname", database, *options, "--file", str(HARDENING)]
    done = subprocess.run(command, env=os.environ | connection, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("sql", CHANGES_OF_ROWS.values(), ids=CHANGES_OF_ROWS)
def test_the_application_changes_no_row_of_the_log(log: Log, sql: str) -> None:
    assert re.search(SAID_NO, log.refused(APPLICATION, sql))


@pytest.mark.parametrize("sql", [*CHANGES_OF_TABLES.values(), *OF_THE_APPLICATION_ALONE.values()])
def test_the_application_changes_no_table_no_right_and_no_setting(log: Log, sql: str) -> None:
    log.refused(APPLICATION, sql)


@pytest.mark.parametrize("sql", CHANGES_OF_ROWS.values(), ids=CHANGES_OF_ROWS)
def test_the_owner_changes_no_row_of_the_log(log: Log, sql: str) -> None:
    assert re.search(SAID_NO, log.refused(OWNER, sql))


@pytest.mark.parametrize("sql", CHANGES_OF_ROWS.values(), ids=CHANGES_OF_ROWS)
def test_not_even_replication_changes_a_row_of_the_log(log: Log, sql: str) -> None:
    """ENABLE ALWAYS: a superuser who switches ordinary triggers off still has to switch off these."""
    before = log.contents()
    with closing(log.session("postgres")) as session:
        session.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.Error, match=SAID_NO):
            session.execute(sql)
    assert log.contents() == before


@pytest.mark.parametrize(
    "sql", (CHANGES_OF_TABLES | OF_THE_OWNER_ALONE).values(), ids=CHANGES_OF_TABLES | OF_THE_OWNER_ALONE
)
def test_only_the_hardening_keeps_the_owner_from_changing_the_tables(log: Log, hardened: Log, sql: str) -> None:
    with closing(log.session(OWNER)) as session, session.transaction(force_rollback=True):
        session.execute(sql)
    assert "frozen" in hardened.refused(OWNER, sql)


def test_only_the_hardening_keeps_the_owner_from_dropping_the_database(hardened: Log) -> None:
    unprotected = Log(migrated_database("dropped"))
    for made in (unprotected, hardened):
        address = cluster().address(OWNER, "postgres", "postgresql")
        with closing(psycopg.connect(address, autocommit=True)) as session:
            if made is hardened:
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="must be owner"):
                    session.execute(f"DROP DATABASE {made.name}")
            else:
                session.execute(f"DROP DATABASE {made.name}")


@pytest.mark.parametrize("name", ["seal_no_command", "seal_no_drop", "seal_no_rewrite"])
def test_the_owner_cannot_lift_the_hardening(hardened: Log, name: str) -> None:
    for sql in (
        f"ALTER EVENT TRIGGER {name} DISABLE",
        f"DROP EVENT TRIGGER {name}",
        "DROP SCHEMA seal_hardening CASCADE",
    ):
        assert "must be owner" in hardened.refused(OWNER, sql) or "frozen" in hardened.refused(OWNER, sql)


def test_a_migration_runs_once_the_hardening_is_lifted_and_the_service_works_in_between() -> None:
    with lent_database("lifted") as addresses, closing(open_database(addresses.url, addresses.owner_url)) as database:
        fill(database)
        made = Log(addresses)
        psql(made.name)
        psql(made.name)  # twice is once
        with pytest.raises(InstanceNotReady, match="lacks a right"):
            upgrade(database)
        with SqlRecords(database).write() as transaction:
            transaction.log.insert(log_row("later"))
            transaction.commit()
        assert "tables can be changed" in psql(made.name, "--set", "lift=yes")
        with database.owner.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE another (a int)")
        upgrade(database)
        psql(made.name)
        assert "frozen" in made.refused(OWNER, "DROP TABLE another")
        require_current(database)


def test_a_temporary_table_does_not_stand_in_front_of_ours(log: Log) -> None:
    """Where the owner could not take TEMPORARY away, the order in which names are looked up still holds."""
    with closing(cluster().superuser()) as superuser:
        superuser.execute(f"GRANT TEMPORARY ON DATABASE {log.name} TO {APPLICATION}")
        try:
            with closing(open_database(log.addresses.url)) as database, database.writer.connect() as connection:
                connection.exec_driver_sql("CREATE TEMP TABLE sign_log (entry_id text)")
                asked = connection.exec_driver_sql("SELECT count(*), min(tableoid::regclass::text) FROM sign_log")
                assert asked.one() == (2, "sign_log")
                at = connection.exec_driver_sql("SELECT DISTINCT tableoid = 'public.sign_log'::regclass FROM sign_log")
                assert at.scalars().all() == [True]
                connection.rollback()
        finally:
            superuser.execute(f"REVOKE TEMPORARY ON DATABASE {log.name} FROM {APPLICATION}")


def test_the_application_has_exactly_the_rights_that_it_needs(log: Log) -> None:
    with closing(cluster().superuser(log.name)) as connection:
        found = connection.execute(
            "SELECT table_name, string_agg(privilege_type, ' ' ORDER BY privilege_type), min(grantee) "
            "FROM information_schema.role_table_grants WHERE table_schema = 'public' AND grantee <> %s GROUP BY 1",
            [OWNER],
        ).fetchall()
        may = connection.execute(
            "SELECT has_database_privilege(%(role)s, %(name)s, 'TEMPORARY'), "
            "has_database_privilege(%(role)s, %(name)s, 'CREATE'), has_schema_privilege(%(role)s, 'public', 'CREATE'), "
            "has_sequence_privilege(%(role)s, 'log_pending_q_seq', 'USAGE, SELECT, UPDATE'), "
            "has_database_privilege('public', %(name)s, 'CONNECT')",
            {"role": APPLICATION, "name": log.name},
        ).fetchone()
    expected = {
        name: "INSERT SELECT" if name in APPEND_ONLY | QUEUES else "INSERT SELECT UPDATE"
        for name in StoredRow.metadata.tables
    }
    expected |= dict.fromkeys(FLEETING, "DELETE INSERT SELECT UPDATE")
    expected |= dict.fromkeys(QUEUES, "DELETE INSERT SELECT")
    assert {name: rights for name, rights, _ in found} == {**expected, "alembic_version": "SELECT"}
    assert {grantee for _, _, grantee in found} == {APPLICATION}
    assert may == (False,) * 5


@pytest.mark.parametrize("made_one_of", [OWNER, "pg_write_all_data"])
def test_a_role_that_may_change_the_log_by_another_one_is_refused_at_the_start(made_one_of: str) -> None:
    with lent_database("member") as addresses, closing(open_database(addresses.url, addresses.owner_url)) as database:
        require_current(database)
        with closing(cluster().superuser()) as superuser:
            superuser.execute(f"GRANT {made_one_of} TO {APPLICATION}")
            try:
                for act in (require_current, upgrade):
                    with pytest.raises(InstanceNotReady, match=r"may UPDATE log_checkpoint.*a role of its own"):
                        act(database)
            finally:
                superuser.execute(f"REVOKE {made_one_of} FROM {APPLICATION}")


def test_a_reading_transaction_writes_nothing(log: Log) -> None:
    with closing(open_database(log.addresses.url)) as database:
        for sql in ("INSERT INTO seal_code_sequence VALUES ('999900', 1)", "SELECT nextval('log_pending_q_seq')"):
            with (
                database.reader.connect() as connection,
                pytest.raises(DBAPIError, match=r"read-only|permission denied"),
            ):
                connection.exec_driver_sql(sql)


def test_every_append_only_table_has_its_three_triggers_always(log: Log) -> None:
    triggers = {(table, name): enabled for table, name, enabled, _ in log.contents()[-1]}
    acts = ("update", "delete", "truncate")
    assert triggers == {(table, f"{table}_no_{act}"): "A" for table in APPEND_ONLY | QUEUES for act in acts}

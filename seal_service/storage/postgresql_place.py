"""The empty place of a restore whose database is PostgreSQL's: loaded in one transaction, completed in another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection

from seal_service.domain.backup import Backup, DatabaseFacts
from seal_service.domain.errors import BackupRefused
from seal_service.ports.records import Transaction
from seal_service.storage import schema
from seal_service.storage.database_facts import facts_of
from seal_service.storage.engine import Database
from seal_service.storage.postgresql_copies import REVISION_TABLE, server_version
from seal_service.storage.postgresql_programs import program, restored
from seal_service.storage.refusals import database_failures
from seal_service.storage.restore_place import RestoredHome
from seal_service.storage.unit_of_work import SqlTransaction

_TABLES = """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY c.relname"""


class PostgresqlPlace:
    """A place whose database is an empty one of a server, reached by the role that is to own its tables."""

    def __init__(self, home: RestoredHome, database: Database, owner_url: str) -> None:
        self._home = home
        self._database = database
        self._url = owner_url

    def require_empty(self, backup: Backup) -> None:
        """Neither home nor tables, or what an interrupted restore of this backup left; BackupRefused."""
        self._home.require_empty(backup)
        with self._owner() as connection:
            tables = connection.exec_driver_sql(_TABLES).scalars().all()
            if tables and not (self._home.is_begun(backup) and _is_unfinished(connection, tables)):
                raise BackupRefused(
                    f"There are tables in the database already ({tables[0]}, …): restore into a new, empty database"
                )

    def begin(self, backup: Backup) -> None:
        """Note the backup."""
        self._home.begin(backup)

    def put_blob(self, digest: str, content: bytes) -> None:
        """Keep a blob."""
        self._home.put_blob(digest, content)

    def put_database(self, backup: Backup, content: Iterable[bytes]) -> DatabaseFacts:
        """Load the dump in one transaction, without the row that would make an instance of it; what it holds."""
        with self._owner() as connection:
            again = bool(connection.exec_driver_sql(_TABLES).scalars().all())
            version = server_version(connection)
        command = [
            program("pg_restore", version),
            "--single-transaction",
            "--exit-on-error",
            "--no-owner",
            "--no-privileges",
            "--schema=public",
            *(["--clean", "--if-exists"] if again else []),
        ]
        restored(self._url, command, content)
        with self._owner() as connection:
            return replace(facts_of(connection), schema_revision=backup.manifest.database.schema_revision)

    @contextmanager
    def finishing(self, backup: Backup) -> Iterator[Transaction]:
        """One transaction: the revision, what newer ones add, the application's rights, and what the caller adds."""
        with database_failures(), self._database.owner.connect() as connection:
            transaction = SqlTransaction(connection, self._database.commit)
            revision = {"revision": backup.manifest.database.schema_revision}
            connection.exec_driver_sql(f"INSERT INTO {REVISION_TABLE} VALUES (%(revision)s)", revision)  # noqa: S608
            schema.upgrade_on(connection, self._database.application_role)
            yield transaction
        self._home.end()

    @contextmanager
    def _owner(self) -> Iterator[Connection]:
        with database_failures(), self._database.owner.begin() as connection:
            yield connection


def _is_unfinished(connection: Connection, tables: Iterable[str]) -> bool:
    """Whether the tables are those of a restore that was interrupted: they have no revision yet."""
    if REVISION_TABLE not in tables:
        return False
    return not connection.exec_driver_sql(f"SELECT version_num FROM {REVISION_TABLE}").all()  # noqa: S608

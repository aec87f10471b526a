"""Copies of a PostgreSQL database while it is in use, by pg_dump in the snapshot from which the figures come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from seal_service.domain.backup import DatabaseFacts, NamedBlob
from seal_service.domain.errors import InstanceNotReady
from seal_service.ports.backup import Told
from seal_service.storage.database_facts import blobs_named, facts_of
from seal_service.storage.engine import Database
from seal_service.storage.postgresql_programs import dumped, program
from seal_service.storage.refusals import database_failures

REVISION_TABLE = "alembic_version"
"""Restored empty and filled last: a database without revision is no instance yet."""


class ExportedState:
    """A snapshot that another session can read, as long as this one lasts."""

    def __init__(self, connection: Connection, url: str) -> None:
        self.facts: DatabaseFacts = facts_of(connection)
        self._connection = connection
        self._url = url
        self._snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()

    def blobs(self) -> AbstractContextManager[Iterator[NamedBlob]]:
        """Every blob that this state names."""
        return blobs_named(self._connection)

    def content(self) -> Iterator[bytes]:
        """The dump in PostgreSQL's custom form, without owner, rights and the revision's row."""
        return dumped(
            self._url,
            [
                program("pg_dump", server_version(self._connection)),
                "--format=custom",
                "--schema=public",
                "--no-owner",
                "--no-privileges",
                f"--exclude-table-data=public.{REVISION_TABLE}",
                f"--snapshot={self._snapshot}",
            ],
        )


@dataclass(frozen=True)
class PostgresqlCopies:
    """Dumps of a database by the role that owns its tables. Writers go on; only changes of the schema wait."""

    database: Database
    owner_url: str | None

    @contextmanager
    def state(self, told: Told) -> Iterator[ExportedState]:
        """The state now; InstanceNotReady without the owner's address, ProgramMissing without pg_dump."""
        if self.owner_url is None:
            raise InstanceNotReady(
                "A backup is made by the role that owns the tables: set its address in SEAL_DATABASE_OWNER_URL"
            )
        told("dumping the database", 0, 0)
        with database_failures(), one_state(self.database.owner) as connection:
            yield ExportedState(connection, self.owner_url)


@contextmanager
def one_state(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state and changes nothing, for as long as it is read."""
    with engine.connect() as connection:
        reading = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with reading.begin():
            reading.exec_driver_sql("SET LOCAL statement_timeout = 0")
            reading.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield reading


def server_version(connection: Connection) -> int:
    """The server's major version."""
    version: int = connection.exec_driver_sql("SELECT current_setting('server_version_num')::int / 10000").scalar_one()
    return version

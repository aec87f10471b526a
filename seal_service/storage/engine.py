"""The database: how its connections are opened, so that what was committed stays and what was logged is not changed."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from seal_service.domain.errors import InstanceNotReady, InvalidInput
from seal_service.storage.authorizer import Authorizer, readers_authorizer, writers_authorizer

BUSY_SECONDS = 10.0
READING_CONNECTIONS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The engines of one database, by what they may do; close it when the program ends."""

    writer: Engine
    """Transactions that may write what the authorizer allows. One connection a process: threads queue for it."""
    reader: Engine
    """Transactions that only read."""
    owner: Engine
    """Migrations alone: it may change the schema, and it makes the file."""
    durability: str
    """How commits are made durable, for health."""

    def close(self) -> None:
        """Close all connections."""
        for engine in (self.writer, self.reader, self.owner):
            engine.dispose()


def open_database(url: str, sqlite: ModuleType | None = None) -> Database:
    """The database at a SQLAlchemy URL; InvalidInput for one that is not an SQLite file.

    `sqlite`: the DB-API module; None: pysqlite3, which bundles a current SQLite, or else Python's own.
    """
    path = sqlite_path(url)
    module = sqlite or sqlite_module()
    safe = wal_is_safe(module.sqlite_version_info)
    journal = "WAL" if safe else "PERSIST"
    synchronous = "FULL" if safe else "EXTRA"
    reason = "" if safe else " because its WAL mode can lose commits (sqlite.org/wal.html, WAL-reset bug)"
    write = ("BEGIN IMMEDIATE", "rw", f"PRAGMA synchronous={synchronous}", journal)
    return Database(
        writer=_engine(module, path, *write, writers_authorizer, connections=1),
        # Not mode=ro: such a connection could not roll back what a killed process left in a rollback journal.
        reader=_engine(module, path, "BEGIN", "rw", "PRAGMA query_only=ON", None, readers_authorizer),
        owner=_engine(module, path, "BEGIN IMMEDIATE", "rwc", *write[2:], None, connections=1),
        durability=f"SQLite {module.sqlite_version}: journal_mode={journal}, synchronous={synchronous}{reason}",
    )


def sqlite_module() -> ModuleType:
    """pysqlite3 where it is installed, else Python's own sqlite3."""
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return importlib.import_module("sqlite3.dbapi2")


def plain_connection(path: Path) -> Any:
    """A connection of the DB-API to an SQLite file that is there, for SQLite's own means: backup and checks."""
    connect = sqlite_module().connect
    return connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite's WAL mode keeps every commit: fixed in 3.51.3, 3.50.7 and 3.44.6 (WAL-reset bug)."""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def sqlite_path(url: str) -> Path:
    """The file of a SQLAlchemy URL; InvalidInput for one that is not an SQLite file."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidInput("The database URL cannot be read", field="database_url") from error
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:") or parsed.query:
        raise InvalidInput("The database is an SQLite file: sqlite:///path", field="database_url")
    return Path(str(parsed.database)).absolute()


def _engine(
    module: ModuleType,
    path: Path,
    begin: str,
    mode: str,
    setting: str,
    journal: str | None,
    authorizer: Authorizer | None,
    connections: int = READING_CONNECTIONS,
) -> Engine:
    def connect() -> Any:
        if mode == "rwc":
            _make_file(path)
        connection = module.connect(
            f"file:{quote(str(path))}?mode={mode}",
            uri=True,
            timeout=BUSY_SECONDS,
            isolation_level=None,  # transactions begin where SQLAlchemy begins them, see below
            check_same_thread=False,
            cached_statements=512,
        )
        for pragma in ("foreign_keys=ON", "recursive_triggers=ON", "trusted_schema=OFF"):
            connection.execute(f"PRAGMA {pragma}")
        if journal is not None:
            _set_journal(connection, journal)
        connection.execute(setting)
        if authorizer is not None:
            connection.set_authorizer(authorizer)
        return connection

    engine = create_engine(
        "sqlite://",
        module=module,
        creator=connect,
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=BUSY_SECONDS,
    )

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _make_file(path: Path) -> None:
    """Make the file readable to its owner alone; SQLite gives its journal and WAL the same mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _set_journal(connection: Any, journal: str) -> None:
    (reached,) = connection.execute(f"PRAGMA journal_mode={journal}").fetchone()
    if reached.upper() != journal:
        connection.close()
        raise InstanceNotReady(f"The database stays in journal mode {reached}; this program needs {journal}")

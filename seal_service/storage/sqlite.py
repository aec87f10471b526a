"""SQLite: one file, written by one transaction at a time; for one machine."""

from __future__ import annotations

import importlib
import os
import time
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, QueuePool, RootTransaction, create_engine, event, make_url

from seal_service.domain.errors import InstanceNotReady, InvalidInput
from seal_service.storage.authorizer import Authorizer, readers_authorizer, writers_authorizer
from seal_service.storage.engine import CONNECTIONS, Database, Durability

BUSY_SECONDS = 10.0
"""How long one waits for another's write transaction."""
UPGRADE_BUSY_SECONDS = 60.0
"""The same for who upgrades the schema: another that does it holds the database through all its migrations."""
_JOURNAL_PAUSE = 0.01


def open_sqlite(url: str, sqlite: ModuleType | None = None) -> Database:
    """The database in a file; InvalidInput for what is none, such as one in memory."""
    path = sqlite_path(url)
    module = sqlite or sqlite_module()
    safe = wal_is_safe(module.sqlite_version_info)
    journal = "WAL" if safe else "PERSIST"
    synchronous = "FULL" if safe else "EXTRA"
    reason = "" if safe else " because its WAL mode can lose commits (sqlite.org/wal.html, WAL-reset bug)"
    words = f"SQLite {module.sqlite_version}: journal_mode={journal}, synchronous={synchronous}{reason}"
    write = ("BEGIN IMMEDIATE", "rw", f"PRAGMA synchronous={synchronous}", journal)
    return Database(
        writer=_engine(module, path, *write, writers_authorizer, connections=1),
        # Not mode=ro: such a connection could not roll back what a killed process left in a rollback journal.
        reader=_engine(module, path, "BEGIN", "rw", "PRAGMA query_only=ON", None, readers_authorizer),
        migrator=_engine(
            module, path, "BEGIN IMMEDIATE", "rwc", *write[2:], None, connections=1, busy_seconds=UPGRADE_BUSY_SECONDS
        ),
        application_role=None,
        commit=RootTransaction.commit,
        # Nothing to wait for: a commit in SQLite is durable when it returns, or did not happen.
        confirm=lambda: None,
        ask_durability=lambda: Durability(words=words, sound=True),
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
    parsed = make_url(url)
    if parsed.database in (None, "", ":memory:") or parsed.query:
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
    connections: int = CONNECTIONS,
    busy_seconds: float = BUSY_SECONDS,
) -> Engine:
    def connect() -> Any:
        if mode == "rwc":
            _make_file(path)
        connection = module.connect(
            f"file:{quote(str(path))}?mode={mode}",
            uri=True,
            timeout=busy_seconds,
            isolation_level=None,  # transactions begin where SQLAlchemy begins them, see below
            check_same_thread=False,
            cached_statements=512,
        )
        for pragma in ("foreign_keys=ON", "recursive_triggers=ON", "trusted_schema=OFF"):
            connection.execute(f"PRAGMA {pragma}")
        if journal is not None:
            _set_journal(connection, journal, busy_seconds)
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
        hide_parameters=True,
    )

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _make_file(path: Path) -> None:
    """Make the file readable to its owner alone; SQLite gives its journal and WAL the same mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _set_journal(connection: Any, journal: str, busy_seconds: float) -> None:
    """Set how the file is written, once its first writers have agreed.

    SQLite answers "database is locked" at once, however long it was told to wait, when another connection is about to
    write while this one would change the mode: two programs that open a new file together.
    """
    due = time.monotonic() + busy_seconds
    while True:
        try:
            (reached,) = connection.execute(f"PRAGMA journal_mode={journal}").fetchone()
            break
        except connection.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > due:
                connection.close()
                raise
            time.sleep(_JOURNAL_PAUSE)
    if reached.upper() != journal:
        connection.close()
        raise InstanceNotReady(f"The database stays in journal mode {reached}; this program needs {journal}")

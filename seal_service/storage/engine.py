"""The database: how its connections are opened, so that what was committed stays and what was logged is not changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from sqlalchemy import Engine, RootTransaction, make_url
from sqlalchemy.exc import ArgumentError

from seal_service.domain.errors import InstanceNotReady, InvalidInput

CONNECTIONS = 16
"""Connections of one process for each kind of transaction, unless it is told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Durability:
    """What a commit is worth: in words, and whether it survives a loss of power."""

    words: str
    sound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The engines of one database, by what they may do; close it when the program ends."""

    writer: Engine
    """Transactions that may write what the application may; threads queue for its connections."""
    reader: Engine
    """Transactions that only read, each of one consistent state."""
    migrator: Engine | None
    """None: this process was not told the owner's address."""
    application_role: str | None
    """The role that rights on the tables are given to; None where the engine knows no roles."""
    commit: Callable[[RootTransaction], None]
    """Commit; OutcomeUnknown when the server does not say whether it did."""
    confirm: Callable[[], None]
    """Wait until everything that was committed before is durable wherever commits are; OutcomeUnknown, Unavailable."""
    ask_durability: Callable[[], Durability]

    @property
    def owner(self) -> Engine:
        """Migrations alone: it may change the schema. InstanceNotReady when the owner's address is not known."""
        if self.migrator is None:
            raise InstanceNotReady(
                "This changes the database's tables: give the address of the role that owns them in "
                "SEAL_DATABASE_OWNER_URL"
            )
        return self.migrator

    @property
    def durability(self) -> str:
        """How commits are made durable, for health; Unavailable when the database does not answer."""
        return self.ask_durability().words

    @property
    def is_durable(self) -> bool:
        """Whether what was committed survives a loss of power; Unavailable when the database does not answer."""
        return self.ask_durability().sound

    def close(self) -> None:
        """Close all connections."""
        for engine in (self.writer, self.reader, self.migrator):
            if engine is not None:
                engine.dispose()


def open_database(
    url: str, owner_url: str | None = None, *, connections: int = CONNECTIONS, sqlite: ModuleType | None = None
) -> Database:
    """The database at a SQLAlchemy URL, sqlite:///path or postgresql+psycopg://role@host/name; nothing is asked of it.

    `owner_url`: on PostgreSQL, the role that owns the tables. `connections`: on PostgreSQL, of this process for each
    kind of transaction. `sqlite`: the DB-API module; None: pysqlite3, which bundles a current SQLite, or else Python's
    own. Raises InvalidInput for any other address, without repeating it: it may hold a password.
    """
    kind = _kind(url, "database_url")
    if owner_url is not None and _kind(owner_url, "database_owner_url") != kind:
        raise InvalidInput("The database and its owner's address are of different kinds", field="database_owner_url")
    if kind == "sqlite":
        from seal_service.storage.sqlite import open_sqlite

        return open_sqlite(url, sqlite)
    if kind == "postgresql":
        from seal_service.storage.postgresql import open_postgresql

        return open_postgresql(url, owner_url, connections)
    raise InvalidInput("The database is sqlite:///path or postgresql+psycopg://role@host/name", field="database_url")


def _kind(url: str, field: str) -> str:
    try:
        return make_url(url).get_backend_name()
    except (ArgumentError, ValueError):  # neither's text is passed on: it may hold the password
        raise InvalidInput("The database's address is no URL that SQLAlchemy can read", field=field) from None

"""The schema of the database and its migrations.

Alembic is loaded only to migrate: every command asks for the schema's state, and few change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from seal_service.domain.errors import InstanceNotReady, Unavailable
from seal_service.storage.engine import Database
from seal_service.storage.refusals import database_failures, sqlstate
from seal_service.storage.rights import give_rights, require_separate_roles

if TYPE_CHECKING:
    from alembic.config import Config

REVISIONS = tuple(f"{number:04d}" for number in range(1, 15))
"""The revisions in migrations/versions, oldest first."""
HEAD = REVISIONS[-1]

_PACKAGE = Path(__file__).parent.parent
_UPGRADE_LOCK = 0x5EA1


class SchemaState(StrEnum):
    """How a database's schema stands to this program's."""

    CURRENT = "current"
    ABSENT = "absent"
    OLDER = "older"
    UNKNOWN = "unknown"
    """Made by a newer program, as a rule."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Schema:
    """A database's schema, and what to do about it."""

    state: SchemaState
    sentence: str


def upgrade(database: Database) -> None:
    """Bring the database to this program's schema, in one transaction, and give the application's role its rights.

    Raises InstanceNotReady when the database has a revision that this program does not know, when the owner's address
    is not known, or when the application's role may do more than it should.
    """
    with database_failures(), database.owner.begin() as connection:
        upgrade_on(connection, database.application_role)


def upgrade_on(connection: Connection, application_role: str | None) -> None:
    """The same within a transaction of the owner's."""
    from alembic import command
    from alembic.util import CommandError

    if connection.dialect.name == "postgresql":  # SQLite's transaction is the only one anyway
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_UPGRADE_LOCK})")
    try:
        command.upgrade(alembic_config(connection), "head")
    except CommandError as error:
        raise InstanceNotReady(_unknown(_revisions(connection)).sentence) from error
    if application_role is not None:
        give_rights(connection, application_role)


def knows(revision: str) -> bool:
    """Whether a revision is this program's or one before it."""
    return revision in REVISIONS


def state_of(engine: Engine) -> Schema:
    """The schema that a database has; it is not made by asking. Unavailable when the server does not answer."""
    try:
        with engine.connect() as connection:
            found = _revisions(connection)
    except (DatabaseError, PoolTimeoutError) as error:
        return _without_revision(error)
    if found == [HEAD]:
        return Schema(SchemaState.CURRENT, "The database has this program's schema")
    if not found:
        return _absent()
    if len(found) == 1 and found[0] in REVISIONS:
        told = f"The database has the schema {found[0]} of an older program, this one needs {HEAD}: back it up and run "
        return Schema(SchemaState.OLDER, f"{told}`seal db upgrade`")
    return _unknown(found)


def require_current(database: Database) -> None:
    """Raise InstanceNotReady, with what to do, unless a program can work with the database as it is."""
    found = state_of(database.reader)
    if found.state is not SchemaState.CURRENT:
        raise InstanceNotReady(found.sentence)
    if database.application_role is not None:
        with database_failures(), database.reader.connect() as connection:
            require_separate_roles(connection, database.application_role)


def _revisions(connection: Connection) -> list[str]:
    return list(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars())


def _absent() -> Schema:
    return Schema(SchemaState.ABSENT, "The database has no tables of this service: run `seal init`")


def _unknown(found: list[str]) -> Schema:
    told = f"The database has the schema {', '.join(found)}, which this program does not know (its newest is {HEAD}): "
    return Schema(SchemaState.UNKNOWN, f"{told}install the program that made it, or a newer one")


def _without_revision(error: DatabaseError | PoolTimeoutError) -> Schema:
    """What it means that the revision could not be read."""
    told = str(getattr(error, "orig", ""))
    state = sqlstate(error) if isinstance(error, DatabaseError) else ""
    if state == "42P01" or "no such table" in told or "unable to open database file" in told:
        return _absent()
    if state == "42501":
        return Schema(
            SchemaState.UNREADABLE, "The database's role may not read its tables: run `seal db upgrade`, which lets it"
        )
    if isinstance(error, OperationalError | PoolTimeoutError):
        raise Unavailable("The database does not answer: is its server running, are address and password right?")
    return Schema(SchemaState.UNREADABLE, "The database's file is no SQLite database, or it is damaged: restore it")


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration: the migrations of the wheel, or of the repository when it runs from there."""
    from alembic.config import Config

    packaged = _PACKAGE / "_migrations"
    directory = packaged if packaged.is_dir() else _PACKAGE.parent / "migrations"
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    return config

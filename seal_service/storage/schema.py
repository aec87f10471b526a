"""The schema of the database and its migrations."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError

from seal_service.domain.errors import InstanceNotReady

_PACKAGE = Path(__file__).parent.parent


def upgrade(engine: Engine) -> None:
    """Bring the database to this program's schema, in one transaction; `engine` is the owner's.

    Raises InstanceNotReady when the database has a revision that this program does not know.
    """
    with engine.begin() as connection:
        try:
            command.upgrade(alembic_config(connection), "head")
        except CommandError as error:
            raise InstanceNotReady("The database was made by another version of this program") from error


def is_current(engine: Engine) -> bool:
    """Whether the database has exactly the schema of this program; False also when there is no database."""
    script = ScriptDirectory.from_config(alembic_config())
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_heads()
    except DatabaseError:
        return False
    return set(found) == set(script.get_heads())


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration: the migrations of the wheel, or of the repository when it runs from there."""
    packaged = _PACKAGE / "_migrations"
    directory = packaged if packaged.is_dir() else _PACKAGE.parent / "migrations"
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    return config

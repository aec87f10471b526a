"""The schema of the database and its migrations.

Alembic is loaded only to migrate: every command asks whether the schema is current, and few change it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError

from seal_service.domain.errors import InstanceNotReady

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0002"
"""The newest revision in migrations/versions."""

_PACKAGE = Path(__file__).parent.parent


def upgrade(engine: Engine) -> None:
    """Bring the database to this program's schema, in one transaction; `engine` is the owner's.

    Raises InstanceNotReady when the database has a revision that this program does not know.
    """
    from alembic import command
    from alembic.util import CommandError

    with engine.begin() as connection:
        try:
            command.upgrade(alembic_config(connection), "head")
        except CommandError as error:
            raise InstanceNotReady("The database was made by another version of this program") from error


def knows(revision: str) -> bool:
    """Whether a revision is this program's or one before it."""
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    try:
        return bool(revision) and ScriptDirectory.from_config(alembic_config()).get_revision(revision) is not None
    except CommandError:
        return False


def is_current(engine: Engine) -> bool:
    """Whether the database has exactly the schema of this program; False also when there is no database."""
    try:
        with engine.connect() as connection:
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    except DatabaseError:
        return False
    return list(found) == [HEAD]


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration: the migrations of the wheel, or of the repository when it runs from there."""
    from alembic.config import Config

    packaged = _PACKAGE / "_migrations"
    directory = packaged if packaged.is_dir() else _PACKAGE.parent / "migrations"
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    return config

"""The schema that the migrations make is the one that the program's tables describe."""

from __future__ import annotations

import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

import seal_service.storage.schema as schema
from seal_service.domain.errors import InstanceNotReady, InvalidInput
from seal_service.storage.engine import Database, open_database
from seal_service.storage.queries import SqlQueries
from seal_service.storage.schema import HEAD, alembic_config, is_current, upgrade
from seal_service.storage.tables import StoredRow


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database that does not exist yet."""
    opened = open_database(f"sqlite:///{tmp_path / 'home' / 'seal.db'}")
    yield opened
    opened.close()


def set_revision(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = ?", (revision,))


def test_reading_does_not_make_a_database(database: Database, tmp_path: Path) -> None:
    assert not is_current(database.reader)
    assert not SqlQueries(database).schema_is_current()
    assert list(tmp_path.rglob("*.db")) == []


def test_upgrade_makes_the_tables_that_the_program_describes(database: Database) -> None:
    upgrade(database.owner)
    assert is_current(database.reader)
    with database.owner.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, StoredRow.metadata) == []
        command.check(alembic_config(connection))


def test_the_head_that_is_compared_with_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [HEAD]


def test_upgrade_again_changes_nothing(database: Database) -> None:
    upgrade(database.owner)
    upgrade(database.owner)
    assert is_current(database.reader)


def test_two_programs_may_upgrade_at_once(database: Database, tmp_path: Path) -> None:
    other = open_database(f"sqlite:///{tmp_path / 'home' / 'seal.db'}")
    failures: list[BaseException] = []

    def run(engine: Engine) -> None:
        try:
            upgrade(engine)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(one.owner,)) for one in (database, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert failures == []
    assert is_current(database.reader)


def test_a_database_of_another_revision_is_not_current_and_is_not_touched(database: Database) -> None:
    upgrade(database.owner)
    set_revision(database.owner, "9999")
    assert not is_current(database.reader)
    with pytest.raises(InstanceNotReady):
        upgrade(database.owner)
    with database.reader.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == ["9999"]


def test_a_file_that_is_no_database_is_not_current(database: Database, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "seal.db").write_bytes(b"not a database" * 100)
    assert not is_current(database.reader)


def test_a_migration_that_fails_leaves_nothing_behind(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's schema changes are transactional; also shows that the package's own copy of migrations comes first."""
    package = tmp_path / "installed"
    shutil.copytree(Path(schema.__file__).parents[2] / "migrations", package / "_migrations")
    fails = 'def upgrade():\n    raise RuntimeError("on purpose")\n'
    (package / "_migrations" / "versions" / "9999_fails.py").write_text(
        f'revision = "9999"\ndown_revision = "{schema.HEAD}"\n\n\n{fails}'
    )
    monkeypatch.setattr(schema, "_PACKAGE", package)
    with pytest.raises(RuntimeError, match="on purpose"):
        upgrade(database.owner)
    with database.owner.connect() as connection:
        assert inspect(connection).get_table_names() == []


def test_the_database_is_readable_to_its_owner_alone(database: Database, tmp_path: Path) -> None:
    upgrade(database.owner)
    files = [tmp_path / "home", *(tmp_path / "home").iterdir()]
    assert len(files) >= 2
    assert [stat.S_IMODE(one.stat().st_mode) & 0o077 for one in files] == [0] * len(files)


@pytest.mark.parametrize(
    "url", ["", "nothing", "sqlite://", "sqlite:///:memory:", "postgresql://host/db", "sqlite:///a.db?mode=memory"]
)
def test_a_database_that_is_no_sqlite_file_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        open_database(url)

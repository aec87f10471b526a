"""The schema that the migrations make is the one that the program's tables describe."""

from __future__ import annotations

import shutil
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

import seal_service.storage.schema as schema
from seal_service.domain.errors import InstanceNotReady, InvalidInput
from seal_service.domain.scenario import ScenarioKind
from seal_service.storage.engine import Database, open_database
from seal_service.storage.queries import SqlQueries
from seal_service.storage.schema import HEAD, REVISIONS, SchemaState, alembic_config, require_current, state_of, upgrade
from seal_service.storage.tables import EPOCH, StoredRow
from seal_service.storage.unit_of_work import SqlRecords
from tests.postgresql import cluster, empty_database

Opening = Callable[[], Database]


@pytest.fixture(params=["sqlite", "postgresql"])
def opening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opening]:
    """Opens a database that does not exist yet, or that has no tables yet."""
    if request.param == "sqlite":
        yield lambda: open_database(f"sqlite:///{tmp_path / 'home' / 'seal.db'}")
        return
    made = empty_database()
    yield lambda: open_database(made.url, made.owner_url)
    cluster().drop(made)


@pytest.fixture
def database(opening: Opening) -> Iterator[Database]:
    """That database, opened."""
    opened = opening()
    yield opened
    opened.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    """An SQLite database that does not exist yet."""
    opened = open_database(f"sqlite:///{tmp_path / 'home' / 'seal.db'}")
    yield opened
    opened.close()


def is_current(database: Database) -> bool:
    return state_of(database.reader).state is SchemaState.CURRENT


def set_revision(engine: Engine, revision: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


OF_BEFORE = (
    "INSERT INTO unit (id, name, unit_type, credit_code, area_code, registered_at) "
    "VALUES ('unit', '样例局', 'department', 'code', '999900', 1)",
    "INSERT INTO account (id, name, roles, secret_hash, created_at) "
    "VALUES ('system', '平台', 'business_system', '', 1)",
    "INSERT INTO application (id, unit_id, seal_name, seal_type, impression_digest, impression_width_mm, "
    "impression_height_mm, impression_dpi, impression_ink_rgb, state, applied_by, applied_at) "
    "VALUES ('application', 'unit', '样章', '01', '', 1, 1, 300, '', 'made', 'system', 1)",
    "INSERT INTO seal (code, name, seal_type, unit_id, application_id, impression_digest, impression_width_mm, "
    "impression_height_mm, impression_dpi, impression_ink_rgb, state, version, epoch, not_after, made_at) "
    "VALUES ('99990000000001', '样章', '01', 'unit', 'application', '', 1, 1, 300, '', 'active', 1, 1, 9, 1)",
    *(
        "INSERT INTO use_grant (id, seal_code, grantee_id, scenario, scenario_kind, valid_from, valid_until, "
        "maximum_uses, responsible_person, approval_number, granted_by, granted_at, epoch) "
        f"VALUES ('grant-{number}', '99990000000001', 'system', '{scenario}', '{kind}', 1, 9, 2, '样某', '1号', "
        f"'keeper', {number}, 1)"
        for number, scenario, kind in ((1, "permit", "approval"), (2, "permit", "approval"), (3, "proof", "proof"))
    ),
    *(
        "INSERT INTO seal_use (id, account_id, idempotency_key, request_digest, seal_code, seal_epoch, grant_id, "
        "grant_epoch, scenario, state, document_sha256, document_sm3, intent_entry_id, intent_leaf_hash, reserved_at, "
        f"level_asked) VALUES ('use-{number}', 'system', 'key-{number}', '', '99990000000001', 1, 'grant-1', 1, "
        f"'permit', '{state}', '', '', 'entry', 'hash', 1, 'B-B')"
        for number, state in enumerate(("reserved", "completed", "failed"))
    ),
)
"""Rows of a database of 0004."""


def test_reading_does_not_make_a_database(database: Database, tmp_path: Path) -> None:
    assert state_of(database.reader).state is SchemaState.ABSENT
    assert not SqlQueries(database).schema_is_current()
    assert list(tmp_path.rglob("*.db")) == []


def test_upgrade_makes_the_tables_that_the_program_describes(database: Database) -> None:
    upgrade(database)
    assert is_current(database)
    with database.owner.connect() as connection:
        # SQLite counts without IDENTITY, and Alembic would miss it there as a default.
        options = {"compare_type": True, "compare_server_default": connection.dialect.name != "sqlite"}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, StoredRow.metadata) == []
        command.check(alembic_config(connection))


def test_the_head_that_is_compared_with_is_the_newest_migration() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    assert script.get_heads() == [HEAD]
    assert tuple(one.revision for one in reversed(list(script.walk_revisions()))) == REVISIONS


def test_upgrade_again_changes_nothing(database: Database) -> None:
    upgrade(database)
    upgrade(database)
    assert is_current(database)


def test_two_programs_may_upgrade_at_once(database: Database, opening: Opening) -> None:
    other = opening()
    failures: list[BaseException] = []

    def run(one: Database) -> None:
        try:
            upgrade(one)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in (database, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert failures == []
    assert is_current(database)


def test_a_database_of_an_unknown_revision_is_refused_and_not_touched(database: Database) -> None:
    upgrade(database)
    set_revision(database.owner, "9999")
    assert state_of(database.reader).state is SchemaState.UNKNOWN
    with pytest.raises(InstanceNotReady, match="9999, which this program does not know"):
        upgrade(database)
    with pytest.raises(InstanceNotReady, match=r"install the program that made it, or a newer one"):
        require_current(database)
    with database.reader.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all() == ["9999"]


def test_an_older_database_is_refused_with_the_command_and_brought_up_by_it(database: Database) -> None:
    with database.owner.begin() as connection:
        command.upgrade(alembic_config(connection), REVISIONS[0])
    if database.application_role is not None:  # as the older program gave it
        with database.owner.begin() as connection:
            connection.exec_driver_sql(f"GRANT SELECT ON alembic_version TO {database.application_role}")
    assert state_of(database.reader).state is SchemaState.OLDER
    with pytest.raises(InstanceNotReady, match="run `seal db upgrade`"):
        require_current(database)
    upgrade(database)
    require_current(database)


def test_a_database_without_tables_is_refused_with_the_command(database: Database) -> None:
    with pytest.raises(InstanceNotReady, match="run `seal init`"):
        require_current(database)


def test_a_file_that_is_no_database_is_refused(file: Database, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "seal.db").write_bytes(b"not a database" * 100)
    assert state_of(file.reader).state is SchemaState.UNREADABLE
    with pytest.raises(InstanceNotReady, match="restore it"):
        require_current(file)


def test_a_migration_that_fails_leaves_nothing_behind(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Schema changes are transactional; also shows that the package's own copy of migrations comes first."""
    package = tmp_path / "installed"
    shutil.copytree(Path(schema.__file__).parents[2] / "migrations", package / "_migrations")
    fails = 'def upgrade():\n    raise RuntimeError("on purpose")\n'
    (package / "_migrations" / "versions" / "9999_fails.py").write_text(
        f'revision = "9999"\ndown_revision = "{schema.HEAD}"\n\n\n{fails}'
    )
    monkeypatch.setattr(schema, "_PACKAGE", package)
    with pytest.raises(RuntimeError, match="on purpose"):
        upgrade(database)
    with database.owner.connect() as connection:
        assert inspect(connection).get_table_names() == []


def test_the_database_is_readable_to_its_owner_alone(file: Database, tmp_path: Path) -> None:
    upgrade(file)
    files = [tmp_path / "home", *(tmp_path / "home").iterdir()]
    assert len(files) >= 2
    assert [stat.S_IMODE(one.stat().st_mode) & 0o077 for one in files] == [0] * len(files)


@pytest.mark.parametrize(
    "url", ["", "nothing", "sqlite://", "sqlite:///:memory:", "mysql://role@host/db", "sqlite:///a.db?mode=memory"]
)
def test_a_database_that_is_neither_a_file_nor_postgresql_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        open_database(url)


def test_scenarios_and_counts_of_before_are_taken_over(database: Database) -> None:
    """0006: every scenario that was granted is registered, so that nothing stops; a used-up grant stays used up."""
    with database.owner.begin() as connection:
        command.upgrade(alembic_config(connection), "0004")
        for statement in OF_BEFORE:
            connection.execute(text(statement))
    upgrade(database)
    with SqlRecords(database).write() as transaction:
        registered = transaction.scenarios.lock("permit")
        assert registered.scenario.kind is ScenarioKind.APPROVAL
        assert registered.active
        assert registered.waiver is not None
        assert transaction.scenarios.lock("proof").scenario.kind is ScenarioKind.PROOF
        assert [transaction.uses.counted(f"grant-{number}") for number in (1, 2, 3)] == [2, 0, 0]
        moment = EPOCH + timedelta(microseconds=5)
        found = transaction.grants.lock_candidates("99990000000001", "system", "permit", "0" * 64, moment)
        assert [one.id for one in found] == ["grant-2"], "grant-1 is used up"

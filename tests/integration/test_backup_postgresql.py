"""What is PostgreSQL's own in backup, restore and check: roles, triggers, programs, passwords."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from seal_service.bootstrap import build
from seal_service.domain.errors import BackupRefused, InstanceNotReady, ProgramMissing, Unavailable
from seal_service.domain.invariants import Checked, Invariant
from seal_service.domain.use import SignatureLevel
from seal_service.storage.postgresql_programs import dumped, program, restored
from seal_service.storage.tables import APPEND_ONLY, QUEUES
from seal_service.usecases.back_up import BackUp
from seal_service.usecases.check_database import CheckDatabase
from tests.backups import office_on, place, restore
from tests.instance import RealOffice, blank_pdf
from tests.postgresql import APPLICATION, cluster, empty_database


@pytest.fixture
def office(tmp_path: Path) -> Iterator[RealOffice]:
    made = office_on("postgresql", tmp_path)
    made.use("one", blank_pdf(mark="1"), SignatureLevel.B_B)
    yield made
    made.service.close()


def name_of(office: RealOffice) -> str:
    assert office.settings.database_url is not None
    return office.settings.database_url.get_secret_value().rpartition("/")[2]


def backed_up(office: RealOffice, directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    return directory / office.service.back_up(office.operator, BackUp(directory=directory, with_keys=True)).name


def check(office: RealOffice) -> Checked:
    return office.service.check_database(office.operator, CheckDatabase(deep=True))


def test_roles_triggers_and_counters_come_back(office: RealOffice, tmp_path: Path) -> None:
    settings = place(office, tmp_path / "restored")
    restore(settings, backed_up(office, tmp_path / "backups"), office.people)
    assert settings.database_url is not None
    name = settings.database_url.get_secret_value().rpartition("/")[2]
    with cluster().superuser(name) as connection:
        triggers = "SELECT count(*) FROM pg_trigger WHERE tgenabled = 'A' AND NOT tgisinternal"
        assert connection.execute(triggers).fetchone() == (3 * len(APPEND_ONLY | QUEUES),)
        for table in APPEND_ONLY | QUEUES:
            with pytest.raises(psycopg.errors.RestrictViolation):
                connection.execute(f"TRUNCATE {table} CASCADE")
        q = connection.execute("SELECT count(*), count(DISTINCT q) FROM log_pending").fetchone()
        assert q is not None
        assert q[0] == q[1]
    address = cluster().address(APPLICATION, name, "postgresql")
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in ("DELETE FROM seal_use", "UPDATE sign_log SET kind = 'x'", "DROP TABLE unit"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    service = build(settings)
    assert service.check_database(office.operator, CheckDatabase(deep=True)).clean
    service.close()


def test_a_database_with_tables_is_not_restored_into(office: RealOffice, tmp_path: Path) -> None:
    path = backed_up(office, tmp_path / "backups")
    settings = place(office, tmp_path / "restored")
    assert settings.database_url is not None
    with cluster().superuser(settings.database_url.get_secret_value().rpartition("/")[2]) as connection:
        connection.execute("CREATE TABLE somebodys (id int)")
    with pytest.raises(BackupRefused, match="somebodys"):
        restore(settings, path)
    assert not settings.home.exists()


def test_a_backup_of_one_engine_is_not_restored_into_the_other(office: RealOffice, tmp_path: Path) -> None:
    path = backed_up(office, tmp_path / "backups")
    settings = place(office, tmp_path / "restored").model_copy(
        update={"database_url": None, "database_owner_url": None}
    )
    with pytest.raises(BackupRefused, match="postgresql"):
        restore(settings, path)


def test_a_backup_needs_the_owners_address_and_the_check_does_not(office: RealOffice, tmp_path: Path) -> None:
    service = build(office.settings.model_copy(update={"database_owner_url": None}))
    try:
        with pytest.raises(InstanceNotReady, match="SEAL_DATABASE_OWNER_URL"):
            service.back_up(office.operator, BackUp(directory=tmp_path))
        assert service.check_database(office.operator, CheckDatabase(deep=True)).clean
    finally:
        service.close()


CHANGES: dict[str, tuple[Invariant, str]] = {
    "a trigger that is off": (Invariant.APPEND_ONLY, "ALTER TABLE sign_log DISABLE TRIGGER sign_log_no_update"),
    "a trigger that is not always on": (
        Invariant.APPEND_ONLY,
        "ALTER TABLE sign_log ENABLE TRIGGER sign_log_no_delete",
    ),
    "an index that is not valid": (
        Invariant.DATABASE,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_sign_log_at'::regclass",
    ),
    "a reference that was not validated": (
        Invariant.REFERENCES,
        "ALTER TABLE seal_use DROP CONSTRAINT fk_seal_use_grant_id, ADD CONSTRAINT fk_seal_use_grant_id "
        "FOREIGN KEY (grant_id) REFERENCES use_grant (id) NOT VALID",
    ),
    "the leaf hash of an entry": (
        Invariant.LEAF,
        "ALTER TABLE sign_log DISABLE TRIGGER ALL; UPDATE sign_log SET leaf_hash = '\\x00' WHERE kind = 'seal.intent'",
    ),
    "an entry that is taken out": (
        Invariant.COUNTER,
        "SET session_replication_role = replica; ALTER TABLE sign_log DISABLE TRIGGER ALL; "
        "DELETE FROM sign_log WHERE kind = 'sealmgmt.made'",
    ),
}


@pytest.mark.parametrize(("invariant", "statements"), CHANGES.values(), ids=CHANGES)
def test_what_a_superuser_changes_is_found(office: RealOffice, invariant: Invariant, statements: str) -> None:
    assert check(office).clean
    with cluster().superuser(name_of(office)) as connection:
        connection.execute(statements)
    assert invariant in check(office).counts


def test_amcheck_is_asked_where_it_is_allowed(office: RealOffice) -> None:
    with cluster().superuser(name_of(office)) as connection:
        try:
            connection.execute("CREATE EXTENSION amcheck")
        except psycopg.errors.FeatureNotSupported:
            pytest.skip("PostgreSQL's amcheck is not installed")
        assert check(office).clean, "without the right it is not asked"
        connection.execute(f"GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean) TO {APPLICATION}")
        assert check(office).clean
        connection.execute("ALTER TABLE sign_log DISABLE TRIGGER ALL")
        # An index that has lost sight of a row: the row is there, the index does not know it.
        connection.execute("UPDATE pg_index SET indisready = false WHERE indexrelid = 'ix_sign_log_kind_at'::regclass")
        connection.execute("UPDATE sign_log SET kind = 'x' WHERE kind = 'unit.registered'")
        connection.execute("UPDATE pg_index SET indisready = true WHERE indexrelid = 'ix_sign_log_kind_at'::regclass")
    found = check(office)
    assert "ix_sign_log_kind_at" in {one.subject for one in found.findings if one.invariant is Invariant.DATABASE}


def test_no_password_is_seen_among_the_processes() -> None:
    url = "postgresql+psycopg://role:very%20secret@127.0.0.1:5432/name?sslmode=disable"
    script = 'tr "\\0" "\\n" < /proc/$$/cmdline; echo "$PGPASSWORD"'
    *line, password = b"".join(dumped(url, ["/bin/sh", "-c", script])).decode().splitlines()
    assert password == "very secret"
    assert "very" not in " ".join(line)
    assert "host=127.0.0.1" in " ".join(line)


def test_a_program_that_fails_says_why_and_one_that_is_missing_names_its_package() -> None:
    url = empty_database().owner_url
    with pytest.raises(Unavailable, match=r"pg_dump.*no matching tables"):
        b"".join(dumped(url, [program("pg_dump", 14), "--table=nosuch"]))
    with pytest.raises(Unavailable, match="pg_restore"):
        restored(url, [program("pg_restore", 14), "--single-transaction"], [b"no archive"])
    with pytest.raises(ProgramMissing, match="postgresql-client-99"):
        program("pg_dump", 99)

"""A backup with an older schema is restored and upgraded; one with a newer schema is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command

from seal_service.bootstrap import build
from seal_service.config import Settings
from seal_service.domain.access import Caller, Role
from seal_service.domain.backup import FileList, Manifest
from seal_service.domain.errors import BackupRefused
from seal_service.domain.events import EventKind
from seal_service.pki.vault import KeyRingVault
from seal_service.storage.backup_directory import BackupDirectories
from seal_service.storage.engine import open_database
from seal_service.storage.schema import alembic_config
from seal_service.storage.sqlite_copies import SqliteCopies
from seal_service.usecases.check_database import CheckDatabase
from tests.backups import restore
from tests.pki_instance import SystemEntropy, key_hierarchy

MASTER = "ab" * 32


def backup_at(revision: str, root: Path, said: str | None = None) -> tuple[Settings, Path]:
    """A backup, made without keys, of an instance that is empty but for its schema; and a place for it."""
    keys = root / "keys"
    vault = KeyRingVault(key_hierarchy(keys, MASTER), SystemEntropy())
    (keys / "master.key").write_text(MASTER)
    (keys / "master.key").chmod(0o600)
    database = open_database(f"sqlite:///{root / 'old' / 'seal.db'}")
    with database.owner.begin() as connection:
        command.upgrade(alembic_config(connection), revision)
    database.close()
    (root / "backups").mkdir()
    shelf = BackupDirectories(vault, SystemEntropy(), ())
    copies = SqliteCopies(root / "old" / "seal.db")
    with shelf.begin(root / "backups", datetime.now(UTC)) as new, copies.state(lambda *_: None) as state:
        new.put_sealed("database", state.content())
        facts = state.facts if said is None else replace(state.facts, schema_revision=said)

        def manifest(files: FileList) -> Manifest:
            return Manifest(
                made_at=datetime.now(UTC),
                program="0.0.1",
                origin=Settings().origin,
                database=facts,
                files=files,
                with_keys=False,
                keys=(),
            )

        made = new.publish(manifest)
    return Settings(home=root / "home", keys=keys), root / "backups" / made.name


def test_an_older_schema_is_restored_and_upgraded(tmp_path: Path) -> None:
    settings, path = backup_at("0001", tmp_path)
    made = restore(settings, path)
    assert made.manifest.database.schema_revision == "0001"
    assert "observation" not in made.manifest.database.rows
    service = build(settings)

    operator = Caller(account_id=None, name="test", roles=frozenset({Role.SYSTEM_OPERATOR}))
    found = service.check_database(operator, CheckDatabase(deep=True))
    assert found.checked["log_entries"] == 1, EventKind.DATABASE_RESTORED
    service.close()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    settings, path = backup_at("head", tmp_path, said="9999")
    with pytest.raises(BackupRefused, match=r"9999.*newer"):
        restore(settings, path)
    assert not settings.home.exists()


def test_a_manifest_that_does_not_say_what_the_database_holds_is_refused(tmp_path: Path) -> None:
    settings, path = backup_at("0001", tmp_path, said="0002")
    with pytest.raises(BackupRefused, match="does not hold"):
        restore(settings, path)
    assert not (settings.home / "seal.db").exists()

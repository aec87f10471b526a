"""Backups, checks, and the restore into an empty place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

from seal_service.bootstrap.environment import MASTER_KEY
from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.bootstrap.rooms import Rooms, credentials_of, database_of, key_stores, master_keys, seal_token_keys
from seal_service.config import Settings
from seal_service.domain.errors import BackupRefused, InstanceNotReady, IntegrityFailed
from seal_service.domain.invariants import Finding
from seal_service.log.entry_check import StoredEntryCheck
from seal_service.log.signing_log import DatabaseSigningLog
from seal_service.pki.file_keys import FileKeyStore
from seal_service.pki.key_files import KeyDirectoryFiles
from seal_service.pki.key_hierarchy import KeyHierarchy, has_keys
from seal_service.pki.vault import KeyRingVault
from seal_service.ports.backup import DatabaseCopies, RestorePlace, Told, untold
from seal_service.ports.system import Clock, Entropy
from seal_service.storage import schema
from seal_service.storage.backup_directory import BackupDirectories, BackupInDirectory, require_backup
from seal_service.storage.blobs import EncryptedFiles
from seal_service.storage.database_check import sqlite_own_faults
from seal_service.storage.engine import Database
from seal_service.storage.restore_place import RestoredHome, SqlitePlace
from seal_service.storage.scan import SqlScans
from seal_service.storage.sqlite import sqlite_path
from seal_service.storage.sqlite_copies import SqliteCopies
from seal_service.usecases.authenticate import ClientSecret
from seal_service.usecases.back_up import BackUpUseCase
from seal_service.usecases.check_database import CheckDatabaseUseCase
from seal_service.usecases.restore import RestoreUseCase


def backing_up(settings: Settings, rooms: Rooms) -> BackUpUseCase:
    """备份 of the instance over these rooms."""
    return BackUpUseCase(
        records=rooms.records,
        log=rooms.log,
        copies=_copies(settings, rooms.database),
        blobs=EncryptedFiles(settings.home / "blobs", rooms.vault),
        keys=rooms.keys,
        key_files=KeyDirectoryFiles(settings.key_directory, rooms.entropy, rooms.hierarchy.rotating),
        shelf=BackupDirectories(rooms.vault, rooms.entropy, (settings.home, settings.key_directory)),
        clock=rooms.clock,
        program=version("seal-service"),
    )


def checking(settings: Settings, rooms: Rooms) -> CheckDatabaseUseCase:
    """核对 of the instance over these rooms."""
    return CheckDatabaseUseCase(
        records=rooms.records,
        scans=SqlScans(rooms.database, _own_faults(settings, rooms.database)),
        entries=StoredEntryCheck(rooms.log.origin, rooms.vault),
        blobs=EncryptedFiles(settings.home / "blobs", rooms.vault),
        keys=rooms.keys,
        clock=rooms.clock,
    )


@contextmanager
def restoring(
    settings: Settings,
    backup: Path,
    told: Told = untold,
    *,
    people: tuple[ClientSecret, ...] = (),
    clock: Clock | None = None,
    entropy: Entropy | None = None,
) -> Iterator[RestoreUseCase]:
    """恢复 of a backup into the empty place that the settings name. BackupRefused without the master key and ring."""
    clock, entropy = clock or SystemClock(), entropy or SystemEntropy()
    require_backup(backup)
    hierarchy = _hierarchy(settings, backup / "keys", entropy)
    vault = KeyRingVault(hierarchy, entropy)
    database = database_of(settings)
    home = RestoredHome(settings.home, settings.key_directory, EncryptedFiles(settings.home / "blobs", vault))
    try:
        yield RestoreUseCase(
            backup=BackupInDirectory(backup, vault),
            place=_place(settings, home, database),
            key_files=KeyDirectoryFiles(settings.key_directory, entropy),
            keys=key_stores(settings, FileKeyStore(hierarchy, entropy), seal_token_keys(settings)),
            log=DatabaseSigningLog(settings.origin, clock, entropy, vault),
            engine=database.reader.dialect.name,
            knows=schema.knows,
            credentials=credentials_of(settings, vault, entropy),
            clock=clock,
            people=people,
            told=told,
        )
    finally:
        database.close()


def _hierarchy(settings: Settings, keys_of_backup: Path, entropy: Entropy) -> KeyHierarchy:
    """What opens the backup: the ring in it or, when it holds no keys, the one that is here."""
    contained = has_keys(keys_of_backup)
    try:
        return KeyHierarchy(keys_of_backup if contained else settings.key_directory, master_keys(settings), entropy)
    except (InstanceNotReady, IntegrityFailed) as error:
        needed = f"the master key of the instance in {settings.key_directory / MASTER_KEY} or SEAL_MASTER_KEY"
        files = "" if contained else f", and its keyring and key files in {settings.key_directory}"
        raise BackupRefused(f"{error.message.partition(': run')[0]}. A restore needs {needed}{files}") from error


def _copies(settings: Settings, database: Database) -> DatabaseCopies:
    if _is_file(database):
        return SqliteCopies(sqlite_path(settings.database_address))
    from seal_service.storage.postgresql_copies import PostgresqlCopies

    return PostgresqlCopies(database, settings.database_owner_address)


def _own_faults(settings: Settings, database: Database) -> Callable[[int], Sequence[Finding]]:
    if _is_file(database):
        return partial(sqlite_own_faults, sqlite_path(settings.database_address))
    from seal_service.storage.postgresql_check import postgresql_faults

    return partial(postgresql_faults, database.reader)


def _place(settings: Settings, home: RestoredHome, database: Database) -> RestorePlace:
    if _is_file(database):
        return SqlitePlace(home, sqlite_path(settings.database_address))
    from seal_service.storage.postgresql_place import PostgresqlPlace

    return PostgresqlPlace(home, database, settings.database_owner_address or "")


def _is_file(database: Database) -> bool:
    return database.reader.dialect.name == "sqlite"

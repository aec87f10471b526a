"""Backups, checks, and the restore into an empty place."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from pathlib import Path

from seal_service.bootstrap.environment import MASTER_KEY
from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.bootstrap.rooms import Rooms, open_rooms
from seal_service.config import Settings
from seal_service.domain.errors import BackupRefused, InstanceNotReady
from seal_service.log.entry_check import StoredEntryCheck
from seal_service.pki.key_files import KeyDirectoryFiles
from seal_service.ports.backup import DatabaseCopies, RestorePlace, Told, untold
from seal_service.ports.system import Clock, Entropy
from seal_service.storage import schema
from seal_service.storage.backup_directory import BackupDirectories, BackupInDirectory
from seal_service.storage.blobs import EncryptedFiles
from seal_service.storage.database_check import sqlite_own_faults
from seal_service.storage.restore_place import RestoredHome, SqlitePlace
from seal_service.storage.scan import SqlScans
from seal_service.storage.sqlite import sqlite_path
from seal_service.storage.sqlite_copies import SqliteCopies
from seal_service.usecases.back_up import BackUpUseCase
from seal_service.usecases.check_database import CheckDatabaseUseCase
from seal_service.usecases.restore import RestoreUseCase


def backing_up(settings: Settings, rooms: Rooms) -> BackUpUseCase:
    """备份 of the instance over these rooms."""
    return BackUpUseCase(
        records=rooms.records,
        log=rooms.log,
        copies=_copies(settings),
        blobs=EncryptedFiles(settings.home / "blobs", rooms.vault),
        keys=rooms.keys,
        key_files=KeyDirectoryFiles(settings.key_directory, rooms.entropy),
        shelf=BackupDirectories(rooms.vault, rooms.entropy, (settings.home, settings.key_directory)),
        clock=rooms.clock,
        program=version("seal-service"),
    )


def checking(settings: Settings, rooms: Rooms) -> CheckDatabaseUseCase:
    """核对 of the instance over these rooms."""
    return CheckDatabaseUseCase(
        records=rooms.records,
        scans=SqlScans(rooms.database, partial(sqlite_own_faults, sqlite_path(settings.database_address))),
        entries=StoredEntryCheck(rooms.log.origin, rooms.vault),
        blobs=EncryptedFiles(settings.home / "blobs", rooms.vault),
        keys=rooms.keys,
        clock=rooms.clock,
    )


def restoring(
    settings: Settings,
    backup: Path,
    told: Told = untold,
    *,
    clock: Clock | None = None,
    entropy: Entropy | None = None,
) -> RestoreUseCase:
    """恢复 of a backup into the empty place that the settings name. BackupRefused without the master key."""
    try:
        rooms = open_rooms(settings, clock or SystemClock(), entropy or SystemEntropy())
    except InstanceNotReady as error:
        place = settings.key_directory / MASTER_KEY
        raise BackupRefused(
            f"{error.message}: put the master key of the instance that was backed up into {place} (mode 0600), or set "
            "SEAL_MASTER_KEY"
        ) from error
    home = RestoredHome(settings.home, settings.key_directory, EncryptedFiles(settings.home / "blobs", rooms.vault))
    return RestoreUseCase(
        backup=BackupInDirectory(backup, rooms.vault),
        place=_place(settings, home),
        key_files=KeyDirectoryFiles(settings.key_directory, rooms.entropy),
        keys=rooms.keys,
        log=rooms.log,
        engine=rooms.database.reader.dialect.name,
        knows=schema.knows,
        told=told,
    )


def _copies(settings: Settings) -> DatabaseCopies:
    return SqliteCopies(sqlite_path(settings.database_address))


def _place(settings: Settings, home: RestoredHome) -> RestorePlace:
    return SqlitePlace(home, sqlite_path(settings.database_address))

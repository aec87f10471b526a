"""The empty place in which a backup becomes an instance: the home's files, and the database last of all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from seal_service.domain.backup import Backup, DatabaseFacts
from seal_service.domain.errors import BackupRefused
from seal_service.ports.records import Transaction
from seal_service.storage import schema
from seal_service.storage.backup_directory import write_file
from seal_service.storage.blobs import EncryptedFiles
from seal_service.storage.database_check import sqlite_faults
from seal_service.storage.database_facts import facts_of
from seal_service.storage.engine import open_database
from seal_service.storage.lasting import sync_directory
from seal_service.storage.unit_of_work import SqlRecords

MARK = ".restoring"
"""File in the home that names the backup from the first step of a restore to its last."""
_MARK_BESIDE = f"{MARK}.new"
_OF_A_VOLUME = "lost+found"


class RestoredHome:
    """The home's files. They are only added, so a restore that was interrupted is repeated over what it left."""

    def __init__(self, home: Path, key_directory: Path, blobs: EncryptedFiles) -> None:
        self._home = home
        self._keys = key_directory
        self._blobs = blobs

    def is_begun(self, backup: Backup) -> bool:
        """Whether a restore of this backup was begun here and did not end; BackupRefused when it is another's."""
        try:
            mark = (self._home / MARK).read_text()
        except FileNotFoundError:
            return False
        if mark.strip() != backup.sha256:
            raise BackupRefused(f"In {self._home} the restore of another backup was begun: take an empty directory")
        return True

    def require_empty(self, backup: Backup, database: str | None = None) -> None:
        """Nothing but the key directory is in the home; BackupRefused. `database`: how its files' names begin."""
        if not self._home.exists():
            return
        begun = self.is_begun(backup)
        for name in sorted(os.listdir(self._home)):
            ours = name in (_MARK_BESIDE, _OF_A_VOLUME)
            left = begun and (name in (MARK, "blobs") or (database is not None and name.startswith(database)))
            if not ours and not left and (self._home / name).resolve() != self._keys.resolve():
                raise BackupRefused(f"There is already something in {self._home} ({name}): restore into an empty home")

    def begin(self, backup: Backup) -> None:
        """Make the home and note the backup in it, durably."""
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.is_begun(backup):
            beside = self._home / _MARK_BESIDE
            beside.unlink(missing_ok=True)
            write_file(beside, [backup.sha256.encode()])
            os.rename(beside, self._home / MARK)
            sync_directory(self._home)
            sync_directory(self._home.parent)

    def put_blob(self, digest: str, content: bytes) -> None:
        """Keep a blob as it was stored; IntegrityFailed when it does not open."""
        self._blobs.adopt(digest, content)

    def end(self) -> None:
        """Nothing is being restored any more."""
        (self._home / MARK).unlink()
        sync_directory(self._home)


class SqlitePlace:
    """A place whose database is a file: it is loaded and completed beside its name, and takes the name last."""

    def __init__(self, home: RestoredHome, path: Path) -> None:
        self._home = home
        self._path = path
        self._loading = path.with_name(f"{path.name}{MARK}")

    def require_empty(self, backup: Backup) -> None:
        """Neither home nor database file; BackupRefused."""
        self._home.require_empty(backup, self._loading.name)
        for suffix in ("", "-wal", "-journal"):
            if os.path.lexists(f"{self._path}{suffix}"):
                raise BackupRefused(f"There is a database already: {self._path}{suffix}")

    def begin(self, backup: Backup) -> None:
        """Note the backup."""
        self._home.begin(backup)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put_blob(self, digest: str, content: bytes) -> None:
        """Keep a blob."""
        self._home.put_blob(digest, content)

    def put_database(self, backup: Backup, content: Iterable[bytes]) -> DatabaseFacts:  # noqa: ARG002
        """Write the file beside its name and let SQLite check it to the last page."""
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{self._loading}{suffix}").unlink(missing_ok=True)
        write_file(self._loading, content)
        faults = sqlite_faults(self._loading, 1)
        if faults:
            raise BackupRefused(f"The database in the backup is damaged: {faults[0].detail}")
        database = open_database(f"sqlite:///{self._loading}")
        try:
            with database.reader.begin() as connection:
                return facts_of(connection)
        finally:
            database.close()

    @contextmanager
    def finishing(self, backup: Backup) -> Iterator[Transaction]:  # noqa: ARG002
        """A transaction in the file beside; when it has ended well, the file takes its name."""
        database = open_database(f"sqlite:///{self._loading}")
        try:
            schema.upgrade(database)
            with SqlRecords(database).write() as transaction:
                yield transaction
        finally:
            database.close()
        if Path(f"{self._loading}-wal").exists():
            raise BackupRefused(f"Another program reads {self._loading}: end it and restore again")
        with self._loading.open("rb") as file:
            os.fsync(file.fileno())
        os.rename(self._loading, self._path)
        sync_directory(self._path.parent)
        self._home.end()

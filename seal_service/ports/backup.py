"""Ports to backups: the database's own copies, the backup as files, key files, and the place of a restore."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from seal_service.domain.backup import Backup, DatabaseFacts, FileList, Manifest, NamedBlob
from seal_service.ports.records import Transaction

Told = Callable[[str, int, int], None]
"""Told how far long work has come: what is being done, how much of it is done, of how much (0: not known)."""


def untold(_what: str, _done: int, _of: int) -> None:
    """Nobody is told."""


class DatabaseState(Protocol):
    """One consistent state of the database, however long it is read and whatever is written meanwhile."""

    facts: DatabaseFacts

    def blobs(self) -> AbstractContextManager[Iterator[NamedBlob]]:
        """Every picture and document that this state names, each once, in a block in which they are read."""

    def content(self) -> Iterator[bytes]:
        """The whole state in the engine's own form; once."""


class DatabaseCopies(Protocol):
    """Copies of the database while it is in use."""

    def state(self, told: Told) -> AbstractContextManager[DatabaseState]:
        """The state now. Writers go on. Conflict while another backup is made; Unavailable, InstanceNotReady."""


class EncryptedBlobs(Protocol):
    """Pictures and documents as they are stored, encrypted, by the digest of their content."""

    def ciphertext(self, digest: str) -> bytes | None:
        """The stored bytes, or None."""


class KeyFiles(Protocol):
    """The wrapped private keys as files; of no use without the master key, which is never among them."""

    def all(self) -> Iterator[tuple[str, bytes]]:
        """Every file, by name, with its bytes."""

    def holds_other(self, name: str, content: bytes) -> bool:
        """Whether there is a file of this name with other bytes; BackupRefused for a name that no key file has."""

    def add(self, name: str, content: bytes) -> None:
        """Write a file, durably; nothing when it is there already. BackupRefused when another one is."""


class NewBackup(Protocol):
    """A backup that is being made; nobody finds it before it is published."""

    def put(self, name: str, content: Iterable[bytes]) -> None:
        """Write a file as it is."""

    def put_sealed(self, name: str, content: Iterable[bytes]) -> None:
        """Write a file encrypted under the vault."""

    def publish(self, manifest: Callable[[FileList], Manifest]) -> Backup:
        """Seal the manifest, make everything durable, give the backup its name."""


class BackupShelf(Protocol):
    """Where backups are put."""

    def begin(self, directory: Path, at: datetime) -> AbstractContextManager[NewBackup]:
        """A new backup in a directory; removed again unless it is published.

        Raises BackupRefused for a directory that is not there or is no place for a backup.
        """


class StoredBackup(Protocol):
    """A backup that is there."""

    def manifest(self) -> Backup:
        """Its manifest, if its seal opens; BackupRefused."""

    def check(self, told: Told) -> None:
        """Every file is there, unchanged, and no other: BackupRefused that names the first for which it is not so."""

    def files(self, under: str) -> Iterator[tuple[str, bytes]]:
        """The small files whose names begin so, with their bytes; BackupRefused when one is not what the list says."""

    def read_sealed(self, name: str) -> Iterator[bytes]:
        """A file that was encrypted under the vault; BackupRefused when it is not what was."""


class RestorePlace(Protocol):
    """An empty place in which a backup becomes an instance: by one last step, or not at all."""

    def require_empty(self, backup: Backup) -> None:
        """Nothing is there, or only what an interrupted restore of the same backup left; else BackupRefused."""

    def begin(self, backup: Backup) -> None:
        """Note, durably, that this backup is being restored here, so that an interrupted restore can be repeated."""

    def put_blob(self, digest: str, content: bytes) -> None:
        """Keep a blob as it was stored; durable after `finishing`."""

    def put_database(self, backup: Backup, content: Iterable[bytes]) -> DatabaseFacts:
        """Load the database where nobody takes it for one yet, check it; what it holds. BackupRefused."""

    def finishing(self, backup: Backup) -> AbstractContextManager[Transaction]:
        """A transaction in the loaded database, brought to this program's schema; once it is committed and left, the
        place is an instance."""

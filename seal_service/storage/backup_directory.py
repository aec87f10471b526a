"""备份 as a directory: its files, their list, a sealed manifest. Nothing takes its name before all of it is durable."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from seal_service.domain.backup import Backup, FileList, Manifest
from seal_service.domain.errors import AlreadyRegistered, BackupRefused, IntegrityFailed
from seal_service.formats import backup_manifest, sealed_stream
from seal_service.ports.backup import Told
from seal_service.ports.system import Entropy, Vault
from seal_service.storage.lasting import sync_directory

PREFIX = "seal-backup-"
LIST = "SHA256SUMS"
MANIFEST = "manifest.json"
SEAL = "manifest.seal"
_OWN_FILES = (LIST, MANIFEST, SEAL)
_SEAL_CONTEXT = b"backup manifest"
_CHUNK = 1 << 20
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_LARGEST_MANIFEST = 64 << 20
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9][A-Za-z0-9._/-]{0,249})\n")


class BackupDirectories:
    """Backups as sub-directories `seal-backup-<UTC time>` of mode 0700, outside the instance's own places."""

    def __init__(self, vault: Vault, entropy: Entropy, own_places: Iterable[Path]) -> None:
        self._vault = vault
        self._entropy = entropy
        self._own_places = tuple(own_places)

    @contextmanager
    def begin(self, directory: Path, at: datetime) -> Iterator[NewBackupDirectory]:
        """A new backup; removed again unless it is published. BackupRefused for a directory that is no place for it."""
        if not directory.is_dir():
            raise BackupRefused(f"There is no directory {directory}: make it, of mode 0700, on another volume")
        for own in self._own_places:
            if directory.resolve().is_relative_to(own.resolve()):
                raise BackupRefused(f"{directory} lies within {own}, which would be lost with it: choose another place")
        final = directory / f"{PREFIX}{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        if final.exists():
            raise AlreadyRegistered(f"There is a backup {final} already: try again in a second")
        unfinished = directory / f".{final.name}.{self._entropy.token(4).hex()}"
        unfinished.mkdir(mode=0o700)
        try:
            with os.fdopen(os.open(unfinished / LIST, _NEW, 0o600), "wb") as names:
                yield NewBackupDirectory(unfinished, final, names, self._vault)
        finally:
            if unfinished.exists():
                shutil.rmtree(unfinished)


class NewBackupDirectory:
    """A backup that is being written under a name that begins with a dot."""

    def __init__(self, unfinished: Path, final: Path, names: BinaryIO, vault: Vault) -> None:
        self._root = unfinished
        self._final = final
        self._names = names
        self._vault = vault
        self._directories = {unfinished}
        self._list = hashlib.sha256()
        self._count = 0
        self._bytes = 0

    def put(self, name: str, content: Iterable[bytes]) -> None:
        """Write a file, durably, and its line in the list."""
        path = self._root / name
        self._make_directory(path.parent)
        digest, length = write_file(path, content)
        line = f"{digest}  {name}\n".encode()
        self._names.write(line)
        self._list.update(line)
        self._count += 1
        self._bytes += length

    def put_sealed(self, name: str, content: Iterable[bytes]) -> None:
        """Write a file encrypted under the vault."""
        self.put(name, sealed_stream.sealed(content, self._vault, _file_context(name)))

    def publish(self, manifest: Callable[[FileList], Manifest]) -> Backup:
        """Seal the manifest, make everything durable, give the backup its name; it exists from then on."""
        self._names.flush()
        os.fsync(self._names.fileno())
        made = manifest(FileList(count=self._count, bytes=self._bytes, sha256=self._list.hexdigest()))
        content = backup_manifest.encode(made)
        digest, _ = write_file(self._root / MANIFEST, [content])
        write_file(self._root / SEAL, [self._vault.encrypt(bytes.fromhex(digest), _SEAL_CONTEXT)])
        for directory in sorted(self._directories, reverse=True):
            sync_directory(directory)
        os.rename(self._root, self._final)
        sync_directory(self._final.parent)
        return Backup(name=self._final.name, sha256=digest, manifest=made)

    def _make_directory(self, directory: Path) -> None:
        if directory not in self._directories:
            self._make_directory(directory.parent)
            directory.mkdir(mode=0o700)
            self._directories.add(directory)


def require_backup(root: Path) -> None:
    """Refuse (BackupRefused) what does not even look like a backup."""
    if not (root / MANIFEST).is_file():
        raise BackupRefused(f"{root} is no backup: it has no {MANIFEST}")


class BackupInDirectory:
    """A backup to be read. Nothing in it is believed before the manifest's seal is opened."""

    def __init__(self, root: Path, vault: Vault) -> None:
        self._root = root
        self._vault = vault

    def manifest(self) -> Backup:
        """The manifest; BackupRefused when there is none, or when its seal does not open to its digest."""
        content, seal = self._own(MANIFEST), self._own(SEAL)
        digest = hashlib.sha256(content)
        try:
            of_seal = self._vault.decrypt(seal, _SEAL_CONTEXT)
        except IntegrityFailed:
            of_seal = b""
        if of_seal != digest.digest():
            raise BackupRefused(
                f"The manifest of {self._root} does not open with this master key: the backup is another instance's, "
                "from before the master key was replaced, or was changed"
            )
        return Backup(name=self._root.name, sha256=digest.hexdigest(), manifest=backup_manifest.decode(content))

    def check(self, told: Told) -> None:
        """Every file of the list is there with its digest, and no other file is; BackupRefused."""
        files = self.manifest().manifest.files
        found = hashlib.sha256()
        length = 0
        for line in self._lines():
            found.update(line)
        if found.hexdigest() != files.sha256:
            raise BackupRefused(f"{self._root / LIST} was changed")
        for number, (digest, name) in enumerate(self._list()):
            told("checking files", number, files.count)
            length += sum(len(chunk) for chunk in self._checked(name, digest))
        there = sum(len(names) for _, _, names in os.walk(self._root))
        if there != files.count + len(_OWN_FILES) or length != files.bytes:
            raise BackupRefused(f"{self._root} holds files that its list does not name")
        told("checking files", files.count, files.count)

    def files(self, under: str) -> Iterator[tuple[str, bytes]]:
        """Every small file whose name begins so, with its bytes; BackupRefused when one is not what the list says."""
        for digest, name in self._list():
            if name.startswith(under):
                yield name, b"".join(self._checked(name, digest))

    def read_sealed(self, name: str) -> Iterator[bytes]:
        """A file that was encrypted under the vault."""
        digest = next((one for one, listed in self._list() if listed == name), None)
        if digest is None:
            raise BackupRefused(f"{self._root} has no file {name}")
        try:
            yield from sealed_stream.opened(self._checked(name, digest), self._vault, _file_context(name))
        except IntegrityFailed as error:
            raise BackupRefused(f"{self._root / name} was changed") from error

    def _checked(self, name: str, digest: str) -> Iterator[bytes]:
        running = hashlib.sha256()
        try:
            with open(self._root / name, "rb", opener=_no_link) as file:
                while chunk := file.read(_CHUNK):
                    running.update(chunk)
                    yield chunk
        except OSError as error:
            raise BackupRefused(f"{self._root / name} cannot be read: {error.strerror}") from error
        if running.hexdigest() != digest:
            raise BackupRefused(f"{self._root / name} was changed: its SHA-256 is not that of the list")

    def _list(self) -> Iterator[tuple[str, str]]:
        for line in self._lines():
            found = _LINE.fullmatch(line.decode("ascii", "replace"))
            if found is None or ".." in found[2]:
                raise BackupRefused(f"{self._root / LIST} was changed")
            yield found[1], found[2]

    def _lines(self) -> Iterator[bytes]:
        try:
            with open(self._root / LIST, "rb", opener=_no_link) as names:
                while line := names.readline(512):
                    yield line
        except OSError as error:
            raise BackupRefused(f"{self._root / LIST} cannot be read: {error.strerror}") from error

    def _own(self, name: str) -> bytes:
        try:
            with open(self._root / name, "rb", opener=_no_link) as file:
                content = file.read(_LARGEST_MANIFEST + 1)
        except OSError as error:
            raise BackupRefused(f"{self._root} is no backup: {name} cannot be read: {error.strerror}") from error
        if len(content) > _LARGEST_MANIFEST:
            raise BackupRefused(f"{self._root / name} is too long")
        return content


def write_file(path: Path, content: Iterable[bytes]) -> tuple[str, int]:
    """Write a new file of mode 0600, durably but for its name; its SHA-256 and length."""
    running = hashlib.sha256()
    length = 0
    with os.fdopen(os.open(path, _NEW, 0o600), "wb") as file:
        for chunk in content:
            running.update(chunk)
            length += file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return running.hexdigest(), length


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe in a file's place is read as empty


def _file_context(name: str) -> bytes:
    return b"backup file " + name.encode()

"""日志文件: the published log as static files in a directory (C2SP tlog-tiles)."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from seal_service.domain.errors import LogDamaged, Unavailable
from seal_service.storage.lasting import belong_to_owner_of, sync_directory

_LOCK = ".lock"
_INCOMING = ".incoming"
_LARGEST_FILE = 32 << 20
"""A bundle has at most 256 entries of 64 KiB."""


class DirectoryLogFiles:
    """Files of mode 0600 in directories of mode 0700: they hold every entry, which only an auditor may read.

    Safe for processes: a file is written under another name, synced, and then linked or renamed to its own, so that
    nobody sees half of one, and what a call has written survives a loss of power when it returns.
    """

    def __init__(self, directory: Path, is_of_log: Callable[[str], bool]) -> None:
        """`is_of_log` says which paths a log has; no other is ever opened."""
        self._directory = directory
        self._is_of_log = is_of_log
        self._lasting: set[tuple[Path, int]] = set()
        """Directories, with their inodes, of which this process knows that a loss of power does not take them."""

    def create(self, path: str, content: bytes) -> None:
        """Write a file that is to stay; nothing when it is there with these bytes, LogDamaged with others."""
        place = self._place(path)
        if not place.exists():
            self._make(place.parent)
            temporary = self._temporary(content)
            try:
                with suppress(FileExistsError):
                    os.link(temporary, place)
            finally:
                temporary.unlink()
        if place.read_bytes() != content:
            raise LogDamaged(f"The log's file {path} is there with other bytes: `seal log fsck` tells which are right")
        sync_directory(place.parent)  # also where the file was there: whoever wrote it may have died before it did this

    def read(self, path: str) -> bytes | None:
        """A file, or None; LogDamaged when it is larger than any, Unavailable when it cannot be read."""
        try:
            with self._place(path).open("rb") as file:
                content = file.read(_LARGEST_FILE + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Unavailable(f"The log's file {path} cannot be read: {error.strerror}") from error
        if len(content) > _LARGEST_FILE:
            raise LogDamaged(f"The log's file {path} is larger than any file of a log")
        return content

    def publish(self, path: str, content: bytes) -> None:
        """Write a file in the place of an earlier one, at once and whole."""
        place = self._place(path)
        self._make(place.parent)
        temporary = self._temporary(content)
        try:
            os.replace(temporary, place)
        except OSError:
            temporary.unlink()
            raise
        sync_directory(place.parent)

    def remove_partials(self, path: str) -> None:
        """Remove the partial tiles that the full tile of this path has taken the place of."""
        full = self._place(path)
        partials = full.with_name(f"{full.name}.p")
        with suppress(FileNotFoundError, NotADirectoryError):
            for one in list(partials.iterdir()):
                one.unlink(missing_ok=True)
            with suppress(OSError):  # another process removed it, or put something in
                partials.rmdir()

    @contextmanager
    def publishing(self) -> Iterator[bool]:
        """Whether this process alone publishes until the context ends; with the process it ends too."""
        self._make(self._directory)
        handle = os.open(self._directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            belong_to_owner_of(self._directory, handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                self._remove_incoming()
                yield True
        finally:
            os.close(handle)

    def _remove_incoming(self) -> None:
        """What a publisher that died had not yet named: only who holds the lock writes."""
        with suppress(FileNotFoundError):
            for one in (self._directory / _INCOMING).iterdir():
                one.unlink(missing_ok=True)

    def _place(self, path: str) -> Path:
        if not self._is_of_log(path):
            raise ValueError("no file of a log has this path")
        return self._directory / path

    def _temporary(self, content: bytes) -> Path:
        incoming = self._directory / _INCOMING
        self._make(incoming)
        try:
            handle, name = tempfile.mkstemp(dir=incoming)
        except OSError as error:
            raise Unavailable(f"The log's directory {self._directory} cannot be written: {error.strerror}") from error
        try:
            with os.fdopen(handle, "wb") as file:
                belong_to_owner_of(self._directory, file.fileno())
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            os.unlink(name)
            raise Unavailable(f"The log's directory {self._directory} cannot be written: {error.strerror}") from error
        return Path(name)

    def _make(self, directory: Path) -> None:
        """The directory and those above it, each lasting: also one that is there, since whoever made it may have died
        before its name was synced."""
        there = directory.is_dir()
        if there and (directory, directory.stat().st_ino) in self._lasting:
            return
        if directory != self._directory:
            self._make(directory.parent)
        else:
            directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            directory.mkdir(mode=0o700)
            if os.geteuid() == 0:
                owner = directory.parent.stat()
                os.chown(directory, owner.st_uid, owner.st_gid)
        # Whoever made the log's own directory for the service may not let it read what that lies in.
        with suppress(PermissionError) if there and directory == self._directory else nullcontext():
            sync_directory(directory.parent)
        self._lasting.add((directory, directory.stat().st_ino))

"""见证记录: the last checkpoint of each log that a witness cosigned, a file each."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from seal_service.domain.errors import IntegrityFailed
from seal_service.storage.lasting import sync_directory


class DirectorySeenCheckpoints:
    """A directory with a file for each log, changed under a lock of its own. Safe for threads and processes.

    Files are named by the digest of the log's origin, which may hold anything.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextmanager
    def holding(self, origin: str) -> Iterator[HeldCheckpoint]:
        """That of a log, under its lock; IntegrityFailed when it cannot be kept."""
        path = self._path(origin)
        try:
            handle = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield HeldCheckpoint(path, _read(path))
            finally:
                os.close(handle)
        except OSError as error:
            raise IntegrityFailed(f"The witness's records in {self._directory}: {error.strerror}") from error

    def latest(self, origin: str) -> bytes | None:
        """The signed note, or None; IntegrityFailed when it cannot be read."""
        try:
            return _read(self._path(origin))
        except OSError as error:
            raise IntegrityFailed(f"The witness's records in {self._directory}: {error.strerror}") from error

    def _path(self, origin: str) -> Path:
        return self._directory / f"{hashlib.sha256(origin.encode()).hexdigest()}.checkpoint"


@dataclass
class HeldCheckpoint:
    """The file of one log, while its lock is held."""

    path: Path
    content: bytes | None

    def replace(self, content: bytes) -> None:
        """Put another in its place: whoever reads has the old one or the new one, also after a power failure."""
        handle, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except OSError:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        sync_directory(self.path.parent)
        self.content = content


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None

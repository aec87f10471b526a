"""检查点守护: the last signed checkpoint, in a directory of another volume or host."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seal_service.domain.errors import AlreadyRegistered, LogHalted
from seal_service.ports.transparency import GuardedCheckpoint
from seal_service.storage.lasting import belong_to_owner_of, sync_directory

_CONTENT = "checkpoint"
_LOCK = "lock"
_LARGEST = 1 << 20


class DirectoryGuard:
    """A directory with one file, changed under the lock of another. Safe for processes, also of several hosts where
    the file system's locks are (NFSv4 has them); durable when a call returns.

    Only `create` ever makes anything: a volume that is not mounted is no empty guard.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def is_there(self) -> bool:
        """Whether anybody made it; LogHalted when that cannot be told."""
        try:
            os.stat(self._directory / _LOCK)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise self._unreadable(error) from error
        return True

    def read(self) -> GuardedCheckpoint:
        """What it holds; LogHalted when it is not there or cannot be read."""
        try:
            with (self._directory / _CONTENT).open("rb") as file:
                content = file.read(_LARGEST)
        except FileNotFoundError:
            raise LogHalted(
                f"The log's guard is not in {self._directory}: mount its volume or put it back; a new log gets one by "
                "`seal log init`"
            ) from None
        except OSError as error:
            raise self._unreadable(error) from error
        return GuardedCheckpoint(content=content, version=hashlib.sha256(content).hexdigest())

    def create(self, content: bytes) -> None:
        """Make it, and its directory; AlreadyRegistered when it is there, LogHalted when it cannot be written."""
        try:
            self._make()
            handle = os.open(self._directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            belong_to_owner_of(self._directory, handle)
            with _held(handle):
                if (self._directory / _CONTENT).exists():
                    raise AlreadyRegistered(f"The log's guard in {self._directory} is made already")
                self._write(content)
            sync_directory(self._directory.parent)
        except OSError as error:
            raise self._unwritable(error) from error

    def renew(self, lost: GuardedCheckpoint | None, content: bytes) -> None:
        """Set aside what it holds, as `checkpoint.lost-…` beside, and begin anew; AlreadyRegistered, LogHalted.

        Who dies in between leaves a guard without its checkpoint, which halts the log until this is repeated.
        """
        try:
            with _held(os.open(self._directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)):
                if self._readable() != lost:
                    raise AlreadyRegistered(f"The log's guard in {self._directory} was made anew already")
                if (self._directory / _CONTENT).exists():
                    aside = tempfile.mkdtemp(dir=self._directory, prefix=f"{_CONTENT}.lost-")
                    os.rename(self._directory / _CONTENT, Path(aside) / _CONTENT)
                    sync_directory(Path(aside))
                self._write(content)
        except OSError as error:
            raise self._unwritable(error) from error

    def advance(self, expected: GuardedCheckpoint, content: bytes) -> None:
        """Put another checkpoint in the place of the expected one; LogHalted when it holds another, or is gone."""
        try:
            with _held(os.open(self._directory / _LOCK, os.O_RDWR)):
                if self.read().version != expected.version:
                    raise LogHalted(
                        f"The log's guard in {self._directory} holds another checkpoint than this log expects: another "
                        "instance publishes under its name, or this one was restored from an old backup"
                    )
                self._write(content)
        except OSError as error:
            raise self._unwritable(error) from error

    def _readable(self) -> GuardedCheckpoint | None:
        try:
            return self.read()
        except LogHalted:
            return None

    def _write(self, content: bytes) -> None:
        handle, temporary = tempfile.mkstemp(dir=self._directory, prefix=f".{_CONTENT}.")
        try:
            with os.fdopen(handle, "wb") as file:
                belong_to_owner_of(self._directory, file.fileno())
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._directory / _CONTENT)
        except OSError:
            os.unlink(temporary)
            raise
        sync_directory(self._directory)

    def _make(self) -> None:
        if self._directory.is_dir():
            return
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            owner = self._directory.parent.stat()
            os.chown(self._directory, owner.st_uid, owner.st_gid)

    def _unreadable(self, error: OSError) -> LogHalted:
        return LogHalted(f"The log's guard in {self._directory} cannot be read: {error.strerror}")

    def _unwritable(self, error: OSError) -> LogHalted:
        return LogHalted(f"The log's guard in {self._directory} cannot be written: {error.strerror}")


@contextmanager
def _held(handle: int) -> Iterator[None]:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)

"""Files that are whole or absent, survive a power failure, and are changed by one at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def create_file(path: Path, content: bytes, temporary_suffix: str) -> None:
    """Create a file of mode 0600, durable on return; FileExistsError when there is one.

    It is written under a temporary name and linked to its own, so nobody ever sees half of it.
    """
    temporary = _temporary(path, content, temporary_suffix, path.parent)
    try:
        os.link(temporary, path)
    finally:
        temporary.unlink()
    sync_directory(path.parent)


def replace_file(path: Path, content: bytes, temporary_suffix: str) -> None:
    """Replace a file by one of mode 0600 and the same owner; durable after the next `sync_directory`.

    Whoever reads it meanwhile has the old content or the new one, whole.
    """
    temporary = _temporary(path, content, temporary_suffix, path)
    try:
        os.replace(temporary, path)
    except OSError:
        temporary.unlink()
        raise


def sync_directory(directory: Path) -> None:
    """Make the directory's entries durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path, *, exclusive: bool, wait: bool = True) -> Iterator[None]:
    """Hold the lock of a file, which is made when it is missing; BlockingIOError when others have it and not to wait.

    It is held against other processes and other threads, and ends with the process.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _belong_to_owner_of(path.parent, descriptor)
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def _temporary(path: Path, content: bytes, suffix: str, owned_like: Path) -> Path:
    temporary = path.with_name(f".{path.name}.{suffix}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _belong_to_owner_of(owned_like, file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    return temporary


def _belong_to_owner_of(path: Path, descriptor: int) -> None:
    """What root makes in the directory of the service's user stays readable to the service."""
    wanted, own = path.stat(), os.fstat(descriptor)
    if os.geteuid() == 0 and (wanted.st_uid, wanted.st_gid) != (own.st_uid, own.st_gid):
        os.fchown(descriptor, wanted.st_uid, wanted.st_gid)

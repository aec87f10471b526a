"""The machine: its time of day, its randomness, its memory, its disks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from seal_service.ports.system import FreeSpace


class SystemClock:
    """The machine's clock: the only place that asks it."""

    def now(self) -> datetime:
        """Now, UTC."""
        return datetime.now(UTC)


class SystemEntropy:
    """The operating system's random source."""

    def token(self, length: int) -> bytes:
        """`length` bytes."""
        return os.urandom(length)


class DirectoryVolumes:
    """The volumes of some directories, by name; one that is not made yet lies where its parent does."""

    def __init__(self, directories: Mapping[str, Path]) -> None:
        self._directories = directories

    def free(self) -> Sequence[FreeSpace]:
        """What an ordinary user may still write in each."""
        return [FreeSpace(name=name, free_bytes=_free_bytes(path)) for name, path in self._directories.items()]


def _free_bytes(directory: Path) -> int | None:
    try:
        volume = os.statvfs(directory if directory.exists() else directory.parent)
    except OSError:
        return None
    return volume.f_bavail * volume.f_frsize

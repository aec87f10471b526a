"""Files that are created once, whole, and survive a power failure."""

from __future__ import annotations

import os
from pathlib import Path


def create_file(path: Path, content: bytes, temporary_suffix: str) -> None:
    """Create a file of mode 0600, durable on return; FileExistsError when there is one.

    It is written under a temporary name and linked to its own, so nobody ever sees half of it.
    """
    temporary = path.with_name(f".{path.name}.{temporary_suffix}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    finally:
        temporary.unlink()
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make the directory's entries durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

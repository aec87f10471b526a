"""Files that the command line reads and writes: bounded in, atomic out."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from seal_service.domain.errors import InvalidInput
from seal_service.ports.documents import Content

if TYPE_CHECKING:
    from seal_service.ports.documents import Upload

CHUNK = 1 << 20


def read_document(path: Path, limit: int) -> Upload:
    """The document with its digests; DocumentOverLimit above `limit` bytes, OSError when it cannot be read."""
    from seal_service.formats.upload import UploadReader

    reader = UploadReader(limit)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            reader.write(chunk)
    return reader.finish(path.name)


def read_small(path: Path, limit: int = 20 << 20) -> bytes:
    """A file's bytes; InvalidInput above `limit`."""
    with path.open("rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise InvalidInput(f"{path} has more than {limit} bytes")
    return content


class WaitingFile:
    """A file beside the one that it will become; it takes that name only when `write` has made it durable."""

    def __init__(self, target: Path, beside: Path) -> None:
        self._target = target
        self._beside = beside

    def write(self, *pieces: Content) -> None:
        """Write, sync and take the name."""
        self.write_each(pieces)

    def write_each(self, pieces: Iterable[Content]) -> None:
        """The same, piece after piece as they come."""
        with self._beside.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self._beside, self._target)


@contextmanager
def waiting_file(target: Path, mode: int = 0o644) -> Iterator[WaitingFile]:
    """Make sure, before anything happens, that the target can be written; leave nothing when it is not."""
    if target.is_dir():
        raise InvalidInput(f"{target} is a directory: name a file")
    if not target.parent.is_dir():
        raise InvalidInput(f"There is no directory {target.parent}")
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    try:
        yield WaitingFile(target, beside)
    finally:
        beside.unlink(missing_ok=True)

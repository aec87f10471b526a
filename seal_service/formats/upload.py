"""A document as it streams in: bounded, with its digests taken on the way."""

from __future__ import annotations

import hashlib
from typing import Self

from cryptography.hazmat.primitives import hashes

from seal_service.domain.errors import DocumentOverLimit
from seal_service.formats.document_file import DocumentFile
from seal_service.ports.documents import Content, DocumentBytes, Upload


class Sm3State:
    """A running SM3 (GB/T 32905) that can be read and copied at any time."""

    def __init__(self, running: hashes.Hash | None = None) -> None:
        self._running = running or hashes.Hash(hashes.SM3())

    def update(self, data: Content, /) -> None:
        """Take more bytes."""
        self._running.update(memoryview(data))

    def copy(self) -> Self:
        """An independent copy of the state."""
        return type(self)(self._running.copy())

    def digest(self) -> bytes:
        """The 32-byte digest so far."""
        return self._running.copy().finalize()


class UploadReader:
    """Takes a document's chunks; DocumentOverLimit as soon as they exceed `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._file = DocumentFile()
        self._size = 0
        self._sha256 = hashlib.sha256()
        self._sm3 = Sm3State()

    def write(self, chunk: bytes) -> None:
        """Take a chunk."""
        self._size += len(chunk)
        if self._size > self._limit:
            raise DocumentOverLimit(f"The document has more than {self._limit / (1 << 20):.3g} MB", limit=self._limit)
        self._file.write(chunk)
        self._sha256.update(chunk)
        self._sm3.update(chunk)

    def finish(self, name: str) -> Upload:
        """The upload; the reader is not used again."""
        return Upload(name=name, content=self._file.finished(), sha256=self._sha256, sm3=self._sm3)


def upload_of(content: Content, name: str = "document") -> Upload:
    """The upload of bytes that are already here, without limit; what is in a file already is not copied."""
    if isinstance(content, DocumentBytes):
        sha256, sm3 = hashlib.sha256(content), Sm3State()
        sm3.update(content)
        return Upload(name=name, content=content, sha256=sha256, sm3=sm3)
    reader = UploadReader(len(content))
    reader.write(content)
    return reader.finish(name)

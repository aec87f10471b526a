"""文件内容 in memory that processes share: written once, then sealed against every change, and mapped where it is read.

A file in memory (memfd) never touches a disk, is freed with its last user, and is handed to another process as a
descriptor instead of a copy.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from seal_service.domain.errors import Unavailable
from seal_service.ports.documents import Content, DocumentBytes, HeldFile

_NAME = "document"


class DocumentFile:
    """A document while it is written. Nothing remains of it when it is dropped.

    Raises Unavailable when this machine has no memory for it, or this process no descriptor.
    """

    def __init__(self) -> None:
        self._sealable = hasattr(os, "memfd_create")
        with _given_room():
            if self._sealable:
                flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
                self._file = HeldFile(os.memfd_create(_NAME, flags))
            else:  # a system without memfd, for development alone
                with tempfile.TemporaryFile() as file:
                    self._file = HeldFile(os.dup(file.fileno()))

    @property
    def descriptor(self) -> int:
        """To write through, by another process too."""
        return self._file.fileno()

    @property
    def size(self) -> int:
        """Bytes written."""
        return os.fstat(self._file.fileno()).st_size

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        """Append."""
        left = memoryview(chunk)
        with _given_room():
            while left:
                left = left[os.write(self._file.fileno(), left) :]

    def finished(self) -> Content:
        """The content, which nobody can change any more; OSError when another process still maps it for writing."""
        size = self.size
        if size == 0:
            return b""  # nothing can be mapped
        if self._sealable:
            seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
            fcntl.fcntl(self._file.fileno(), fcntl.F_ADD_SEALS, seals)
        return mapped(self._file)


@contextmanager
def _given_room() -> Iterator[None]:
    """What is missing here is missing for a while, and is no error of whoever sent the document."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"There is no room to take in a document: {error.strerror}") from error


def mapped(file: HeldFile) -> Content:
    """The content of an open file, mapped for reading; it keeps the file open."""
    if os.fstat(file.fileno()).st_size == 0:
        return b""
    content = DocumentBytes(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
    content.file = file
    return content

"""Documents and pictures as encrypted files, named by digest."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from seal_service.domain.errors import IntegrityFailed, Unavailable
from seal_service.domain.identifiers import digest as checked_digest
from seal_service.ports.documents import Content
from seal_service.ports.system import Vault
from seal_service.storage.lasting import sync_directory

_BUFFER_BYTES = 1 << 16
_ROOT = 0
_PLACES = (1, 1 << 8, 1 << 16)
"""How many directories there may be: the root, and those of one and of two bytes of a digest."""
_BEGINNING = 16
"""Bytes of a ciphertext that tell its key."""
_NAME = re.compile(r"[0-9a-f]{64}")


class EncryptedFiles:
    """A directory of blobs. Created whole or not at all, never overwritten; safe for threads and processes."""

    def __init__(self, directory: Path, vault: Vault) -> None:
        self._directory = directory
        self._vault = vault
        self._is_lasting = bytearray(sum(_PLACES))
        """Whether a directory's own name is known to survive a loss of power, by `_places`."""

    def put(self, *pieces: Content) -> str:
        """Keep the content, durably; its SHA-256. IntegrityFailed when it is here already, but damaged; Unavailable."""
        running = hashlib.sha256()
        for one in pieces:
            running.update(one)
        digest = running.hexdigest()
        is_here = self.get(digest) is not None
        with _answering():
            self._keep(digest, None if is_here else self._vault.encrypted(pieces, _context(digest)))
        return digest

    def get(self, digest: str) -> bytes | None:
        """The content or None; IntegrityFailed when the file is not what was kept, InvalidInput for no digest.

        Unavailable when the disk does not give it.
        """
        try:
            with _answering():
                ciphertext = self._path(digest).read_bytes()
        except FileNotFoundError:
            return None
        return self._opened(digest, ciphertext)

    def adopt(self, digest: str, ciphertext: bytes) -> None:
        """Keep what `ciphertext` gave, durably; IntegrityFailed when it does not open to the digest."""
        self._opened(digest, ciphertext)
        self._keep(digest, [ciphertext])

    def ciphertext(self, digest: str) -> bytes | None:
        """The file as it is, or None."""
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError:
            return None

    def delete(self, digest: str) -> None:
        """Remove the content, durably; nothing when it is gone already. Unavailable."""
        path = self._path(digest)
        if not path.exists():
            return
        with _answering():
            with self._changing(exclusive=False):
                path.unlink(missing_ok=True)
            sync_directory(path.parent)

    def _opened(self, digest: str, ciphertext: bytes) -> bytes:
        content = self._vault.decrypt(ciphertext, _context(digest))
        if hashlib.sha256(content).hexdigest() != digest:
            raise IntegrityFailed(digest=digest)
        return content

    def _keep(self, digest: str, ciphertext: Iterable[bytes] | None) -> None:
        """Write, unless it is here already (None), and make its name durable."""
        path, places = self._path(digest), _places(digest)
        if ciphertext is not None:
            self._write(path, ciphertext, places)
        sync_directory(path.parent)
        above = (path.parent.parent, self._directory, self._directory.parent)
        for place, directory in zip(places, above, strict=True):
            if not self._is_lasting[place]:
                sync_directory(directory)
                self._is_lasting[place] = True

    def _path(self, digest: str) -> Path:
        name = checked_digest(digest)
        return self._directory / name[:2] / name[2:4] / name

    def _write(self, path: Path, ciphertext: Iterable[bytes], places: Sequence[int]) -> None:
        """Write beside the blobs, sync, then link: the name appears with its whole content or not at all."""
        handle, name = self._incoming()
        try:
            with os.fdopen(handle, "wb", _BUFFER_BYTES) as file:
                file.writelines(ciphertext)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):  # another process kept the same content first
                try:
                    os.link(name, path)
                except FileNotFoundError:
                    self._make(path.parent.parent, places[1])
                    self._make(path.parent, places[0])
                    os.link(name, path)
        finally:
            os.unlink(name)

    def _incoming(self) -> tuple[int, str]:
        """A new file beside the blobs, and its name."""
        incoming = self._directory / "incoming"
        try:
            return tempfile.mkstemp(dir=incoming)
        except FileNotFoundError:
            self._directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make(self._directory, _ROOT)
            incoming.mkdir(mode=0o700, exist_ok=True)
            return tempfile.mkstemp(dir=incoming)

    def _make(self, directory: Path, place: int) -> None:
        with suppress(FileExistsError):
            directory.mkdir(mode=0o700)
            self._is_lasting[place] = False

    def count(self) -> int:
        """How many blobs there are."""
        return sum(1 for _ in self._kept())

    def encrypt_anew(self, is_current: Callable[[bytes], bool]) -> tuple[int, int]:
        """Encrypt what is not current; how many were, and how many are damaged and stay as they are.

        A blob keeps its name. Who reads it meanwhile has the old file or the new one, whole; what is deleted stays so.
        """
        done = damaged = 0
        for path in self._kept():
            try:
                done += self._encrypt_anew(path, is_current)
            except IntegrityFailed:
                damaged += 1
        return done, damaged

    def _encrypt_anew(self, path: Path, is_current: Callable[[bytes], bool]) -> bool:
        try:
            with path.open("rb") as file:
                if is_current(file.read(_BEGINNING)):
                    return False
        except FileNotFoundError:
            return False
        content = self.get(path.name)
        if content is None:
            return False
        ciphertext = self._vault.encrypt(content, _context(path.name))
        with self._changing(exclusive=True):
            if path.exists():
                self._replace(path, ciphertext)
        return True

    def _replace(self, path: Path, ciphertext: bytes) -> None:
        owner = path.stat()
        handle, name = self._incoming()
        try:
            with os.fdopen(handle, "wb") as file:
                if os.geteuid() == 0:  # what root encrypts anew stays the service's
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
                file.write(ciphertext)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except OSError:
            os.unlink(name)
            raise
        sync_directory(path.parent)

    def _kept(self) -> Iterator[Path]:
        return (one for one in self._directory.glob("??/??/*") if _NAME.fullmatch(one.name))

    @contextmanager
    def _changing(self, *, exclusive: bool) -> Iterator[None]:
        """Shared by those who delete, so that none of them deletes a file while it is replaced."""
        handle = os.open(self._directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            owner = self._directory.stat()
            if os.geteuid() == 0:
                os.fchown(handle, owner.st_uid, owner.st_gid)
            fcntl.flock(handle, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
            yield
        finally:
            os.close(handle)


@contextmanager
def _answering() -> Iterator[None]:
    """A disk that fails or is full is a service that does not answer, and no error of whoever wrote this."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unavailable(f"The store of documents does not answer: {error.strerror}") from error


def _places(digest: str) -> tuple[int, int, int]:
    """Of the directory of a blob, of the one above and of the root."""
    above, below = int(digest[:2], 16), int(digest[:4], 16)
    return 1 + _PLACES[1] + below, 1 + above, _ROOT


def _context(digest: str) -> bytes:
    return b"blob:" + digest.encode()

"""The key directory's files as they are, for backups: wrapped private keys, never what opens them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

from seal_service.domain.errors import BackupRefused
from seal_service.pki.durable_files import create_file
from seal_service.ports.system import Entropy

_WRAPPED = re.compile(r"(?!master\.key$)[A-Za-z0-9][A-Za-z0-9._-]{0,119}\.key|keyring")
"""What is encrypted under the master key. Everything else in the directory stays where it is: the master key's file
and the PIN of an HSM open what these files hold."""


class KeyDirectoryFiles:
    """The files of a key directory that hold wrapped keys."""

    def __init__(
        self, directory: Path, entropy: Entropy, undisturbed: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        """`undisturbed`: a time in which no key is wrapped anew; Conflict while one is."""
        self._directory = directory
        self._entropy = entropy
        self._undisturbed = undisturbed

    def all(self) -> Iterator[tuple[str, bytes]]:
        """Every file, by name, with its bytes, all of one moment but for keys that are made or destroyed."""
        with self._undisturbed():
            for path in sorted(self._directory.glob("*")):
                if _WRAPPED.fullmatch(path.name):
                    with suppress(FileNotFoundError):
                        yield path.name, path.read_bytes()

    def holds_other(self, name: str, content: bytes) -> bool:
        """Whether there is a file of this name with other bytes."""
        path = self._path(name)
        return path.exists() and path.read_bytes() != content

    def add(self, name: str, content: bytes) -> None:
        """Write a file of mode 0600, durably; nothing when it is there already."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.holds_other(name, content):
            raise BackupRefused(f"There is another key file {self._path(name)} already")
        if not self._path(name).exists():
            create_file(self._path(name), content, self._entropy.token(8).hex())

    def _path(self, name: str) -> Path:
        if not _WRAPPED.fullmatch(name):
            raise BackupRefused(f"{name} is not the name of a key file")
        return self._directory / name

"""Fakes of the published log: its key in memory, its files in a dictionary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seal_service.domain.errors import LogDamaged
from seal_service.domain.log_keys import LogKeyPeriod
from seal_service.domain.publication import SignedTree
from seal_service.formats.checkpoint import open_checkpoint
from seal_service.formats.note import NoteSignature, SignatureType, VerifierKey, write_note


@dataclass
class MemoryLogKey:
    """A log's key, made anew."""

    name: str
    private: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        public = self.private.public_key().public_bytes_raw()
        return VerifierKey(name=self.name, type=SignatureType.ED25519, public_key=public)

    @property
    def verifier_key(self) -> str:
        """As text."""
        return self.verifier.text

    @property
    def verifier_keys(self) -> tuple[str, ...]:
        """The one."""
        return (self.verifier_key,)

    def open(
        self, content: bytes, *, periods: Sequence[LogKeyPeriod] | None = None, beyond: int | None = None
    ) -> SignedTree:
        """By the one key."""
        del periods, beyond
        opened = open_checkpoint(content, self.verifier).checkpoint
        return SignedTree(size=opened.size, root=opened.root)

    def sign(self, text: str, size: int | None = None, periods: Sequence[LogKeyPeriod] | None = None) -> bytes:
        """The signed note."""
        del size, periods
        key = self.verifier
        value = self.private.sign(text.encode())
        return write_note(text, [NoteSignature(name=key.name, key_id=key.key_id, value=value)])


@dataclass
class MemoryLogFiles:
    """The log's files."""

    kept: dict[str, bytes] = field(default_factory=dict)

    def create(self, path: str, content: bytes) -> None:
        """Keep."""
        if self.kept.setdefault(path, content) != content:
            raise LogDamaged(f"{path} is there with other bytes")

    def read(self, path: str) -> bytes | None:
        """Read."""
        return self.kept.get(path)

    def publish(self, path: str, content: bytes) -> None:
        """Keep instead."""
        self.kept[path] = content

    def remove_partials(self, path: str) -> None:
        """Forget."""
        for one in [one for one in self.kept if one.startswith(f"{path}.p/")]:
            del self.kept[one]

    def remove(self, path: str) -> None:
        """Forget."""
        self.kept.pop(path, None)

    @contextmanager
    def publishing(self) -> Iterator[bool]:
        """Alone."""
        yield True

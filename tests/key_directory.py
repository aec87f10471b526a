"""A key directory with all that is in one, kept files beside it, and what version 0.1.0 wrote instead."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from seal_service.domain.algorithms import Suite
from seal_service.pki.file_keys import FileKeyStore
from seal_service.pki.key_hierarchy import KeyHierarchy, create_ring
from seal_service.pki.key_rotation import KeyDirectoryRotation, RingTokenKeyRotation
from seal_service.pki.master_key import GivenMasterKeys, MasterKeyFile, MasterKeySource
from seal_service.pki.vault import KeyRingVault
from seal_service.storage.blobs import EncryptedFiles
from tests.pki_instance import SystemEntropy

ENTROPY = SystemEntropy()
KEYS = ("seal-1", "seal-2", "authority-root")
DOCUMENTS = (b"sealed document", b"impression" * 1000, b"")


@dataclass
class Process:
    """What one process of the service holds of an instance in `home`."""

    home: Path
    environment: str | None = None
    """SEAL_MASTER_KEY; None: the file."""
    source: MasterKeySource = field(init=False)

    def __post_init__(self) -> None:
        file = MasterKeyFile(self.home / "keys" / "master.key")
        self.source = file if self.environment is None else GivenMasterKeys(self.environment)
        self.hierarchy = KeyHierarchy(self.home / "keys", self.source, ENTROPY)
        self.keys = FileKeyStore(self.hierarchy, ENTROPY)
        self.vault = KeyRingVault(self.hierarchy, ENTROPY)
        self.blobs = EncryptedFiles(self.home / "blobs", self.vault)
        self.rotation = KeyDirectoryRotation(self.hierarchy, self.vault, self.blobs, ENTROPY)
        self.tokens = RingTokenKeyRotation(self.hierarchy, ENTROPY)


@dataclass(frozen=True)
class Contents:
    """All that must still be there after whatever happens to the keys."""

    public_keys: dict[str, bytes]
    digests: tuple[str, ...]
    private_field: bytes
    pseudonym: str

    @classmethod
    def made(cls, process: Process) -> Contents:
        """Fill an instance."""
        return cls(
            public_keys={name: process.keys.create(name, Suite.ECDSA_P256).public_key_info for name in KEYS},
            digests=tuple(process.blobs.put(one) for one in DOCUMENTS),
            private_field=process.vault.encrypt("张三".encode(), b"field"),
            pseudonym=process.vault.pseudonym("张三", "operator"),
        )

    def require(self, process: Process) -> None:
        """Everything opens, in this process."""
        assert {name: process.keys.open(name).public_key_info for name in KEYS} == self.public_keys
        assert tuple(process.blobs.get(one) for one in self.digests) == DOCUMENTS
        assert process.vault.decrypt(self.private_field, b"field") == "张三".encode()
        assert process.vault.pseudonym("张三", "operator") == self.pseudonym
        assert process.vault.decrypt(process.vault.encrypt(b"new", b"c"), b"c") == b"new"


def founded(home: Path) -> Contents:
    """A new instance with its master key in the file."""
    (home / "keys").mkdir(parents=True, mode=0o700)
    file = MasterKeyFile(home / "keys" / "master.key")
    file.create(ENTROPY)
    create_ring(home / "keys", file, ENTROPY)
    return Contents.made(Process(home))


def master_lines(home: Path) -> list[str]:
    """The keys that the file holds."""
    return (home / "keys" / "master.key").read_text().split()


def as_version_0_1_0(home: Path) -> None:
    """Put the contents of an instance into the form that version 0.1.0 gave them; private fields are not changed.

    The ring must be the one that its master key implies.
    """
    process = Process(home)
    (line,) = master_lines(home)
    for path in process.hierarchy.key_files():
        path.write_bytes(first_form(line, process.hierarchy.unwrap(path), b"key/" + path.stem.encode()))
    for path in (home / "blobs").glob("??/??/*"):
        content = process.blobs.get(path.name)
        assert content is not None
        path.write_bytes(first_form(line, content, b"blob:" + path.name.encode()))
    for name in ("keyring", ".lock"):
        (home / "keys" / name).unlink()


def first_form(master_key: str, plaintext: bytes, context: bytes) -> bytes:
    """What the vault of version 0.1.0 made of a plaintext."""
    nonce = os.urandom(12)
    return b"\x01" + nonce + AESGCM(sub_key(master_key, b"encryption")).encrypt(nonce, plaintext, b"\x01" + context)


def sub_key(master_key: str, purpose: bytes) -> bytes:
    """A key that version 0.1.0 derived from the master key."""
    info = b"seal-service/" + purpose
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(bytes.fromhex(master_key))

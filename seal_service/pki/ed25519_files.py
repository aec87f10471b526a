"""Ed25519 keys in files, each wrapped under the master key, beside the keys that sign documents."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from seal_service.domain.errors import AlreadyRegistered, IntegrityFailed, SignatureRefused
from seal_service.pki.durable_files import create_file
from seal_service.pki.key_hierarchy import KeyHierarchy, key_context
from seal_service.ports.system import Entropy


class SoftwareEd25519Key:
    """A private key held in this process. Safe for threads."""

    def __init__(self, private_key: Ed25519PrivateKey) -> None:
        self.public_key = private_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._private_key = private_key

    def sign(self, message: bytes) -> bytes:
        """PureEdDSA over the message (RFC 8032): 64 bytes, always the same for the same message."""
        return self._private_key.sign(message)


class Ed25519Files:
    """Keys as `<reference>.key` like all others of the directory: a rotation of the master key wraps them anew."""

    def __init__(self, hierarchy: KeyHierarchy, entropy: Entropy) -> None:
        self._hierarchy = hierarchy
        self._entropy = entropy

    def create(self, reference: str) -> SoftwareEd25519Key:
        """A new key, durable on return; AlreadyRegistered for a reference that exists."""
        private_key = Ed25519PrivateKey.generate()
        plaintext = private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        try:
            with self._hierarchy.creating() as master:
                content = master.wrap(plaintext, key_context(reference), self._entropy)
                path = self._hierarchy.directory / f"{reference}.key"
                create_file(path, content, self._entropy.token(8).hex())
        except FileExistsError:
            raise AlreadyRegistered(f"There is a key {reference} already") from None
        return SoftwareEd25519Key(private_key)

    def open(self, reference: str) -> SoftwareEd25519Key:
        """The key; SignatureRefused when there is none, IntegrityFailed when its file was changed or is another's.

        Raises InstanceNotReady when it is wrapped under a master key that is not here.
        """
        try:
            plaintext = self._hierarchy.unwrap(self._hierarchy.directory / f"{reference}.key")
        except FileNotFoundError:
            raise SignatureRefused(f"There is no key {reference}") from None
        except OSError as error:
            raise SignatureRefused(f"The key {reference} cannot be read: {error.strerror}") from error
        try:
            private_key = load_der_private_key(plaintext, None)
        except ValueError:
            private_key = None
        if not isinstance(private_key, Ed25519PrivateKey):
            raise IntegrityFailed(f"The key {reference} is no Ed25519 key")
        return SoftwareEd25519Key(private_key)

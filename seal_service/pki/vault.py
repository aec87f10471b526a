"""密钥保护: what is kept at rest, encrypted under the instance's master key (AES-256-GCM, HKDF-SHA256)."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from seal_service.domain.errors import AlreadyRegistered, InstanceNotReady, IntegrityFailed
from seal_service.pki.durable_files import create_file
from seal_service.ports.system import Entropy

_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_MASTER_KEY = re.compile(r"[0-9a-fA-F]{64}")


class MasterKeyVault:
    """Vault under a master key of 32 bytes: one HKDF sub-key (RFC 5869) for each purpose, never the master key itself.

    Ciphertext: version byte 1, 96-bit random nonce, AES-256-GCM output with its 128-bit tag (NIST SP 800-38D); the
    version and the context are authenticated with it.
    """

    def __init__(self, master_key: bytes, entropy: Entropy) -> None:
        if len(master_key) != 32:
            raise InstanceNotReady("The master key has not 32 bytes")
        self._master_key = master_key
        self._entropy = entropy
        self._cipher = AESGCM(self._sub_key(b"encryption"))
        self._pseudonym_key = self._sub_key(b"pseudonyms")

    def encrypt(self, plaintext: bytes, context: bytes) -> bytes:
        """Ciphertext that can be opened only with the same context."""
        nonce = self._entropy.token(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, plaintext, _VERSION + context)

    def decrypt(self, ciphertext: bytes, context: bytes) -> bytes:
        """The plaintext; IntegrityFailed when ciphertext, context or master key is another."""
        start = len(_VERSION) + _NONCE_BYTES
        if not ciphertext.startswith(_VERSION) or len(ciphertext) < start + _TAG_BYTES:
            raise IntegrityFailed
        try:
            return self._cipher.decrypt(ciphertext[len(_VERSION) : start], ciphertext[start:], _VERSION + context)
        except InvalidTag:
            raise IntegrityFailed from None

    def pseudonym(self, value: str, purpose: str) -> str:
        """A keyed pseudonym of a value for a purpose: HMAC-SHA-256, its first 128 bits as 32 hexadecimal characters."""
        scope = purpose.encode()
        message = len(scope).to_bytes(4, "big") + scope + value.encode()
        return hmac.new(self._pseudonym_key, message, hashlib.sha256).hexdigest()[:32]

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for a purpose of another room, such as signing access tokens."""
        return self._sub_key(b"derived/" + purpose.encode())

    def _sub_key(self, purpose: bytes) -> bytes:
        info = b"seal-service/" + purpose
        return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(self._master_key)


def parse_master_key(text: str) -> bytes:
    """The master key from 64 hexadecimal characters; InstanceNotReady for anything else (its text is not repeated)."""
    if not _MASTER_KEY.fullmatch(text.strip()):
        raise InstanceNotReady("The master key is not 64 hexadecimal characters")
    return bytes.fromhex(text.strip())


def load_master_key(path: Path) -> bytes:
    """The master key from its file; InstanceNotReady when it is missing, malformed or not its owner's alone."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & 0o077:
                raise InstanceNotReady(
                    f"The master key {path} can be read by others (mode {mode & 0o777:04o}): chmod 600 it"
                )
            content = file.read(1024)
    except OSError as error:
        raise InstanceNotReady(f"The master key {path} cannot be read: {error.strerror}") from error
    try:
        return parse_master_key(content.decode("ascii", errors="replace"))
    except InstanceNotReady as error:
        raise InstanceNotReady(f"{error.message}: {path}") from None


def create_master_key(path: Path, entropy: Entropy) -> bytes:
    """A new master key in a new file of mode 0600, durable on return; AlreadyRegistered when the file exists."""
    key = entropy.token(32)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        create_file(path, key.hex().encode() + b"\n", entropy.token(8).hex())
    except FileExistsError:
        raise AlreadyRegistered(f"There is a master key already: {path}") from None
    return key

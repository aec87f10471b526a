"""密钥保护: what is kept at rest, encrypted under the data keys of the instance's key ring (AES-256-GCM)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from seal_service.domain.errors import IntegrityFailed
from seal_service.pki.key_hierarchy import KeyHierarchy
from seal_service.pki.master_key import FIRST_FORM, NONCE_BYTES, TAG_BYTES
from seal_service.ports.documents import Content
from seal_service.ports.system import Entropy

_NUMBERED = b"\x02"
_NUMBER_BYTES = 4
_PART_BYTES = 1 << 20
"""Of content that is encrypted in parts."""


class KeyRingVault:
    """Vault under the key ring. What another process adds to the ring is used here at once.

    Ciphertext: byte 2, number of the data key (32 bits, big-endian), 96-bit random nonce, AES-256-GCM output with its
    128-bit tag (NIST SP 800-38D); byte, number and context are authenticated with it. Version 0.1.0 wrote byte 1 and
    no number: that is data key 1.
    """

    def __init__(self, hierarchy: KeyHierarchy, entropy: Entropy) -> None:
        self._hierarchy = hierarchy
        self._entropy = entropy

    def encrypt(self, plaintext: bytes, context: bytes) -> bytes:
        """Ciphertext that can be opened only with the same context."""
        ring = self._hierarchy.ring()
        header = _NUMBERED + ring.newest.to_bytes(_NUMBER_BYTES, "big")
        nonce = self._entropy.token(NONCE_BYTES)
        return header + nonce + ring.ciphers[ring.newest].encrypt(nonce, plaintext, header + context)

    def encrypted(self, pieces: Iterable[Content], context: bytes) -> Iterator[bytes]:
        """The same ciphertext in parts, for content in pieces: of neither is more than a part held."""
        ring = self._hierarchy.ring()
        header = _NUMBERED + ring.newest.to_bytes(_NUMBER_BYTES, "big")
        nonce = self._entropy.token(NONCE_BYTES)
        encryptor = Cipher(algorithms.AES(ring.data[ring.newest]), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(header + context)
        yield header + nonce
        for piece in pieces:
            content = memoryview(piece)
            for start in range(0, len(content), _PART_BYTES):
                yield encryptor.update(content[start : start + _PART_BYTES])
        yield encryptor.finalize() + encryptor.tag

    def decrypt(self, ciphertext: bytes, context: bytes) -> bytes:
        """The plaintext; IntegrityFailed when ciphertext, context or ring is another."""
        number, header = _named(ciphertext)
        start = len(header) + NONCE_BYTES
        if len(ciphertext) < start + TAG_BYTES:
            raise IntegrityFailed
        cipher = self._hierarchy.held_ring().ciphers.get(number) or self._hierarchy.ring().ciphers.get(number)
        if cipher is None:
            raise IntegrityFailed(f"This was encrypted under data key {number}, which the keyring does not have")
        try:
            return cipher.decrypt(ciphertext[len(header) : start], ciphertext[start:], header + context)
        except InvalidTag:
            raise IntegrityFailed from None

    def is_current(self, ciphertext: bytes) -> bool:
        """Whether the newest data key encrypted this, of which the beginning is enough."""
        number, header = _named(ciphertext)
        return header[:1] == _NUMBERED and number == self._hierarchy.ring().newest

    def pseudonym(self, value: str, purpose: str) -> str:
        """A keyed pseudonym of a value for a purpose: HMAC-SHA-256, its first 128 bits as 32 hexadecimal characters."""
        scope = purpose.encode()
        message = len(scope).to_bytes(4, "big") + scope + value.encode()
        return hmac.new(self._hierarchy.held_ring().pseudonyms, message, hashlib.sha256).hexdigest()[:32]

    def token_keys(self) -> Sequence[bytes]:
        """Keys for access tokens, 32 bytes each: the first signs, every one is accepted."""
        return self._hierarchy.ring().tokens


def _named(ciphertext: bytes) -> tuple[int, bytes]:
    """The number of the data key and the header that names it; IntegrityFailed for what is no ciphertext."""
    if ciphertext[:1] == FIRST_FORM:
        return 1, FIRST_FORM
    header = ciphertext[: len(_NUMBERED) + _NUMBER_BYTES]
    if ciphertext[:1] != _NUMBERED or len(header) < len(_NUMBERED) + _NUMBER_BYTES:
        raise IntegrityFailed
    return int.from_bytes(header[len(_NUMBERED) :], "big"), header

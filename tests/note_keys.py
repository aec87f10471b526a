"""Keys of logs and witnesses that sign in tests, and one-bit mutations of what they signed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from seal_service.formats.cosignature import cosignature, cosigned_message
from seal_service.formats.note import (
    NoteSignature,
    SignatureType,
    VerifierKey,
    checked_text,
    signature_line,
    write_note,
)


class NoteKey:
    """An Ed25519 key that is always the same for a name."""

    def __init__(self, name: str, how: SignatureType = SignatureType.ED25519, seed: str = "") -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256((seed or name).encode()).digest())
        public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.public = VerifierKey(name=name, type=how, public_key=public)

    def signature(self, text: str) -> NoteSignature:
        """A log's signature."""
        value = self._private.sign(checked_text(text))
        return NoteSignature(name=self.public.name, key_id=self.public.key_id, value=value)

    def note(self, text: str) -> bytes:
        """The text with this key's signature."""
        return write_note(text, [self.signature(text)])

    def cosignature(self, text: str, at: datetime) -> NoteSignature:
        """A witness's signature."""
        return cosignature(self.public, at, self._private.sign(cosigned_message(text, at)))

    def cosigned(self, note: bytes, text: str, at: datetime) -> bytes:
        """A note with this witness's line under it."""
        return note + signature_line(self.cosignature(text, at)).encode()


def one_bit_mutations(content: bytes) -> Iterator[bytes]:
    """Every content that differs from this one in one bit."""
    for at in range(len(content)):
        for bit in range(8):
            yield content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]

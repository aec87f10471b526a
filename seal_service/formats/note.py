"""签名文本 (C2SP signed-note): text with signatures under it, and the keys that make and check them.

Signing itself is the keys' own matter: here is what is signed, and how it is written and read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from seal_service.domain.errors import NoteRefused
from seal_service.formats.base64_text import decoded, encoded

LARGEST_NOTE = 1_000_000
"""Bytes."""
MOST_SIGNATURES = 100
_PREFIX = "— "
_KEY_ID_BYTES = 4
_ED25519_KEY_BYTES = 32
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NOT_IN_NAMES = re.compile(r"[\s+]")


class SignatureType(IntEnum):
    """The byte that says how a key signs."""

    ED25519 = 0x01
    """The text itself."""
    COSIGNATURE = 0x04
    """cosignature/v1: the text under the time at which a witness saw it (C2SP tlog-cosignature)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One line under a note."""

    name: str
    key_id: bytes
    """4 bytes that tell which of the name's keys signed; no proof of anything."""
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedNote:
    """A note as read: nothing of it is verified yet."""

    text: str
    """Ends with a line feed."""
    signatures: tuple[NoteSignature, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key with its name (C2SP vkey)."""

    name: str
    type: SignatureType
    public_key: bytes
    """Ed25519, 32 bytes."""

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public_key).digest()[
            :_KEY_ID_BYTES
        ]

    @property
    def text(self) -> str:
        """name+id+key, as it is handed to whoever checks."""
        return f"{self.name}+{self.key_id.hex()}+{encoded(bytes([self.type]) + self.public_key)}"


def verifier_key(text: str) -> VerifierKey:
    """The key of a vkey; NoteRefused."""
    try:
        name, key_id, key = text.strip().split("+", 2)
        data = decoded(key)
        found = VerifierKey(name=checked_name(name), type=SignatureType(data[0]), public_key=data[1:])
        if len(found.public_key) != _ED25519_KEY_BYTES or found.key_id.hex() != key_id:
            raise ValueError("its id is not that of its name and key")
    except (ValueError, IndexError) as error:
        raise NoteRefused(f"A verifier key is name+id+key, as `seal log key` prints it: {error}") from error
    return found


def checked_name(name: str) -> str:
    """A key's name; ValueError for what could not stand in a signature line."""
    if not name or _NOT_IN_NAMES.search(name) or not name.isprintable():
        raise ValueError("a name has no spaces, no plus sign and at least one character")
    return name


def checked_text(text: str) -> bytes:
    """A note's text as bytes; NoteRefused when it could not be a note's."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteRefused("A note's text ends with a line feed and has no other control characters")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NoteRefused("A note's text holds half of a surrogate pair") from error


def write_note(text: str, signatures: Sequence[NoteSignature]) -> bytes:
    """The note; NoteRefused for what could not be read again."""
    checked_text(text)
    if not 1 <= len(signatures) <= MOST_SIGNATURES:
        raise NoteRefused(f"A note has 1 to {MOST_SIGNATURES} signatures")
    note = f"{text}\n{''.join(signature_line(one) for one in signatures)}".encode()
    if len(note) > LARGEST_NOTE:
        raise NoteRefused(f"A note has at most {LARGEST_NOTE} bytes")
    return note


def signature_line(signature: NoteSignature) -> str:
    """With its line feed; NoteRefused for what could not be read again."""
    if len(signature.key_id) != _KEY_ID_BYTES or not signature.value:
        raise NoteRefused(f"A signature has a key id of {_KEY_ID_BYTES} bytes and a value")
    try:
        return f"{_PREFIX}{checked_name(signature.name)} {encoded(signature.key_id + signature.value)}\n"
    except ValueError as error:
        raise NoteRefused(f"A signature line is name and base64: {error}") from error


def read_note(data: bytes) -> SignedNote:
    """The note of these bytes; NoteRefused for everything that `write_note` would not have written."""
    if len(data) > LARGEST_NOTE:
        raise NoteRefused(f"A note has at most {LARGEST_NOTE} bytes")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise NoteRefused("A note is UTF-8") from error
    text, separator, lines = whole.rpartition("\n\n")
    if not separator:
        raise NoteRefused("A note is text, an empty line and signature lines")
    text += "\n"
    checked_text(text)
    return SignedNote(text=text, signatures=read_signature_lines(lines))


def read_signature_lines(lines: str) -> tuple[NoteSignature, ...]:
    """The signatures of lines that each end with a line feed; NoteRefused."""
    if not lines.endswith("\n"):
        raise NoteRefused("A signature line ends with a line feed")
    found = lines.removesuffix("\n").split("\n")
    if len(found) > MOST_SIGNATURES:
        raise NoteRefused(f"A note has at most {MOST_SIGNATURES} signatures")
    return tuple(_signature(line) for line in found)


def _signature(line: str) -> NoteSignature:
    if not line.startswith(_PREFIX):
        raise NoteRefused("A signature line begins with an em dash and a space")
    try:
        name, value = line.removeprefix(_PREFIX).split(" ")
        data = decoded(value)
        if len(data) <= _KEY_ID_BYTES:
            raise ValueError("it has no signature")
        return NoteSignature(name=checked_name(name), key_id=data[:_KEY_ID_BYTES], value=data[_KEY_ID_BYTES:])
    except ValueError as error:
        raise NoteRefused(f"A signature line is name and base64: {error}") from error


def verified_by(note: SignedNote, keys: Iterable[VerifierKey]) -> tuple[VerifierKey, ...]:
    """Which of the keys signed the note's text itself.

    Raises NoteRefused when none of them did, or when a line in the name and id of one is not its signature.
    """
    known = {(key.name, key.key_id): key for key in keys if key.type is SignatureType.ED25519}
    found = []
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not ed25519_holds(key.public_key, signature.value, note.text.encode()):
            raise NoteRefused(f"The signature of {key.name} is not over this text")
        if key not in found:
            found.append(key)
    if not found:
        raise NoteRefused("None of the known keys signed this note")
    return tuple(found)


def signed_by(content: bytes, name: str) -> bytes:
    """A note with the signature lines of one name alone; NoteRefused when there are none."""
    note = read_note(content)
    return write_note(note.text, [one for one in note.signatures if one.name == name])


def ed25519_holds(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether an Ed25519 signature (RFC 8032) is over the message."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True

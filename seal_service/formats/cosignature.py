"""见证签名 (C2SP tlog-cosignature, cosignature/v1): a witness's word that it saw a checkpoint, and when."""

from __future__ import annotations

from datetime import UTC, datetime

from seal_service.domain.errors import NoteRefused
from seal_service.formats.note import NoteSignature, SignatureType, SignedNote, VerifierKey, checked_text, ed25519_holds

_TIME_BYTES = 8
_VALUE_BYTES = _TIME_BYTES + 64


def cosigned_message(text: str, at: datetime) -> bytes:
    """What a witness signs: the time in whole seconds, then the checkpoint's text."""
    return f"cosignature/v1\ntime {_seconds(at)}\n".encode() + checked_text(text)


def cosignature(key: VerifierKey, at: datetime, signature: bytes) -> NoteSignature:
    """The line of a witness: its time in 8 bytes, then its Ed25519 signature."""
    value = _seconds(at).to_bytes(_TIME_BYTES) + signature
    return NoteSignature(name=key.name, key_id=key.key_id, value=value)


def cosigned_at(note: SignedNote, key: VerifierKey) -> datetime:
    """When a witness saw the checkpoint: the latest of its lines; NoteRefused when none holds, or one does not."""
    found: datetime | None = None
    for signature in note.signatures:
        if (signature.name, signature.key_id) == (key.name, key.key_id):
            at = _verified(note.text, signature, key)
            found = at if found is None else max(found, at)
    if found is None:
        raise NoteRefused(f"The witness {key.name} did not cosign this checkpoint")
    return found


def _verified(text: str, signature: NoteSignature, key: VerifierKey) -> datetime:
    refused = NoteRefused(f"The cosignature of {key.name} is not over this checkpoint")
    if key.type is not SignatureType.COSIGNATURE or len(signature.value) != _VALUE_BYTES:
        raise refused
    try:
        at = datetime.fromtimestamp(int.from_bytes(signature.value[:_TIME_BYTES]), UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise refused from error
    if not ed25519_holds(key.public_key, signature.value[_TIME_BYTES:], cosigned_message(text, at)):
        raise refused
    return at


def _seconds(at: datetime) -> int:
    return int(at.timestamp())

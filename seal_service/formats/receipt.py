"""签章回执 as a signed note (C2SP signed-note): fixed lines of a name, a space and a value.

Its first line has spaces in it, which no log's name has: a receipt can never be read as a checkpoint of the log, nor a
checkpoint or a witness's cosignature as a receipt, although one key signs both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from seal_service.domain.errors import NoteRefused
from seal_service.domain.receipt import SealReceipt
from seal_service.formats.note import VerifierKey, read_note, verified_by

HEADER = "seal service receipt v1"
LARGEST_RECEIPT = 16 * 1024
"""Bytes."""
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_HASH = r"[0-9a-f]{64}"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"
_LINES = re.compile(
    rf"{HEADER}\n"
    rf"origin (?P<origin>[^\s]{{1,1000}})\n"
    rf"use (?P<use_id>{_UUID})\n"
    rf"completed (?P<entry_id>{_UUID}) (?P<leaf_hash>{_HASH})\n"
    rf"intent (?P<intent_entry_id>{_UUID}) (?P<intent_leaf_hash>{_HASH})\n"
    rf"document sha256 (?P<document_sha256>{_HASH})\n"
    rf"sealed sha256 (?P<sealed_sha256>{_HASH})\n"
    rf"issued_at (?P<issued_at>{_TIME})\n"
    rf"(?:in_tree_by (?P<in_tree_by>{_TIME})\n)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReceipt:
    """A receipt with the note that says so."""

    receipt: SealReceipt
    content: bytes
    """The signed note."""


def receipt_text(receipt: SealReceipt) -> str:
    """What the log's key signs; NoteRefused for what could not be read again."""
    lines = [
        HEADER,
        f"origin {receipt.origin}",
        f"use {receipt.use_id}",
        f"completed {receipt.entry_id} {receipt.leaf_hash.hex()}",
        f"intent {receipt.intent_entry_id} {receipt.intent_leaf_hash.hex()}",
        f"document sha256 {receipt.document_sha256}",
        f"sealed sha256 {receipt.sealed_sha256}",
        f"issued_at {_written(receipt.issued_at)}",
    ]
    if receipt.in_tree_by is not None:
        lines.append(f"in_tree_by {_written(receipt.in_tree_by)}")
    text = "\n".join((*lines, ""))
    if not _LINES.fullmatch(text):
        raise NoteRefused("A receipt has the ids of entries, digests in hexadecimal and times in whole milliseconds")
    return text


def read_receipt(text: str) -> SealReceipt:
    """The receipt of a note's text; NoteRefused for everything that `receipt_text` would not have written."""
    found = _LINES.fullmatch(text)
    if found is None:
        raise NoteRefused(f"A receipt begins with `{HEADER}` and has its lines, in their order")
    try:
        return SealReceipt(
            origin=found["origin"],
            use_id=found["use_id"],
            entry_id=found["entry_id"],
            leaf_hash=bytes.fromhex(found["leaf_hash"]),
            intent_entry_id=found["intent_entry_id"],
            intent_leaf_hash=bytes.fromhex(found["intent_leaf_hash"]),
            document_sha256=found["document_sha256"],
            sealed_sha256=found["sealed_sha256"],
            issued_at=_read(found["issued_at"]),
            in_tree_by=None if found["in_tree_by"] is None else _read(found["in_tree_by"]),
        )
    except ValueError as error:
        raise NoteRefused(f"A receipt has times that there are: {error}") from error


def open_receipt(content: bytes, key: VerifierKey) -> SignedReceipt:
    """The receipt of a note that the log's key signed; NoteRefused, also when its origin is not the key's name."""
    if len(content) > LARGEST_RECEIPT:
        raise NoteRefused(f"A receipt has at most {LARGEST_RECEIPT} bytes")
    note = read_note(content)
    verified_by(note, [key])
    receipt = read_receipt(note.text)
    if receipt.origin != key.name:
        raise NoteRefused(f"The receipt is of {receipt.origin}, the key of {key.name}")
    return SignedReceipt(receipt=receipt, content=content)


def _written(at: datetime) -> str:
    if at.microsecond % 1000:
        raise NoteRefused("A receipt's times are whole milliseconds")
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)

"""签章回执: what a log promises of one use of a seal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from seal_service.domain.use import SealUse, UseState


@dataclass(frozen=True, slots=True, kw_only=True)
class SealReceipt:
    """签章回执: which document was sealed, which entries of the log stand for it, and by when they are in its tree."""

    origin: str
    use_id: str
    entry_id: str
    """Of the `completed` entry."""
    leaf_hash: bytes
    """Of the `completed` entry, 32 bytes."""
    intent_entry_id: str
    intent_leaf_hash: bytes
    """32 bytes; it stands in the signed bytes of the seal too."""
    document_sha256: str
    """As it came in."""
    sealed_sha256: str
    """As it went out."""
    issued_at: datetime
    """When the use was completed, in whole milliseconds."""
    in_tree_by: datetime | None
    """By when both entries are under a published checkpoint; None: the log promised no time."""


def receipt_of(use: SealUse, origin: str, merge: timedelta | None) -> SealReceipt | None:
    """The receipt of a use, the same however often it is asked for; None unless it was completed."""
    if use.state is not UseState.COMPLETED or use.ended_at is None or use.sealed_sha256 is None:
        return None
    if use.terminal_entry_id is None or use.terminal_leaf_hash is None:
        return None
    issued_at = _whole_milliseconds(use.ended_at)
    return SealReceipt(
        origin=origin,
        use_id=use.id,
        entry_id=use.terminal_entry_id,
        leaf_hash=use.terminal_leaf_hash,
        intent_entry_id=use.intent.entry_id,
        intent_leaf_hash=use.intent.leaf_hash,
        document_sha256=use.document_sha256,
        sealed_sha256=use.sealed_sha256,
        issued_at=issued_at,
        in_tree_by=None if merge is None else issued_at + merge,
    )


def _whole_milliseconds(at: datetime) -> datetime:
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)

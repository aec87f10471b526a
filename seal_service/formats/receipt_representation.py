"""签章回执 in plain values, in the shape of the HTTP interface."""

from __future__ import annotations

from seal_service.domain.use import SealUse, UseState
from seal_service.formats.receipt import SignedReceipt
from seal_service.formats.representation import Plain, time, time_or_none


def receipt(
    one: SealUse, origin: str, lower_level_reason: str | None, signed: SignedReceipt | None, proof: bytes | None = None
) -> Plain:
    """用印回执: what was sealed and which entries of which log stand for it."""
    completed = None
    if one.state is UseState.COMPLETED and one.terminal_entry_id is not None:
        completed = {"entry_id": one.terminal_entry_id, "leaf_hash": (one.terminal_leaf_hash or b"").hex()}
    held = one.document_kept_until is not None
    return {
        "use_id": one.id,
        "origin": origin,
        "seal_code": one.seal_code,
        "state": one.state.value,
        "level_asked": one.level_asked.value,
        "level_reached": None if one.level_reached is None else one.level_reached.value,
        "lower_level_reason": lower_level_reason,
        "document": {"sha256": one.document_sha256},
        "repaired": {"sha256": one.repaired_sha256} if one.repaired_sha256 else None,
        "sealed": {"sha256": one.sealed_sha256} if one.sealed_sha256 else None,
        "intent": {"entry_id": one.intent.entry_id, "leaf_hash": one.intent.leaf_hash.hex()},
        "completed": completed,
        "document_url": f"/v1/seals/{one.seal_code}/uses/{one.id}/document" if held else None,
        "document_kept_until": time_or_none(one.document_kept_until),
        "issued_at": None if signed is None else time(signed.receipt.issued_at),
        "in_tree_by": None if signed is None else time_or_none(signed.receipt.in_tree_by),
        "note": None if signed is None else signed.content.decode(),
        "proof": None if proof is None else proof.decode(),
    }

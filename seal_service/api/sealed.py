"""盖章答复: the sealed document or the receipt of a use, and the log's proof where it was waited for."""

from __future__ import annotations

import asyncio
import base64
import logging
from dataclasses import dataclass
from typing import Any

from fastapi import Response
from fastapi.concurrency import run_in_threadpool

from seal_service.api.answers import DocumentResponse
from seal_service.api.schemas.uses import ReceiptView, Wait, use_path
from seal_service.api.uploads import PDF, binary_schema
from seal_service.bootstrap import Service
from seal_service.domain import errors as e
from seal_service.domain.access import Caller
from seal_service.domain.use import SealUse
from seal_service.formats.receipt import SignedReceipt
from seal_service.usecases.apply_seal import AppliedSeal
from seal_service.usecases.prove_entry import ProveEntry

JSON = "application/json"
POLL_SECONDS = 0.1
"""Between two looks whether an entry is published; no thread is held meanwhile."""
RETRY_SECONDS = 1
_log = logging.getLogger("seal_service.api")
_HEADERS: dict[str, Any] = {
    "Location": {"description": "The use.", "schema": {"type": "string"}},
    "Seal-Use": {"description": "Id of the use.", "schema": {"type": "string"}},
    "Seal-Level": {"description": "Signature level reached.", "schema": {"type": "string"}},
    "Seal-Log-Entry": {"description": "Log entry of the completed use.", "schema": {"type": "string"}},
    "Seal-Receipt": {
        "description": "签章回执: the signed note of the receipt, base64 between colons (RFC 9651, 3.3.5).",
        "schema": {"type": "string"},
    },
    "Link": {
        "description": "Where the log's proof of the use (`urn:seal:log-proof`) and its receipt are.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "With `wait`: it was not published in time; ask for the receipt or the proof then.",
        "schema": {"type": "integer"},
    },
    "Seal-Repaired": {
        "description": "SHA-256 of the repaired document (written as Repr-Digest): the document was damaged, and this "
        "was sealed in its place. Absent: the document itself was sealed.",
        "schema": {"type": "string"},
    },
    "Repr-Digest": {"description": "SHA-256 of the sealed document (RFC 9530).", "schema": {"type": "string"}},
}
_RECEIPT = {"schema": {"$ref": "#/components/schemas/ReceiptView"}}
_SEALED: dict[str, Any] = {"content": {PDF: binary_schema(), JSON: _RECEIPT}, "headers": _HEADERS}

_REPLAYED = {"Idempotency-Replayed": {"schema": {"type": "string", "enum": ["true"]}}}
SEALED_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {**_SEALED, "description": "The same request again: the same use.", "headers": _HEADERS | _REPLAYED},
    201: {**_SEALED, "description": "The sealed document, or with `Accept: application/json` its receipt."},
}


@dataclass(frozen=True, slots=True)
class AwaitedProof:
    """收录证明 that an answer waited for, or did not."""

    content: bytes | None = None
    overdue: bool = False
    """Whether it was waited for in vain."""

    def headers(self) -> dict[str, str]:
        """When to ask again."""
        return {"Retry-After": str(RETRY_SECONDS)} if self.overdue else {}


async def awaited_proof(service: Service, caller: Caller, use: SealUse, wait: Wait | None) -> AwaitedProof:
    """The proof that a use is in the published log, as soon as it is there, within the time that settings allow."""
    if wait is None or use.terminal_entry_id is None:
        return AwaitedProof()
    command = ProveEntry(entry_id=use.terminal_entry_id)
    now = asyncio.get_running_loop().time
    end = now() + service.transparency.wait_seconds
    while True:
        try:
            return AwaitedProof(await run_in_threadpool(service.transparency.prove_entry, caller, command))
        except e.LogNotPublished:  # nor will it be, until its operator begins
            return AwaitedProof(overdue=True)
        except e.EntryNotPublished:
            if now() >= end:
                return AwaitedProof(overdue=True)
        except (
            e.LogDamaged,
            e.Unavailable,
            OSError,
        ) as error:  # the seal is on the document all the same
            _log.error("no proof of entry %s: %s", use.terminal_entry_id, error)
            return AwaitedProof(overdue=True)
        await asyncio.sleep(POLL_SECONDS)


def sealed_answer(applied: AppliedSeal, origin: str, proof: AwaitedProof, media_type: str) -> Response:
    """The answer in the form that was asked for; DocumentNotKept when the document of a repeated request is gone."""
    headers = use_headers(applied.use, applied.receipt) | proof.headers()
    if applied.replayed:
        headers["Idempotency-Replayed"] = "true"
    status = 200 if applied.replayed else 201
    if media_type == JSON:
        receipt = ReceiptView.of(
            applied.use, origin, applied.lower_level_reason, receipt=applied.receipt, proof=proof.content
        )
        return Response(receipt.model_dump_json(), status, headers, JSON)
    if applied.pieces is None:
        raise e.DocumentNotKept(use_id=applied.use.id)
    return DocumentResponse(applied.pieces, status, headers, PDF)


def use_headers(use: SealUse, receipt: SignedReceipt | None = None) -> dict[str, str]:
    """What the header says of a use that was completed."""
    headers = {"Location": use_path(use), "Seal-Use": use.id}
    if use.level_reached is not None:
        headers["Seal-Level"] = use.level_reached.value
    if use.terminal_entry_id is not None:
        headers["Seal-Log-Entry"] = use.terminal_entry_id
        proof, where = f"/v1/log/proofs/{use.terminal_entry_id}", f"{use_path(use)}/receipt"
        headers["Link"] = f'<{proof}>; rel="urn:seal:log-proof", <{where}>; rel="urn:seal:receipt"'
    if receipt is not None:
        headers["Seal-Receipt"] = f":{base64.b64encode(receipt.content).decode()}:"
    if use.sealed_sha256 is not None:
        headers["Repr-Digest"] = _digest_field(use.sealed_sha256)
    if use.repaired_sha256 is not None:
        headers["Seal-Repaired"] = _digest_field(use.repaired_sha256)
    return headers


def _digest_field(sha256: str) -> str:
    """A digest as header fields write it (RFC 9530, 2)."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"

"""待签状态: what completes a prepared use in whatever process the signature reaches, kept encrypted as one blob.

It holds personal data (document name, 签章人) and the document, so that it is kept no longer than the use is open.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from seal_service.domain.errors import IntegrityFailed, SealServiceError
from seal_service.domain.placement import Placement
from seal_service.domain.prepared_use import PreparedUse
from seal_service.domain.seal import Custody
from seal_service.domain.use import Operator, SealUse, SignatureLevel, UseRequest
from seal_service.formats.pieces import joined, separated
from seal_service.formats.upload import upload_of
from seal_service.ports.documents import Content, Upload
from seal_service.ports.records import Transaction
from seal_service.ports.system import BlobStore
from seal_service.usecases.requests import request_digest


def state_of(
    use: SealUse, request: UseRequest, document: Upload, packed: tuple[Content, ...]
) -> tuple[tuple[Content, ...], str]:
    """What is to be kept, in pieces, and its digest. No two uses share one, since the use's id is in it."""
    pieces = joined({"use_id": use.id, "request": asdict(request)}, [document.content, *packed])
    digest = hashlib.sha256()
    for one in pieces:
        digest.update(one)
    return pieces, digest.hexdigest()


def release_state(transaction: Transaction, blobs: BlobStore, use_id: str, now: datetime) -> None:
    """Remove it, and note that; nothing for a use that was not prepared, or has been released.

    For a transaction that holds the seal's lock. Deleted before the commit: a crash between the two leaves a row
    without blob, never the reverse.
    """
    prepared = transaction.prepared_uses.find(use_id)
    if prepared is not None and prepared.released_at is None:
        transaction.prepared_uses.replace(replace(prepared, released_at=now))
        blobs.delete(prepared.kept)


def kept_state(blobs: BlobStore, use: SealUse, prepared: PreparedUse) -> tuple[UseRequest, Upload, bytes]:
    """The request, the document and what the sealer packed; IntegrityFailed unless they are those of the use."""
    kept = blobs.get(prepared.kept)
    if kept is None:
        raise IntegrityFailed("What was prepared is no longer here")
    values, pieces = separated(kept)
    if values.get("use_id") != use.id or len(pieces) < 2:
        raise IntegrityFailed("What was prepared is of another use")
    request = _request_of(values.get("request"))
    document = upload_of(pieces[0], request.document_name)
    if request_digest(request) != use.request_digest or document.sha256_hex != use.document_sha256:
        raise IntegrityFailed("What was prepared is not what was reserved")
    return request, document, b"".join(pieces[1:])


def _request_of(values: Any) -> UseRequest:
    try:
        operator = values["operator"]
        return UseRequest(
            **{
                **values,
                "placement": Placement(**values["placement"]),
                "level": SignatureLevel(values["level"]),
                "custody": Custody(values["custody"]),
                "operator": None if operator is None else Operator(**operator),
            }
        )
    except (KeyError, TypeError, ValueError, SealServiceError):
        raise IntegrityFailed("What was prepared cannot be read") from None

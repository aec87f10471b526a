"""/v1/log/trace: from a document to the whole story behind its seals (溯源, article 22)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import Digest, Identifier
from seal_service.api.schemas.log import StoryView
from seal_service.api.uploads import ANY_FILE, MULTIPART, PDF, Received, binary_schema, multipart_schema, receiving
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.trace import Trace

router = APIRouter(route_class=GuardedRoute, prefix="/v1/log/trace", tags=["日志 log"])

_calling = Calling("trace", Permission.TRACE)
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            PDF: binary_schema(),
            ANY_FILE: binary_schema(),
            MULTIPART: multipart_schema("The document, original or sealed."),
        },
    }
}


@router.get(
    "",
    operation_id="trace",
    summary="溯源: the story of a document's digest, a use or a log entry",
    responses=refusals(e.UseNotFound, e.LogEntryNotFound, e.InvalidInput),
)
def trace(
    service: Serving,
    caller: Annotated[Caller, Depends(_calling)],
    document_sha256: Annotated[Digest | None, Query()] = None,
    use_id: Annotated[Identifier | None, Query()] = None,
    entry_id: Annotated[Identifier | None, Query()] = None,
) -> StoryView:
    """Exactly one of the three."""
    command = Trace(document_sha256=document_sha256, use_id=use_id, entry_id=entry_id)
    return StoryView.of(service.trace(caller, command), service.clock.now())


@router.post(
    "",
    operation_id="trace_document",
    summary="溯源: the story of a document, original or sealed",
    openapi_extra=_BODY,
)
def trace_document(
    service: Serving,
    caller: Annotated[Caller, Depends(_calling)],
    received: Annotated[Received, Depends(receiving(_calling, (PDF, ANY_FILE), {}))],
) -> StoryView:
    """Only its digest is looked for; the document is not kept."""
    command = Trace(document_sha256=received.document.sha256_hex)
    return StoryView.of(service.trace(caller, command), service.clock.now())

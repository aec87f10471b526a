"""/v1/log/trace: to the whole story behind seals (溯源, article 22), as JSON or as a signed report."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.log import StoryView, TraceQuery
from seal_service.api.uploads import (
    ANY_FILE,
    MULTIPART,
    PDF,
    Received,
    answering,
    binary_schema,
    multipart_schema,
    receiving,
)
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.report_story import StoryReport
from seal_service.usecases.trace import Trace

router = APIRouter(route_class=GuardedRoute, prefix="/v1/log/trace", tags=["日志 log"])

_calling = Calling("trace", Permission.TRACE)
_reporting = Calling("desk.report_story", Permission.TRACE)
_MISSING = (
    e.UseNotFound,
    e.LogEntryNotFound,
    e.SealNotFound,
    e.GrantNotFound,
    e.UseApprovalNotFound,
    e.InvalidInput,
)
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
    summary="溯源: the story of a document's digest, a use, a log entry, a seal, a grant or an approval",
    responses=refusals(*_MISSING),
)
def trace(
    service: Serving, caller: Annotated[Caller, Depends(_calling)], query: Annotated[TraceQuery, Query()]
) -> StoryView:
    """Exactly one of them."""
    return StoryView.of(service.trace(caller, query.command()), service.clock.now())


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


@router.get(
    "/report",
    operation_id="report_trace",
    summary="溯源报告: the same story as a signed PDF",
    response_class=Response,
    responses=answering(PDF) | refusals(*_MISSING, e.InstanceNotReady),
)
def report_trace(
    service: Serving, caller: Annotated[Caller, Depends(_reporting)], query: Annotated[TraceQuery, Query()]
) -> Response:
    """Exactly one of them. The log then says who took which report: `Seal-Log-Entry` names the entry."""
    return _report(service.desk.report_story(caller, query.command()))


@router.post(
    "/report",
    operation_id="report_trace_of_document",
    summary="溯源报告: the story of a document, original or sealed, as a signed PDF",
    response_class=Response,
    responses=answering(PDF) | refusals(e.InstanceNotReady),
    openapi_extra=_BODY,
)
def report_trace_of_document(
    service: Serving,
    caller: Annotated[Caller, Depends(_reporting)],
    received: Annotated[Received, Depends(receiving(_reporting, (PDF, ANY_FILE), {}))],
) -> Response:
    """Only its digest is looked for; the document is not kept."""
    return _report(service.desk.report_story(caller, Trace(document_sha256=received.document.sha256_hex)))


def _report(report: StoryReport) -> Response:
    name = f"seal-trace-{report.logged.at:%Y%m%dT%H%M%SZ}.pdf"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Seal-Log-Entry": report.logged.entry_id,
    }
    return Response(report.content, media_type=PDF, headers=headers)

"""/v1/log/export: entries as a file that streams, and the signed manifest of a file (日志导出, article 22)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import Digest
from seal_service.api.schemas.log import ExportQuery
from seal_service.api.uploads import answering
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.formats.export_manifest import MEDIA_TYPE
from seal_service.formats.log_export import MEDIA_TYPES
from seal_service.usecases.fetch_manifest import FetchManifest

router = APIRouter(route_class=GuardedRoute, prefix="/v1/log", tags=["日志 log"])

_CSV, _JSON_LINES = "text/csv", "application/jsonl"


@router.get(
    "/export",
    operation_id="export_log",
    summary="日志导出: entries as CSV or JSON Lines, in the order of the tree",
    response_class=Response,
    responses=answering(_CSV, _JSON_LINES) | refusals(e.InvalidInput, e.InstanceNotReady),
)
def export_log(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("desk.export_log", Permission.READ_LOG))],
    query: Annotated[ExportQuery, Query()],
) -> Response:
    """The file streams, without length. A transfer that breaks off is not whole; it has no manifest and is logged.

    Afterwards `/v1/log/exports/{sha256}/manifest` gives the signed manifest of the file.
    """
    export = service.desk.export_log(caller, query.command())
    headers = {
        "Content-Disposition": f'attachment; filename="{export.file_name}"',
        "Seal-Log-Entry": export.begun_entry_id,
        "Seal-Log-Size": str(export.upto_size),
    }
    return StreamingResponse(streamed(export.pieces), media_type=MEDIA_TYPES[query.format.value], headers=headers)


@router.get(
    "/exports/{sha256}/manifest",
    operation_id="fetch_manifest",
    summary="导出清单: what an exported file is, signed by the log's key",
    response_class=Response,
    responses=answering("text/plain") | refusals(e.ExportNotFound, e.InstanceNotReady),
)
def fetch_manifest(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("desk.fetch_manifest", Permission.READ_LOG))],
    sha256: Digest,
) -> Response:
    """By the digest of the file that arrived, at any time: it repeats what the log's entry of the export says."""
    return Response(service.desk.fetch_manifest(caller, FetchManifest(sha256=sha256)), media_type=MEDIA_TYPE)


async def streamed(pieces: Generator[bytes, None, None]) -> AsyncIterator[bytes]:
    """The pieces, each made in a thread; left early, they are closed, which logs that the export broke off."""
    try:
        while (piece := await run_in_threadpool(next, pieces, None)) is not None:
            yield piece
    finally:
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(pieces.close)

"""/v1/seals/{code}/uses: applying a seal (用印), the uses and their documents (articles 20–22)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from seal_service.api.answers import DocumentResponse
from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Paging, RequiredIdempotencyKey, SealHandle, Serving, missing, parsed
from seal_service.api.negotiation import preferred
from seal_service.api.problems import DoorRefusal, refusals
from seal_service.api.schemas.common import Identifier, SealCode
from seal_service.api.schemas.uses import (
    ApplySealBody,
    ApplySealFields,
    ApplySealQuery,
    ReceiptView,
    UsePage,
    UseView,
    WaitFor,
)
from seal_service.api.sealed import JSON, SEALED_ANSWERS, awaited_proof, sealed_answer, use_headers
from seal_service.api.uploads import PDF, Received, answering, binary_schema, file_name, multipart_schema, receiving
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.apply_seal import AppliedSeal, ApplySeal
from seal_service.usecases.read_use import ListUses, ReadUse

router = APIRouter(route_class=GuardedRoute, prefix="/v1/seals/{seal_code}/uses", tags=["用印 uses"])

_calling = Calling("apply_seal", Permission.APPLY_SEAL)
_reading = Calling("read_use", Permission.READ_USES)
UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            PDF: binary_schema(),
            "multipart/form-data": {
                **multipart_schema("A PDF document.", {"$ref": "#/components/schemas/ApplySealBody"}),
                "encoding": {"request": {"contentType": JSON}, "document": {"contentType": PDF}},
            },
        },
    }
}
"""A document, raw or as multipart, with what is asked for."""


@router.post(
    "",
    operation_id="apply_seal",
    summary="用印: apply the seal to a document",
    status_code=201,
    response_class=Response,
    responses=SEALED_ANSWERS
    | refusals(
        "malformed-request", "idempotency-key-missing", e.AuthorizationDenied, e.DocumentBeyondGrant, e.HandleRefused,
        e.SealNotFound,
        "not-acceptable", e.IdempotencyKeyReused, e.UseInProgress, e.UseOvertaken, e.DocumentNotKept,
        e.DocumentOverLimit, e.DocumentUnsupported, e.InvalidInput, e.InvalidPlacement, e.DocumentRefused,
        e.SealingFailed, e.LevelUnreachable, e.Unavailable,
    ),
    openapi_extra=UPLOAD,
)  # fmt: skip
async def apply_seal(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(_calling)],
    seal_code: SealCode,
    fields: Annotated[ApplySealQuery, Query()],
    received: Annotated[Received, Depends(receiving(_calling, (PDF,), {"request": 64 * 1024}))],
    key: RequiredIdempotencyKey,
    handle: SealHandle = None,
) -> Response:
    """A raw PDF takes its fields as query parameters, multipart as the JSON part `request`. Raw is faster.

    The sealed document is held, encrypted, until it is acknowledged (DELETE …/document) or its time has passed.
    `wait` is a query parameter with both forms: the answer waits until the log has published the use, and gives the
    receipt with its proof. When that takes too long, it is the same without proof, and `Retry-After` says when to ask.
    """
    media_type = preferred(request.headers.get("accept"), (PDF, JSON))

    def apply() -> AppliedSeal:
        command = replace(apply_command(seal_code, fields, received, key), handle=handle)
        return service.apply_seal(caller, command)

    applied = await run_in_threadpool(apply)
    proof = await awaited_proof(service, caller, applied.use, fields.wait)
    return sealed_answer(applied, service.origin, proof, media_type)


def apply_command(seal_code: str, query: ApplySealFields, received: Received, key: str) -> ApplySeal:
    """The command of a request in either of its two forms."""
    fields = query
    if received.is_multipart:
        if query.model_fields_set - {"wait"}:
            raise DoorRefusal("malformed-request", "With multipart the fields stand in the part request")
        if "request" not in received.parts:
            raise DoorRefusal("malformed-request", "The part request (JSON) is missing")
        fields = parsed(ApplySealBody, received.parts["request"], "request")
    if fields.scenario is None:
        raise missing("query", "scenario")
    document = received.document
    if fields.document_name is not None:
        document = replace(document, name=file_name(fields.document_name))
    return fields.command(seal_code, document, fields.scenario, key)


@router.get(
    "",
    operation_id="list_uses",
    summary="用印记录: the seal's uses, newest first",
    responses=refusals(e.SealNotFound, e.InvalidCursor),
)
def list_uses(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("list_uses", Permission.READ_USES))],
    seal_code: SealCode,
    page: Paging,
) -> UsePage:
    """A business system sees its own, the seal's unit and auditors all."""
    return UsePage.model_validate(service.list_uses(caller, ListUses(seal_code=seal_code, page=page)))


@router.get(
    "/{use_id}",
    operation_id="read_use",
    summary="用印记录: one use",
    responses=refusals(e.UseNotFound),
)
def read_use(
    service: Serving, caller: Annotated[Caller, Depends(_reading)], seal_code: SealCode, use_id: Identifier
) -> UseView:
    """For the system that made it, the seal's unit and auditors."""
    return UseView.model_validate(service.read_use(caller, ReadUse(seal_code=seal_code, use_id=use_id)))


@router.get(
    "/{use_id}/receipt",
    operation_id="read_receipt",
    summary="用印回执: what was sealed and which log entries stand for it",
    responses=refusals(e.UseNotFound),
)
async def read_receipt(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("transparency.read_receipt", Permission.READ_USES))],
    seal_code: SealCode,
    use_id: Identifier,
    response: Response,
    wait: WaitFor = None,
) -> ReceiptView:
    """As in the answer to the use, signed by the log's key (`note`)."""
    command = ReadUse(seal_code=seal_code, use_id=use_id)
    use, receipt = await run_in_threadpool(service.transparency.read_receipt, caller, command)
    proof = await awaited_proof(service, caller, use, wait)
    response.headers.update(proof.headers())
    return ReceiptView.of(use, service.origin, receipt=receipt, proof=proof.content)


@router.get(
    "/{use_id}/document",
    operation_id="fetch_document",
    summary="取回盖章文件: the sealed document, while it is held",
    response_class=Response,
    responses=answering(PDF) | refusals(e.UseNotFound, e.DocumentNotKept),
)
def fetch_document(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("fetch_document", Permission.APPLY_SEAL))],
    seal_code: SealCode,
    use_id: Identifier,
) -> Response:
    """Only for the account that applied the seal."""
    use, content = service.fetch_document(caller, ReadUse(seal_code=seal_code, use_id=use_id))
    return DocumentResponse([content], 200, use_headers(use), PDF)


@router.delete(
    "/{use_id}/document",
    operation_id="acknowledge_document",
    summary="确认收到: the document arrived and is no longer held here",
    status_code=204,
    response_class=Response,
    responses=refusals(e.UseNotFound),
)
def acknowledge_document(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("acknowledge_document", Permission.APPLY_SEAL))],
    seal_code: SealCode,
    use_id: Identifier,
) -> Response:
    """Twice is once."""
    service.acknowledge_document(caller, ReadUse(seal_code=seal_code, use_id=use_id))
    return Response(status_code=204)

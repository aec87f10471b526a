"""/v1/seals/{code}/prepared-uses: 两步用印, for seals whose key its unit keeps on a medium (article 20: 分散式)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import RequiredIdempotencyKey, SealHandle, Serving
from seal_service.api.negotiation import preferred
from seal_service.api.problems import refusals
from seal_service.api.routers.uses import UPLOAD, apply_command
from seal_service.api.schemas.common import Identifier, SealCode
from seal_service.api.schemas.custody import CompletionBody, PreparedUseView
from seal_service.api.schemas.uses import ApplySealFields, WaitFor
from seal_service.api.sealed import JSON, SEALED_ANSWERS, awaited_proof, sealed_answer
from seal_service.api.uploads import PDF, Received, receiving
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.domain.prepared_use import PreparedUse
from seal_service.domain.use import SealUse
from seal_service.usecases.complete_prepared_use import CompletePreparedUse
from seal_service.usecases.prepare_use import PrepareUse
from seal_service.usecases.read_prepared_use import ReadPreparedUse

router = APIRouter(route_class=GuardedRoute, prefix="/v1/seals/{seal_code}/prepared-uses", tags=["用印 uses"])

_preparing = Calling("custody.prepare_use", Permission.APPLY_SEAL)


def _view(prepared: tuple[SealUse, PreparedUse]) -> PreparedUseView:
    use, waiting = prepared
    return PreparedUseView.of(use, waiting, hashlib.sha256(waiting.to_be_signed).hexdigest())


@router.post(
    "",
    operation_id="prepare_use",
    summary="两步用印之一: what the seal's medium is to sign",
    status_code=201,
    responses=refusals(
        "malformed-request", "idempotency-key-missing", e.AuthorizationDenied, e.HandleRefused, e.SealNotFound,
        e.MediumNotInHand, e.IdempotencyKeyReused, e.UseInProgress, e.PreparedUseCompleted, e.DocumentOverLimit,
        e.DocumentUnsupported, e.InvalidInput, e.InvalidPlacement, e.DocumentRefused, e.SealingFailed, e.Unavailable,
    ),
    openapi_extra=UPLOAD,
)  # fmt: skip
def prepare_use(
    service: Serving,
    caller: Annotated[Caller, Depends(_preparing)],
    seal_code: SealCode,
    fields: Annotated[ApplySealFields, Query()],
    received: Annotated[Received, Depends(receiving(_preparing, (PDF,), {"request": 64 * 1024}))],
    key: RequiredIdempotencyKey,
    response: Response,
    handle: SealHandle = None,
) -> PreparedUseView:
    """As a use: a raw PDF takes its fields as query parameters, multipart as the JSON part `request`.

    The use is reserved, counted and in the log from now on, and waits for its signature until `expires_at`. The same
    request again gets the same bytes to sign.
    """
    asked = replace(apply_command(seal_code, fields, received, key), handle=handle)
    view = _view(service.custody.prepare_use(caller, PrepareUse(asked=asked)))
    response.headers["Location"] = f"/v1/seals/{view.seal_code}/prepared-uses/{view.id}"
    return view


@router.get(
    "/{use_id}",
    operation_id="read_prepared_use",
    summary="待签用印: what is to be signed, and until when",
    responses=refusals(e.PreparedUseNotFound),
)
def read_prepared_use(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("custody.read_prepared_use", Permission.APPLY_SEAL))],
    seal_code: SealCode,
    use_id: Identifier,
) -> PreparedUseView:
    """Only for the account that prepared it."""
    return _view(service.custody.read_prepared_use(caller, ReadPreparedUse(seal_code=seal_code, use_id=use_id)))


@router.post(
    "/{use_id}/completion",
    operation_id="complete_prepared_use",
    summary="两步用印之二: the signature, for the sealed document",
    status_code=201,
    response_class=Response,
    responses=SEALED_ANSWERS
    | refusals(
        e.PreparedUseNotFound, "not-acceptable", e.PreparedUseExpired, e.PreparedUseCompleted, e.MediumNotInHand,
        e.UseOvertaken, e.DocumentNotKept, e.PreparedSignatureRefused, e.SealingFailed, e.LevelUnreachable,
        e.Unavailable,
    ),
)  # fmt: skip
async def complete_prepared_use(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("custody.complete_prepared_use", Permission.APPLY_SEAL))],
    seal_code: SealCode,
    use_id: Identifier,
    body: CompletionBody,
    wait: WaitFor = None,
) -> Response:
    """By the seal's certificate over exactly the bytes that were prepared; of a CMS only its signature is taken over.

    The first good signature completes the use; sent again, it gets the same answer, and any other one is refused. A
    wrong one leaves the use open (`attempts_left`).
    """
    media_type = preferred(request.headers.get("accept"), (PDF, JSON))
    command = CompletePreparedUse(seal_code=seal_code, use_id=use_id, signature=body.signature, cms=body.cms)
    applied = await run_in_threadpool(service.custody.complete_prepared_use, caller, command)
    proof = await awaited_proof(service, caller, applied.use, wait)
    return sealed_answer(applied, service.origin, proof, media_type)


@router.delete(
    "/{use_id}",
    operation_id="cancel_prepared_use",
    summary="放弃待签用印: its count goes back",
    status_code=204,
    response_class=Response,
    responses=refusals(e.PreparedUseNotFound, e.PreparedUseCompleted),
)
def cancel_prepared_use(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("custody.cancel_prepared_use", Permission.APPLY_SEAL))],
    seal_code: SealCode,
    use_id: Identifier,
) -> Response:
    """Twice is once."""
    service.custody.cancel_prepared_use(caller, ReadPreparedUse(seal_code=seal_code, use_id=use_id))
    return Response(status_code=204)

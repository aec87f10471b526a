"""/v1/seals: making and reading seals, their certificates and impressions, and what the public may know."""

from __future__ import annotations

import ssl
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import IdempotencyKey, Paging, Serving
from seal_service.api.negotiation import preferred
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import Identifier, Name, SealCode
from seal_service.api.schemas.seals import MakeSealBody, PublicSealView, SealPage, SealView
from seal_service.api.uploads import answering
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.domain.seal import SealState
from seal_service.usecases.look_up_seal import LookUpSeal
from seal_service.usecases.make_seal import MakeSeal
from seal_service.usecases.read_registers import ListSeals, ReadById

router = APIRouter(route_class=GuardedRoute, tags=["印章 seals"])

PEM, DER, PNG = "application/x-pem-file", "application/pkix-cert", "image/png"


@router.post(
    "/v1/seals",
    operation_id="make_seal",
    summary="制章: make a seal of an approved application (articles 14–16)",
    status_code=201,
    responses=refusals(
        e.ApplicationNotFound,
        e.AlreadyDecided,
        e.AlreadyRegistered,
        e.IdempotencyKeyReused,
        e.InvalidInput,
        e.CertificatePending,
        e.CertificateRefused,
        e.AuthorityUnavailable,
    ),
)
def make_seal(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("make_seal", Permission.MAKE_SEAL))],
    body: MakeSealBody,
    response: Response,
    key: IdempotencyKey = None,
) -> SealView:
    """Key, certificate, code and impression; active as long as its certificate is valid.

    Where an outside authority certifies seals and has not done so yet: 409 with the `certificate_request_id` of the
    request, which is kept; the same call again goes on with it.
    """
    seal = service.make_seal(caller, MakeSeal(**body.model_dump(), idempotency_key=key))
    response.headers["Location"] = f"/v1/seals/{seal.code}"
    return SealView.of(seal, service.clock.now())


@router.get(
    "/v1/seals",
    operation_id="list_seals",
    summary="印章列表: seals, newest first",
    responses=refusals(e.InvalidCursor),
)
def list_seals(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("list_seals", Permission.READ_SEALS))],
    page: Paging,
    state: Annotated[SealState | None, Query()] = None,
    unit_id: Annotated[Identifier | None, Query()] = None,
    expiring_within_days: Annotated[int | None, Query(ge=0, le=36_500)] = None,
) -> SealPage:
    """All for the making office and auditors, its own for a unit or its systems."""
    command = ListSeals(state=state, unit_id=unit_id, expiring_within_days=expiring_within_days, page=page)
    return SealPage.of(service.list_seals(caller, command), service.clock.now())


@router.get(
    "/v1/seals/{seal_code}",
    operation_id="read_seal",
    summary="印章: one seal",
    responses=refusals(e.SealNotFound),
)
def read_seal(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("read_seal", Permission.READ_SEALS))],
    seal_code: SealCode,
) -> SealView:
    """With its state at this moment."""
    return SealView.of(service.read_seal(caller, ReadById(id=seal_code)), service.clock.now())


@router.get(
    "/v1/seals/{seal_code}/certificate",
    operation_id="read_certificate",
    summary="印章证书: the certificate of the seal's newest version, PEM or DER",
    response_class=Response,
    responses=answering(PEM, DER) | refusals(e.SealNotFound, e.CertificateNotFound, "not-acceptable"),
)
def read_certificate(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("read_seal", Permission.READ_SEALS))],
    seal_code: SealCode,
) -> Response:
    """`Accept: application/pkix-cert` answers DER, anything else PEM."""
    media_type = preferred(request.headers.get("accept"), (PEM, DER))
    credential = service.read_seal(caller, ReadById(id=seal_code)).signing_credential()
    if credential is None:
        raise e.CertificateNotFound
    if media_type == DER:
        return Response(credential.certificate, media_type=DER)
    return Response(ssl.DER_cert_to_PEM_cert(credential.certificate), media_type=PEM)


@router.get(
    "/v1/seals/{seal_code}/impression",
    operation_id="read_impression",
    summary="印模: the picture of the seal, PNG with transparent ground",
    response_class=Response,
    responses=answering(PNG) | refusals(e.SealNotFound),
)
def read_impression(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("read_impression", Permission.READ_SEALS))],
    seal_code: SealCode,
) -> Response:
    """For the seal's unit, the making office and auditors."""
    return Response(service.read_impression(caller, ReadById(id=seal_code)), media_type=PNG)


@router.get(
    "/v1/public/seals/{seal_code}",
    operation_id="look_up_seal",
    summary="状态公示: what anyone may know of a seal by its code and name (articles 23, 24)",
    responses=refusals(e.SealNotFound),
)
def look_up_seal(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("look_up_seal", Permission.PUBLIC))],
    seal_code: SealCode,
    name: Annotated[Name, Query(description="印章名称, as it stands on the document.")],
) -> PublicSealView:
    """By code and name: holder, state since when and validity; no picture, no person. Another name is not found."""
    found = service.look_up_seal(caller, LookUpSeal(code=seal_code, name=name))
    return PublicSealView.model_validate(found)

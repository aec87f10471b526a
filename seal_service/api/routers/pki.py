"""/pki: certificates, revocation lists, OCSP and time-stamps for anyone (RFC 5280, 6960, 3161)."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Serving
from seal_service.api.problems import DoorRefusal, refusals
from seal_service.api.schemas.pki import AuthoritiesView, authority_view
from seal_service.api.uploads import answering, binary_schema, media_type
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.answer_pki import PkiMatter, PkiRequest
from seal_service.usecases.list_authorities import ListAuthorities

router = APIRouter(route_class=GuardedRoute, prefix="/pki", tags=["公钥服务 pki"])

CERTIFICATE, CRL = "application/pkix-cert", "application/pkix-crl"
OCSP_REQUEST, OCSP_RESPONSE = "application/ocsp-request", "application/ocsp-response"
TIMESTAMP_QUERY, TIMESTAMP_REPLY = "application/timestamp-query", "application/timestamp-reply"
LARGEST_REQUEST = 16 * 1024
_calling = Calling("answer_pki", Permission.PUBLIC, bucket="pki")
_listing = Calling("list_authorities", Permission.PUBLIC, bucket="pki")
Generation = Annotated[int, Path(ge=2, le=9999, description="The generation, from the second on: see `/pki`.")]
_FILES = (
    (PkiMatter.ROOT_CERTIFICATE, CERTIFICATE, "根证书: certificate of the root"),
    (PkiMatter.ISSUING_CERTIFICATE, CERTIFICATE, "签发证书: certificate of the issuing authority"),
    (PkiMatter.TIMESTAMP_CERTIFICATE, CERTIFICATE, "时间戳证书: certificate of the time-stamping unit"),
    (PkiMatter.ROOT_CRL, CRL, "根吊销列表: revocation list of the root"),
    (PkiMatter.ISSUING_CRL, CRL, "吊销列表: revocation list of the issuing authority"),
)
_CROSS = (PkiMatter.CROSS_CERTIFICATE, CERTIFICATE, "交叉证书: a later root, certified by the one before it")


def _answer(media_type: str) -> dict[int | str, dict[str, Any]]:
    return answering(media_type) | refusals(e.CertificateNotFound)


def _taking(media_type: str) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {media_type: binary_schema()}}}


@router.get("", operation_id="pki_authorities", summary="本机构证书: the authority's certificates, all generations")
def authorities(service: Serving, caller: Annotated[Caller, Depends(_listing)]) -> AuthoritiesView:
    """`signs` marks the generation of a role that signs now."""
    return AuthoritiesView(items=[authority_view(one) for one in service.list_authorities(caller, ListAuthorities())])


def _add_first(matter: PkiMatter, answer_type: str, summary: str) -> None:
    @router.get(
        f"/{matter.value}",
        operation_id=f"pki_{matter.name.lower()}",
        summary=f"{summary}, first generation",
        response_class=Response,
        responses=_answer(answer_type),
    )
    def file(service: Serving, caller: Annotated[Caller, Depends(_calling)]) -> Response:
        """DER. The address is printed into certificates and never comes to mean another generation."""
        return Response(service.answer_pki(caller, PkiRequest(matter=matter, version=1)), media_type=answer_type)


def _add_later(matter: PkiMatter, answer_type: str, summary: str) -> None:
    @router.get(
        f"/{matter.value.replace('.', '-{generation}.')}",
        operation_id=f"pki_{matter.name.lower()}_later",
        summary=f"{summary}, a later generation",
        response_class=Response,
        responses=_answer(answer_type),
    )
    def file(service: Serving, caller: Annotated[Caller, Depends(_calling)], generation: Generation) -> Response:
        """DER."""
        request = PkiRequest(matter=matter, version=generation)
        return Response(service.answer_pki(caller, request), media_type=answer_type)


for _file in _FILES:
    _add_first(*_file)
for _file in (*_FILES, _CROSS):
    _add_later(*_file)


async def request_bytes(request: Request, _caller: Annotated[Caller, Depends(_calling)]) -> bytes:
    """The DER request of a POST."""
    request.state.body_limit = LARGEST_REQUEST
    if media_type(request) not in (OCSP_REQUEST, TIMESTAMP_QUERY):
        raise DoorRefusal("unsupported-media-type", f"The request is {OCSP_REQUEST} or {TIMESTAMP_QUERY}, DER")
    return await request.body()


@router.post(
    "/ocsp",
    operation_id="ocsp",
    summary="证书状态: OCSP (RFC 6960)",
    response_class=Response,
    responses=_answer(OCSP_RESPONSE),
    openapi_extra=_taking(OCSP_REQUEST),
)
def ocsp(
    service: Serving, caller: Annotated[Caller, Depends(_calling)], body: Annotated[bytes, Depends(request_bytes)]
) -> Response:
    """A malformed request is answered with malformedRequest."""
    answer = service.answer_pki(caller, PkiRequest(matter=PkiMatter.OCSP, body=body))
    return Response(answer, media_type=OCSP_RESPONSE)


@router.get(
    "/ocsp/{request:path}",
    operation_id="ocsp_get",
    summary="证书状态: OCSP by GET (RFC 6960, A.1)",
    response_class=Response,
    responses=_answer(OCSP_RESPONSE) | refusals("malformed-request"),
)
def ocsp_get(
    service: Serving,
    caller: Annotated[Caller, Depends(_calling)],
    encoded: Annotated[str, Path(alias="request", description="The DER request in base64.", max_length=4096)],
) -> Response:
    """The path holds the request in base64."""
    try:
        body = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DoorRefusal("malformed-request", "The path is no base64") from error
    answer = service.answer_pki(caller, PkiRequest(matter=PkiMatter.OCSP, body=body))
    return Response(answer, media_type=OCSP_RESPONSE)


@router.post(
    "/tsa",
    operation_id="timestamp",
    summary="时间戳: time-stamp over a digest (RFC 3161)",
    response_class=Response,
    responses=_answer(TIMESTAMP_REPLY),
    openapi_extra=_taking(TIMESTAMP_QUERY),
)
def timestamp(
    service: Serving, caller: Annotated[Caller, Depends(_calling)], body: Annotated[bytes, Depends(request_bytes)]
) -> Response:
    """A bad request is answered with a rejection."""
    answer = service.answer_pki(caller, PkiRequest(matter=PkiMatter.TIMESTAMP, body=body))
    return Response(answer, media_type=TIMESTAMP_REPLY)

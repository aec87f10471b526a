"""/v1/certificate-requests: seals that an outside authority certifies (articles 9, 14–16)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import IdempotencyKey, Paging, Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.certificates import (
    CertificateRequestPage,
    CertificateRequestView,
    OutsideCertificateList,
    RequestCertificateBody,
    SubmitCertificateBody,
)
from seal_service.api.schemas.common import Identifier, SealCode
from seal_service.api.schemas.seals import SealView
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.domain.certification import CertificateRequestState
from seal_service.usecases.fetch_certificate import FetchCertificate
from seal_service.usecases.read_registers import ReadById
from seal_service.usecases.read_requests import ListCertificatesToRevoke, ListRequests
from seal_service.usecases.request_certificate import RequestCertificate
from seal_service.usecases.submit_certificate import SubmitCertificate
from seal_service.usecases.withdraw_request import WithdrawRequest

router = APIRouter(route_class=GuardedRoute, tags=["证书 certificates"])

_PATH = "/v1/certificate-requests"
_MAKING = (e.AlreadyDecided, e.RenewalNotPossible, e.TransitionRefused, e.Conflict, e.InvalidInput)


@router.post(
    _PATH,
    operation_id="request_certificate",
    summary="证书申请: a key and a request (PKCS#10) for an outside authority",
    status_code=201,
    responses=refusals(e.ApplicationNotFound, e.SealNotFound, e.AlreadyRegistered, e.IdempotencyKeyReused, *_MAKING),
)
def request_certificate(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("request_certificate", Permission.MAKE_SEAL))],
    body: RequestCertificateBody,
    response: Response,
    key: IdempotencyKey = None,
) -> CertificateRequestView:
    """One at a time for an application or a seal; it reserves the seal's code."""
    request = service.request_certificate(caller, RequestCertificate(**body.model_dump(), idempotency_key=key))
    response.headers["Location"] = f"{_PATH}/{request.id}"
    return CertificateRequestView.of(request)


@router.get(
    _PATH,
    operation_id="list_certificate_requests",
    summary="证书申请列表: certificate requests, oldest first",
    responses=refusals(e.InvalidCursor),
)
def list_certificate_requests(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("list_requests", Permission.MAKE_SEAL))],
    page: Paging,
    state: Annotated[CertificateRequestState | None, Query()] = None,
    seal_code: Annotated[SealCode | None, Query()] = None,
) -> CertificateRequestPage:
    """Of every application and seal."""
    command = ListRequests(state=state, seal_code=seal_code, page=page)
    return CertificateRequestPage.of(service.list_requests(caller, command))


@router.get(
    f"{_PATH}/{{request_id}}",
    operation_id="read_certificate_request",
    summary="证书申请: one request, with its PEM",
    responses=refusals(e.CertificateRequestNotFound),
)
def read_certificate_request(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("read_request", Permission.MAKE_SEAL))],
    request_id: Identifier,
) -> CertificateRequestView:
    """By its id."""
    return CertificateRequestView.of(service.read_request(caller, ReadById(id=request_id)))


@router.put(
    f"{_PATH}/{{request_id}}/certificate",
    operation_id="submit_certificate",
    summary="证书入库: hand in the certificate; the seal is made or renewed with it",
    responses=refusals(
        e.CertificateRequestNotFound, e.SealNotFound, e.CertificateRefused, e.IdempotencyKeyReused, *_MAKING
    ),
)
def submit_certificate(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("submit_certificate", Permission.MAKE_SEAL))],
    request_id: Identifier,
    body: SubmitCertificateBody,
    key: IdempotencyKey = None,
) -> SealView:
    """Its chain has to end in a trust anchor for signatures; a refusal names every reason, and the request stays."""
    command = SubmitCertificate(
        request_id=request_id,
        content=body.certificate.encode(),
        accept_subject=body.accept_subject,
        idempotency_key=key,
    )
    return SealView.of(service.submit_certificate(caller, command), service.clock.now())


@router.post(
    f"{_PATH}/{{request_id}}/certificate",
    operation_id="fetch_certificate",
    summary="证书领取: fetch the certificate from the EST server (RFC 7030)",
    responses=refusals(
        e.CertificateRequestNotFound,
        e.SealNotFound,
        e.CertificatePending,
        e.CertificateRefused,
        e.AuthorityUnavailable,
        *_MAKING,
    ),
)
def fetch_certificate(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("fetch_certificate", Permission.MAKE_SEAL))],
    request_id: Identifier,
) -> SealView:
    """While it is not issued: 409, with `retry_after_seconds`. The service asks again by itself, too."""
    seal = service.fetch_certificate(caller, FetchCertificate(request_id=request_id))
    return SealView.of(seal, service.clock.now())


@router.delete(
    f"{_PATH}/{{request_id}}",
    operation_id="withdraw_certificate_request",
    summary="撤回证书申请: withdraw a pending request; its key is destroyed",
    responses=refusals(e.CertificateRequestNotFound, e.Conflict),
)
def withdraw_certificate_request(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("withdraw_request", Permission.MAKE_SEAL))],
    request_id: Identifier,
) -> CertificateRequestView:
    """Repeatable."""
    return CertificateRequestView.of(service.withdraw_request(caller, WithdrawRequest(request_id=request_id)))


@router.get(
    "/v1/outside-certificates",
    operation_id="list_certificates_to_revoke",
    summary="待外部机构吊销: on hold or revoked here, and not yet so by their own authority",
)
def list_certificates_to_revoke(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("list_certificates_to_revoke", Permission.READ_SEALS))],
    seal_code: Annotated[SealCode | None, Query()] = None,
) -> OutsideCertificateList:
    """All for the making office and auditors, its own for a unit or its systems; at most 100."""
    command = ListCertificatesToRevoke(seal_code=seal_code)
    return OutsideCertificateList.of(service.list_certificates_to_revoke(caller, command))

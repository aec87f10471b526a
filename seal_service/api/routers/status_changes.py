"""/v1/seals/{code}/renewal, loss-report, resumption, cancellation: a seal's life after it was made."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import IdempotencyKey, Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import SealCode
from seal_service.api.schemas.seals import CancelSealBody, ReasonBody, RenewSealBody, SealView
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.change_status import CancelSeal, ReportLoss, ResumeSeal
from seal_service.usecases.renew_seal import RenewSeal

router = APIRouter(route_class=GuardedRoute, prefix="/v1/seals/{seal_code}", tags=["印章 seals"])
_REFUSALS = refusals(e.SealNotFound, e.TransitionRefused, e.IdempotencyKeyReused, e.InvalidInput)


@router.post(
    "/renewal",
    operation_id="renew_seal",
    summary="续期: a new version of the seal, within the last 90 days of its certificate (article 16)",
    responses=refusals(
        e.SealNotFound,
        e.TransitionRefused,
        e.RenewalNotPossible,
        e.IdempotencyKeyReused,
        e.CertificatePending,
        e.CertificateRefused,
        e.AuthorityUnavailable,
    ),
)
def renew_seal(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("renew_seal", Permission.RENEW_SEAL))],
    seal_code: SealCode,
    body: RenewSealBody | None = None,
    key: IdempotencyKey = None,
) -> SealView:
    """New key and certificate under the same code; the old certificate is not revoked."""
    command = RenewSeal(seal_code=seal_code, suite=body.suite if body else None, idempotency_key=key)
    return SealView.of(service.renew_seal(caller, command), service.clock.now())


@router.post(
    "/loss-report",
    operation_id="report_loss",
    summary="挂失: suspend the seal at once (article 24)",
    responses=_REFUSALS,
)
def report_loss(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("report_loss", Permission.REPORT_LOSS))],
    seal_code: SealCode,
    body: ReasonBody,
    key: IdempotencyKey = None,
) -> SealView:
    """From the answer on no use is released, also none that had begun before."""
    command = ReportLoss(seal_code=seal_code, reason=body.reason, idempotency_key=key)
    return SealView.of(service.report_loss(caller, command).seal, service.clock.now())


@router.post(
    "/resumption",
    operation_id="resume_seal",
    summary="恢复: lift a suspension",
    responses=_REFUSALS,
)
def resume_seal(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("resume_seal", Permission.RESUME_SEAL))],
    seal_code: SealCode,
    body: ReasonBody,
    key: IdempotencyKey = None,
) -> SealView:
    """By the making office."""
    command = ResumeSeal(seal_code=seal_code, reason=body.reason, idempotency_key=key)
    return SealView.of(service.resume_seal(caller, command), service.clock.now())


@router.post(
    "/cancellation",
    operation_id="cancel_seal",
    summary="注销: cancel the seal for good (article 23)",
    responses=_REFUSALS,
)
def cancel_seal(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("cancel_seal", Permission.CANCEL_SEAL))],
    seal_code: SealCode,
    body: CancelSealBody,
    key: IdempotencyKey = None,
) -> SealView:
    """Its certificates are revoked; what was sealed before stays valid."""
    command = CancelSeal(
        seal_code=seal_code, reason=body.reason, document_number=body.document_number, idempotency_key=key
    )
    return SealView.of(service.cancel_seal(caller, command), service.clock.now())

"""/v1/seals/{code}/custody, /activation: a unit's keeper lets its seal be pressed (article 20: 集中式)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import SealCode
from seal_service.api.schemas.custody import ActivationBody, ActivationView, TakeIntoCustodyBody
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.activate_seal import ActivateSeal, TakeIntoCustody, WhichActivation

router = APIRouter(route_class=GuardedRoute, prefix="/v1/seals/{seal_code}", tags=["印章保管 custody"])


@router.post(
    "/custody",
    operation_id="take_into_custody",
    summary="印章保管: the keeper sets the secret under which the seal's key is wrapped from then on",
    responses=refusals(e.SealNotFound, e.Conflict, e.InvalidInput),
)
def take_into_custody(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("custody.take_into_custody", Permission.ACTIVATE_SEAL))],
    seal_code: SealCode,
    body: TakeIntoCustodyBody,
) -> ActivationView:
    """Once for each version of the seal. The service keeps the secret nowhere: one that is lost costs the seal."""
    command = TakeIntoCustody(seal_code=seal_code, secret=body.secret)
    return ActivationView.of(service.custody.take_into_custody(caller, command))


@router.post(
    "/activation",
    operation_id="activate_seal",
    summary="印章启用: let the seal be pressed for a time or a number of uses",
    responses=refusals(
        e.SealNotFound,
        e.Conflict,
        e.InvalidInput,
        e.ActivationSecretWrong,
        e.ActivationBlocked,
        e.KeyProcessUnavailable,
    ),
)
def activate_seal(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("custody.activate_seal", Permission.ACTIVATE_SEAL))],
    seal_code: SealCode,
    body: ActivationBody,
) -> ActivationView:
    """It replaces the activation before, and ends with the key process, whatever ends that."""
    command = ActivateSeal(seal_code=seal_code, secret=body.secret, until=body.until, uses=body.uses)
    return ActivationView.of(service.custody.activate_seal(caller, command))


@router.get(
    "/activation",
    operation_id="read_activation",
    summary="启用状态: whether the seal can be pressed, how long and how often",
    responses=refusals(e.SealNotFound),
)
def read_activation(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("custody.read_activation", Permission.READ_SEALS))],
    seal_code: SealCode,
) -> ActivationView:
    """For the seal's unit, the making office and auditors."""
    return ActivationView.of(service.custody.read_activation(caller, WhichActivation(seal_code=seal_code)))


@router.delete(
    "/activation",
    operation_id="end_activation",
    summary="印章停用: lock the seal's key again",
    status_code=204,
    response_class=Response,
    responses=refusals(e.SealNotFound, e.Conflict, e.KeyProcessUnavailable),
)
def end_activation(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("custody.end_activation", Permission.ACTIVATE_SEAL))],
    seal_code: SealCode,
) -> Response:
    """Twice is once."""
    service.custody.end_activation(caller, WhichActivation(seal_code=seal_code))
    return Response(status_code=204)

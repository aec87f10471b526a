"""/v1/seals/{code}/conveyances: 导入应用系统, the seal's data and a handle for one system (article 20)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import Identifier, SealCode
from seal_service.api.schemas.conveyances import ConveyanceBody, ConveyancesView, ConveyedSealView, view_of
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.convey_seal import ConveySeal, ListConveyances, WithdrawConveyance

router = APIRouter(route_class=GuardedRoute, prefix="/v1/seals/{seal_code}/conveyances", tags=["印章 seals"])


@router.post(
    "",
    operation_id="convey_seal",
    summary="导入应用系统: the seal's data and an authorization handle; its key stays",
    status_code=201,
    responses=refusals(e.SealNotFound, e.AccountNotFound, e.InvalidInput, e.Conflict),
)
def convey_seal(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("custody.convey_seal", Permission.CONVEY_SEAL))],
    seal_code: SealCode,
    body: ConveyanceBody,
) -> ConveyedSealView:
    """By the unit. From then on that system has to show the handle with every use, beside its grant."""
    command = ConveySeal(seal_code=seal_code, system_id=body.system_id)
    return ConveyedSealView.of(service.custody.convey_seal(caller, command))


@router.get(
    "",
    operation_id="list_conveyances",
    summary="导入记录: to which systems the seal was conveyed",
    responses=refusals(e.SealNotFound),
)
def list_conveyances(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("custody.list_conveyances", Permission.READ_GRANTS))],
    seal_code: SealCode,
) -> ConveyancesView:
    """Oldest first; a business system sees its own."""
    found = service.custody.list_conveyances(caller, ListConveyances(seal_code=seal_code))
    return ConveyancesView(items=[view_of(one) for one in found])


@router.delete(
    "/{conveyance_id}",
    operation_id="withdraw_conveyance",
    summary="撤回导入: the handle stands no more, and uses under way do not survive it",
    status_code=204,
    response_class=Response,
    responses=refusals(e.SealNotFound, e.ConveyanceNotFound),
)
def withdraw_conveyance(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("custody.withdraw_conveyance", Permission.CONVEY_SEAL))],
    seal_code: SealCode,
    conveyance_id: Identifier,
) -> Response:
    """Twice is once. The system needs a new conveyance, also where it needed none before the first."""
    command = WithdrawConveyance(seal_code=seal_code, conveyance_id=conveyance_id)
    service.custody.withdraw_conveyance(caller, command)
    return Response(status_code=204)

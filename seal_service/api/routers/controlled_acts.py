"""/v1/controlled-acts: what takes two people, and the second one's decision (双人控制)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Paging, Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import Identifier
from seal_service.api.schemas.control import ControlledActPage, ControlledActView, RejectionBody
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.formats.representation import controlled_request
from seal_service.usecases.control_act import DecideControlledAct
from seal_service.usecases.read_controlled_acts import ListControlledActs
from seal_service.usecases.read_registers import ReadById

router = APIRouter(route_class=GuardedRoute, prefix="/v1/controlled-acts", tags=["双人控制 two people"])

_DECIDING = refusals(e.ControlledRequestNotFound, e.SelfDecisionRefused, e.AlreadyDecided, e.AccountNotFound)


@router.get("", operation_id="list_controlled_acts", summary="双人控制请求列表: newest first")
def list_controlled_acts(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("list_controlled_acts", Permission.READ_CONTROLLED_ACTS))],
    page: Paging,
) -> ControlledActPage:
    """With what became of each."""
    found = service.list_controlled_acts(caller, ListControlledActs(page=page))
    items = [ControlledActView.model_validate(controlled_request(one, service.clock.now())) for one in found.items]
    return ControlledActPage(items=items, next_cursor=found.next_cursor)


@router.get(
    "/{request_id}",
    operation_id="read_controlled_act",
    summary="双人控制请求: one request",
    responses=refusals(e.ControlledRequestNotFound),
)
def read_controlled_act(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("read_controlled_act", Permission.READ_CONTROLLED_ACTS))],
    request_id: Identifier,
) -> ControlledActView:
    """`command` is what would be done."""
    found = service.read_controlled_act(caller, ReadById(id=request_id))
    return ControlledActView.model_validate(controlled_request(found, service.clock.now()))


@router.post(
    "/{request_id}/confirmation",
    operation_id="confirm_controlled_act",
    summary="双人确认: it is done at once, as it was asked for",
    responses=_DECIDING,
)
def confirm_controlled_act(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("decide_controlled_act", Permission.CONFIRM_ACT))],
    request_id: Identifier,
) -> ControlledActView:
    """By a security administrator other than who asked. What cannot be done is refused with its own problem."""
    decision = DecideControlledAct(request_id=request_id, confirmed=True)
    decided = service.decide_controlled_act(caller, decision)
    return ControlledActView.model_validate(controlled_request(decided.request, service.clock.now()))


@router.post(
    "/{request_id}/rejection",
    operation_id="reject_controlled_act",
    summary="双人驳回: it is not done",
    responses=_DECIDING,
)
def reject_controlled_act(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("decide_controlled_act", Permission.CONFIRM_ACT))],
    request_id: Identifier,
    body: RejectionBody,
) -> ControlledActView:
    """With the reason."""
    decision = DecideControlledAct(request_id=request_id, confirmed=False, reason=body.reason)
    decided = service.decide_controlled_act(caller, decision)
    return ControlledActView.model_validate(controlled_request(decided.request, service.clock.now()))

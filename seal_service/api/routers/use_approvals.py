"""/v1/use-approvals: uses are asked for and decided before the seal is applied (用印审批, article 22)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import IdempotencyKey, Paging, Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.approvals import (
    ApprovalDetailView,
    ApprovalPage,
    ApprovalView,
    RequestApprovalBody,
    UseDecisionBody,
    WithdrawalBody,
)
from seal_service.api.schemas.common import LARGEST_LIST, Identifier, SealCode
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.domain.approval import ApprovalState
from seal_service.usecases.approve_use import DecideApproval, RequestApproval, WithdrawApproval
from seal_service.usecases.read_approvals import ListApprovals
from seal_service.usecases.read_registers import ReadById

router = APIRouter(route_class=GuardedRoute, prefix="/v1/use-approvals", tags=["用印审批 use approvals"])

_requesting = Calling("permitting.request_approval", Permission.REQUEST_APPROVAL, largest_body=LARGEST_LIST)


@router.post(
    "",
    operation_id="request_approval",
    summary="用印申请: ask for the use of a seal on a document, or on each of a list",
    status_code=201,
    responses=refusals(e.SealNotFound, e.ScenarioNotFound, e.IdempotencyKeyReused, e.InvalidInput),
)
def request_approval(
    service: Serving,
    caller: Annotated[Caller, Depends(_requesting)],
    body: RequestApprovalBody,
    response: Response,
    key: IdempotencyKey = None,
) -> ApprovalView:
    """By the system or person that will apply the seal, and holds a grant for it."""
    fields = body.model_dump(exclude={"digests"})
    command = RequestApproval(**fields, digests=tuple(body.digests), idempotency_key=key)
    approval = service.permitting.request_approval(caller, command)
    response.headers["Location"] = f"/v1/use-approvals/{approval.id}"
    return ApprovalView.of(approval)


@router.get(
    "",
    operation_id="list_approvals",
    summary="用印审批列表: use approvals, newest first",
    responses=refusals(e.InvalidCursor),
)
def list_approvals(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("permitting.list_approvals", Permission.READ_APPROVALS))],
    page: Paging,
    seal_code: Annotated[SealCode | None, Query()] = None,
    state: Annotated[ApprovalState | None, Query()] = None,
) -> ApprovalPage:
    """One's own; those of its seals for a unit's administrator and keepers; all for an auditor."""
    command = ListApprovals(seal_code=seal_code, state=state, page=page)
    found = service.permitting.list_approvals(caller, command)
    return ApprovalPage(items=[ApprovalView.of(one) for one in found.items], next_cursor=found.next_cursor)


@router.get(
    "/{approval_id}",
    operation_id="read_approval",
    summary="用印审批: one approval with the documents that it covers",
    responses=refusals(e.UseApprovalNotFound),
)
def read_approval(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("permitting.read_approval", Permission.READ_APPROVALS))],
    approval_id: Identifier,
) -> ApprovalDetailView:
    """By its id."""
    return ApprovalDetailView.of_detail(service.permitting.read_approval(caller, ReadById(id=approval_id)))


@router.post(
    "/{approval_id}/decision",
    operation_id="decide_approval",
    summary="用印审批: approve or reject, on all documents of the request",
    responses=refusals(
        e.UseApprovalNotFound, e.SelfDecisionRefused, e.ApprovalDecided, e.IdempotencyKeyReused, e.InvalidInput,
        e.InvalidTime,
    ),
)  # fmt: skip
def decide_approval(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("permitting.decide_approval", Permission.DECIDE_APPROVAL))],
    approval_id: Identifier,
    body: UseDecisionBody,
    key: IdempotencyKey = None,
) -> ApprovalView:
    """By an administrator of the seal's unit who did not ask for it."""
    command = DecideApproval(approval_id=approval_id, **body.model_dump(), idempotency_key=key)
    return ApprovalView.of(service.permitting.decide_approval(caller, command))


@router.post(
    "/{approval_id}/withdrawal",
    operation_id="withdraw_approval",
    summary="撤回: what is not sealed yet can no longer be; uses under way do not survive it",
    responses=refusals(e.UseApprovalNotFound, e.ApprovalDecided, e.IdempotencyKeyReused, e.InvalidInput),
)
def withdraw_approval(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("permitting.withdraw_approval", Permission.WITHDRAW_APPROVAL))],
    approval_id: Identifier,
    body: WithdrawalBody,
    key: IdempotencyKey = None,
) -> ApprovalView:
    """By whoever asked for it, or by the unit. Withdrawn already is done."""
    command = WithdrawApproval(approval_id=approval_id, reason=body.reason, idempotency_key=key)
    return ApprovalView.of(service.permitting.withdraw_approval(caller, command))

"""/v1/grants: a seal's unit lets a business system apply it for a scenario (article 20)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import IdempotencyKey, Paging, Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import LARGEST_LIST, Identifier, SealCode
from seal_service.api.schemas.uses import GrantBody, GrantPage, GrantView, RevokeGrantBody
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.grant_use import RevokeGrant
from seal_service.usecases.read_registers import ListGrants, ReadById

router = APIRouter(route_class=GuardedRoute, prefix="/v1/grants", tags=["授权 grants"])


@router.post(
    "",
    operation_id="grant_use",
    summary="用印授权: seal × system or person × scenario × period × count × document",
    status_code=201,
    responses=refusals(
        e.SealNotFound, e.AccountNotFound, e.ScenarioNotFound, e.IdempotencyKeyReused, e.InvalidInput, e.InvalidTime
    ),
)
def grant_use(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("grant_use", Permission.GRANT_USE, largest_body=LARGEST_LIST))],
    body: GrantBody,
    response: Response,
    key: IdempotencyKey = None,
) -> GrantView:
    """By the seal's own unit, which names who answers for the uses."""
    grant = service.grant_use(caller, body.command(key))
    response.headers["Location"] = f"/v1/grants/{grant.id}"
    return GrantView.of(grant)


@router.get(
    "",
    operation_id="list_grants",
    summary="授权列表: grants, newest first",
    responses=refusals(e.InvalidCursor),
)
def list_grants(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("list_grants", Permission.READ_GRANTS))],
    page: Paging,
    seal_code: Annotated[SealCode | None, Query()] = None,
) -> GrantPage:
    """An auditor's all, a unit's its seals', a system's its own."""
    found = service.list_grants(caller, ListGrants(seal_code=seal_code, page=page))
    return GrantPage(items=[GrantView.of(one) for one in found.items], next_cursor=found.next_cursor)


@router.get(
    "/{grant_id}",
    operation_id="read_grant",
    summary="授权: one grant",
    responses=refusals(e.GrantNotFound),
)
def read_grant(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("read_grant", Permission.READ_GRANTS))],
    grant_id: Identifier,
) -> GrantView:
    """By its id."""
    return GrantView.of(service.read_grant(caller, ReadById(id=grant_id)))


@router.post(
    "/{grant_id}/revocation",
    operation_id="revoke_grant",
    summary="撤销授权: uses under way do not survive it",
    responses=refusals(e.GrantNotFound, e.IdempotencyKeyReused),
)
def revoke_grant(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("revoke_grant", Permission.GRANT_USE))],
    grant_id: Identifier,
    body: RevokeGrantBody,
    key: IdempotencyKey = None,
) -> GrantView:
    """Revoked already is done."""
    command = RevokeGrant(grant_id=grant_id, reason=body.reason, idempotency_key=key)
    return GrantView.of(service.revoke_grant(caller, command))

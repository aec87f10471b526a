"""/v1/accounts: accounts of systems and people; made by one security administrator, given their roles by two."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import IdempotencyKey, Paging, Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import Identifier
from seal_service.api.schemas.registers import (
    AccountPage,
    AccountView,
    CreateAccountBody,
    CreatedAccountView,
    GiveRolesBody,
)
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.create_account import CreateAccount, DisableAccount
from seal_service.usecases.give_roles import GiveRoles
from seal_service.usecases.read_registers import ListAccounts, ReadById

router = APIRouter(route_class=GuardedRoute, prefix="/v1/accounts", tags=["账户 accounts"])


@router.post(
    "",
    operation_id="create_account",
    summary="开户: create an account; its secret is told this once",
    status_code=201,
    responses=refusals(e.UnitNotFound, e.AlreadyRegistered, e.IdempotencyKeyReused, e.InvalidInput),
)
def create_account(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("create_account", Permission.MANAGE_ACCOUNTS))],
    body: CreateAccountBody,
    response: Response,
    key: IdempotencyKey = None,
) -> CreatedAccountView:
    """It has no role until another security administrator confirms the request that the answer names.

    A repeated request with the same key is refused (409), since the secret is kept nowhere.
    """
    command = CreateAccount(name=body.name, roles=tuple(body.roles), unit_id=body.unit_id, idempotency_key=key)
    created = service.create_account(caller, command)
    response.headers["Location"] = f"/v1/accounts/{created.account.id}"
    account = AccountView.model_validate(created.account)
    return CreatedAccountView(**account.model_dump(), client_secret=created.secret, request_id=created.request_id)


@router.get(
    "",
    operation_id="list_accounts",
    summary="账户列表: accounts, newest first",
    responses=refusals(e.InvalidCursor),
)
def list_accounts(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("list_accounts", Permission.MANAGE_ACCOUNTS))],
    page: Paging,
) -> AccountPage:
    """Without secrets."""
    return AccountPage.model_validate(service.list_accounts(caller, ListAccounts(page=page)))


@router.get(
    "/{account_id}",
    operation_id="read_account",
    summary="账户: one account",
    responses=refusals(e.AccountNotFound),
)
def read_account(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("read_account", Permission.MANAGE_ACCOUNTS))],
    account_id: Identifier,
) -> AccountView:
    """By its id, which is its client_id."""
    return AccountView.model_validate(service.read_account(caller, ReadById(id=account_id)))


@router.put(
    "/{account_id}/roles",
    operation_id="give_roles",
    summary="授予角色: takes two security administrators",
    responses=refusals(e.AccountNotFound, e.SecondPersonNeeded, e.Conflict, e.InvalidInput),
)
def give_roles(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("give_roles", Permission.MANAGE_ACCOUNTS))],
    account_id: Identifier,
    body: GiveRolesBody,
) -> AccountView:
    """Answers 409 with the `request_id` that another security administrator confirms."""
    given = service.give_roles(caller, GiveRoles(account_id=account_id, roles=tuple(body.roles)))
    return AccountView.model_validate(given)


@router.delete(
    "/{account_id}",
    operation_id="disable_account",
    summary="销户: disable an account; its tokens are worthless at once",
    responses=refusals(e.AccountNotFound),
)
def disable_account(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("disable_account", Permission.MANAGE_ACCOUNTS))],
    account_id: Identifier,
) -> AccountView:
    """What it did stays on record. Disabled already is done; nobody disables oneself."""
    return AccountView.model_validate(service.disable_account(caller, DisableAccount(account_id=account_id)))

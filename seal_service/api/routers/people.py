"""/v1/accounts/{id}: what administrators decide on a person's way in: passwords, links to the identity provider."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import IdempotencyKey, Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import Identifier
from seal_service.api.schemas.people import (
    IdentityLinkBody,
    IdentityLinkList,
    IdentityLinkView,
    InitialPasswordView,
    ResetPasswordBody,
)
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.link_identity import LinkIdentity, ListIdentityLinks, UnlinkIdentity
from seal_service.usecases.reset_password import ResetPassword

router = APIRouter(route_class=GuardedRoute, prefix="/v1/accounts", tags=["账户 accounts"])


def _managing(use_case: str) -> Calling:
    return Calling(use_case, Permission.MANAGE_ACCOUNTS)


@router.post(
    "/{account_id}/password-reset",
    operation_id="reset_password",
    summary="重置口令: hand out a password that opens nothing but its own change",
    status_code=201,
    responses=refusals(e.AccountNotFound, e.InvalidInput, e.AlreadyRegistered, e.IdempotencyKeyReused),
)
def reset_password(
    service: Serving,
    caller: Annotated[Caller, Depends(_managing("people.reset_password"))],
    account_id: Identifier,
    body: ResetPasswordBody,
    key: IdempotencyKey = None,
) -> InitialPasswordView:
    """It waits seven days for its first use. Every session of the person ends."""
    command = ResetPassword(
        account_id=account_id,
        login_name=body.login_name,
        remove_second_factors=body.remove_second_factors,
        idempotency_key=key,
    )
    return InitialPasswordView.model_validate(service.people.reset_password(caller, command))


@router.post(
    "/{account_id}/oidc-links",
    operation_id="link_identity",
    summary="身份关联: a subject of the identity provider is this account",
    status_code=201,
    responses=refusals(e.AccountNotFound, e.IdentityProviderNotSet, e.AlreadyRegistered, e.InvalidInput),
)
def link_identity(
    service: Serving,
    caller: Annotated[Caller, Depends(_managing("people.link_identity"))],
    account_id: Identifier,
    body: IdentityLinkBody,
) -> IdentityLinkView:
    """Linked already is linked."""
    command = LinkIdentity(account_id=account_id, subject=body.subject)
    return IdentityLinkView.model_validate(service.people.link_identity(caller, command))


@router.get(
    "/{account_id}/oidc-links",
    operation_id="list_identity_links",
    summary="身份关联列表: of one account",
    responses=refusals(e.AccountNotFound),
)
def list_identity_links(
    service: Serving,
    caller: Annotated[Caller, Depends(_managing("people.list_identity_links"))],
    account_id: Identifier,
) -> IdentityLinkList:
    """Without those that were removed."""
    found = service.people.list_identity_links(caller, ListIdentityLinks(account_id=account_id))
    return IdentityLinkList(items=[IdentityLinkView.model_validate(one) for one in found])


@router.delete(
    "/{account_id}/oidc-links",
    operation_id="unlink_identity",
    summary="身份关联解除: sessions that came by the provider end",
    responses=refusals(e.AccountNotFound, e.IdentityLinkNotFound, e.IdentityProviderNotSet),
)
def unlink_identity(
    service: Serving,
    caller: Annotated[Caller, Depends(_managing("people.unlink_identity"))],
    account_id: Identifier,
    subject: Annotated[str, Query(min_length=1, max_length=255)],
) -> IdentityLinkView:
    """What it was stays on record."""
    command = UnlinkIdentity(account_id=account_id, subject=subject)
    return IdentityLinkView.model_validate(service.people.unlink_identity(caller, command))

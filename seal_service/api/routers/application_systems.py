"""/v1/application-systems: systems that apply seals (接入系统), approved by the office, and their credentials."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import IdempotencyKey, Paging, Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import Identifier
from seal_service.api.schemas.machines import (
    AddedCredentialView,
    ChangeSystemBody,
    CredentialBody,
    CredentialList,
    CredentialView,
    DecideSystemBody,
    DetailedSystemView,
    RegisterSystemBody,
    SystemPage,
    SystemView,
    TieAccountBody,
)
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.change_system import ChangeSystem, DecideSystemChange
from seal_service.usecases.read_registers import ReadById
from seal_service.usecases.read_systems import ListSystems
from seal_service.usecases.register_system import DecideSystem, RegisterSystem, TieAccount
from seal_service.usecases.system_credentials import RevokeCredential

router = APIRouter(route_class=GuardedRoute, prefix="/v1/application-systems", tags=["接入系统 application systems"])


@router.post(
    "",
    operation_id="register_system",
    summary="接入申请: register a unit's application system",
    status_code=201,
    responses=refusals(e.IdempotencyKeyReused, e.InvalidInput),
)
def register_system(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("machines.register", Permission.REGISTER_SYSTEM))],
    body: RegisterSystemBody,
    response: Response,
    key: IdempotencyKey = None,
) -> SystemView:
    """By the system's own unit. It waits for the office's decision."""
    given = body.model_dump() | {"source_networks": tuple(body.source_networks)}
    system = service.machines.register(caller, RegisterSystem(**given, idempotency_key=key))
    response.headers["Location"] = f"/v1/application-systems/{system.id}"
    return SystemView.model_validate(system)


@router.get(
    "",
    operation_id="list_systems",
    summary="接入系统列表: application systems, oldest first",
    responses=refusals(e.InvalidCursor),
)
def list_systems(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("machines.list_systems", Permission.READ_SYSTEMS))],
    page: Paging,
) -> SystemPage:
    """All for the office and auditors, a unit's its own."""
    return SystemPage.model_validate(service.machines.list_systems(caller, ListSystems(page=page)))


@router.get(
    "/{system_id}",
    operation_id="read_system",
    summary="接入系统: one application system with its contacts",
    responses=refusals(e.SystemNotFound),
)
def read_system(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("machines.read_system", Permission.READ_SYSTEMS))],
    system_id: Identifier,
) -> DetailedSystemView:
    """For the office, auditors and the system's unit."""
    return DetailedSystemView.of(service.machines.read_system(caller, ReadById(id=system_id)))


@router.post(
    "/{system_id}/decision",
    operation_id="decide_system",
    summary="主管部门意见: approve or reject",
    responses=refusals(
        e.SelfDecisionRefused, e.SystemNotFound, e.AlreadyDecided, e.IdempotencyKeyReused, e.InvalidInput
    ),
)
def decide_system(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("machines.decide", Permission.DECIDE_SYSTEM))],
    system_id: Identifier,
    body: DecideSystemBody,
    key: IdempotencyKey = None,
) -> SystemView:
    """By the office, once, and never by who registered it."""
    command = DecideSystem(system_id=system_id, **body.model_dump(), idempotency_key=key)
    return SystemView.model_validate(service.machines.decide(caller, command))


@router.post(
    "/{system_id}/changes",
    operation_id="change_system",
    summary="接入变更申请: ask for other addresses or contacts of an approved system",
    status_code=201,
    responses=refusals(e.SystemNotFound, e.SystemNotReady, e.IdempotencyKeyReused, e.InvalidInput),
)
def change_system(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("machines.change", Permission.REGISTER_SYSTEM))],
    system_id: Identifier,
    body: ChangeSystemBody,
    response: Response,
    key: IdempotencyKey = None,
) -> SystemView:
    """By the system's unit. The system stands as it is until the office approves; what still waits is replaced."""
    given = body.model_dump()
    given["source_networks"] = None if body.source_networks is None else tuple(body.source_networks)
    system = service.machines.change(caller, ChangeSystem(system_id=system_id, **given, idempotency_key=key))
    response.headers["Location"] = f"/v1/application-systems/{system.id}"
    return SystemView.model_validate(system)


@router.post(
    "/{system_id}/changes/{change_id}/decision",
    operation_id="decide_system_change",
    summary="接入变更审批: approve or reject the change that waits",
    responses=refusals(
        e.SelfDecisionRefused, e.SystemNotFound, e.AlreadyDecided, e.IdempotencyKeyReused, e.InvalidInput
    ),
)
def decide_system_change(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("machines.decide_change", Permission.DECIDE_SYSTEM))],
    system_id: Identifier,
    change_id: Identifier,
    body: DecideSystemBody,
    key: IdempotencyKey = None,
) -> SystemView:
    """By the office, once, and never by who asked for it. Approved, it holds at the next call of the system."""
    command = DecideSystemChange(system_id=system_id, change_id=change_id, **body.model_dump(), idempotency_key=key)
    return SystemView.model_validate(service.machines.decide_change(caller, command))


@router.post(
    "/{system_id}/account",
    operation_id="tie_system_account",
    summary="接入账户: the account by which an approved system logs in",
    responses=refusals(
        e.SystemNotFound, e.AccountNotFound, e.SystemNotReady, e.AlreadyRegistered, e.IdempotencyKeyReused,
        e.InvalidInput,
    ),
)  # fmt: skip
def tie_system_account(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("machines.tie_account", Permission.REGISTER_SYSTEM))],
    system_id: Identifier,
    body: TieAccountBody,
    key: IdempotencyKey = None,
) -> SystemView:
    """By the system's unit. From then on the account is answered at the system's registered addresses alone."""
    command = TieAccount(system_id=system_id, account_id=body.account_id, idempotency_key=key)
    return SystemView.model_validate(service.machines.tie_account(caller, command))


@router.post(
    "/{system_id}/credentials",
    operation_id="add_credential",
    summary="新增凭据: a key, a certificate or a client secret beside those before it",
    status_code=201,
    responses=refusals(
        e.SystemNotFound, e.SystemNotReady, e.TooManyCredentials, e.AlreadyRegistered, e.IdempotencyKeyReused,
        e.CredentialRefused, e.InvalidInput,
    ),
)  # fmt: skip
def add_credential(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("machines.add_credential", Permission.MANAGE_CREDENTIALS))],
    system_id: Identifier,
    body: CredentialBody,
    response: Response,
    key: IdempotencyKey = None,
) -> AddedCredentialView:
    """Rotation: add the next, let the system change over, revoke the one before. At most three stand at once."""
    added = service.machines.add_credential(caller, body.command(system_id, key))
    response.headers["Location"] = f"/v1/application-systems/{system_id}/credentials/{added.credential.id}"
    return AddedCredentialView.of(added)


@router.get(
    "/{system_id}/credentials",
    operation_id="list_credentials",
    summary="系统凭据: what the system logs in with, when it expires and when it was used last",
    responses=refusals(e.SystemNotFound),
)
def list_credentials(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("machines.list_credentials", Permission.READ_SYSTEMS))],
    system_id: Identifier,
) -> CredentialList:
    """Revoked and expired ones too, oldest first."""
    found = service.machines.list_credentials(caller, ReadById(id=system_id))
    return CredentialList(items=[CredentialView.model_validate(one) for one in found])


@router.delete(
    "/{system_id}/credentials/{credential_id}",
    operation_id="revoke_credential",
    summary="吊销凭据: it and the tokens given by it are worthless at once",
    responses=refusals(e.SystemNotFound, e.CredentialNotFound),
)
def revoke_credential(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("machines.revoke_credential", Permission.MANAGE_CREDENTIALS))],
    system_id: Identifier,
    credential_id: Identifier,
) -> CredentialView:
    """Revoked already is done."""
    command = RevokeCredential(system_id=system_id, credential_id=credential_id)
    return CredentialView.model_validate(service.machines.revoke_credential(caller, command))

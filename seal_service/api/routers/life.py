"""/v1/seals/{code}/change-applications, change, invalidation, medium; /v1/units/{id}/renaming (article 23)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import IdempotencyKey, Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import Identifier, SealCode
from seal_service.api.schemas.life import (
    ChangeApplicationBody,
    ChangeSealBody,
    InvalidateSealBody,
    MediumBody,
    RenameUnitBody,
)
from seal_service.api.schemas.registers import UnitView
from seal_service.api.schemas.seals import ApplicationView, SealView
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.apply_for_change import ApplyForChange
from seal_service.usecases.change_seal import ChangeSeal
from seal_service.usecases.invalidate_seal import InvalidateSeal
from seal_service.usecases.receive_medium import DestroyMedium, ReturnMedium
from seal_service.usecases.rename_unit import RenameUnit

router = APIRouter(route_class=GuardedRoute, tags=["印章 seals"])
_REFUSALS = refusals(e.SealNotFound, e.TransitionRefused, e.IdempotencyKeyReused, e.InvalidInput)
_receiving = Calling("life.receive_medium", Permission.RECEIVE_MEDIUM)


@router.post(
    "/v1/seals/{seal_code}/change-applications",
    operation_id="apply_for_change",
    summary="变更申请: another impression, type, channel or keeper (article 23)",
    status_code=201,
    responses=refusals(
        e.SealNotFound,
        e.UnitNotFound,
        e.PermissionDenied,
        e.TransitionRefused,
        e.NameChangeRefused,
        e.IdempotencyKeyReused,
        e.InvalidInput,
        e.ImpressionRefused,
    ),
)
def apply_for_change(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("life.apply_for_change", Permission.APPLY_FOR_SEAL))],
    seal_code: SealCode,
    body: ChangeApplicationBody,
    response: Response,
    key: IdempotencyKey = None,
) -> ApplicationView:
    """Decided on like every application; a change of name is cancellation and a new application instead."""
    command = ApplyForChange(seal_code=seal_code, **body.model_dump(), idempotency_key=key)
    application = service.life.apply_for_change(caller, command)
    response.headers["Location"] = f"/v1/applications/{application.id}"
    return ApplicationView.of(application)


@router.post(
    "/v1/seals/{seal_code}/change",
    operation_id="change_seal",
    summary="变更: an approved change becomes the seal's next version (article 23)",
    responses=_REFUSALS | refusals(e.SealNotFound, e.ApplicationNotFound) | refusals(e.AlreadyDecided, e.Conflict),
)
def change_seal(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("life.change_seal", Permission.CHANGE_SEAL))],
    seal_code: SealCode,
    body: ChangeSealBody,
    key: IdempotencyKey = None,
) -> SealView:
    """New key and certificate under the same code; the old certificate is superseded, what it sealed stays valid."""
    command = ChangeSeal(seal_code=seal_code, **body.model_dump(), idempotency_key=key)
    return SealView.of(service.life.change_seal(caller, command), service.clock.now())


@router.post(
    "/v1/seals/{seal_code}/invalidation",
    operation_id="invalidate_seal",
    summary="标记无效: a seal made against the rules is void from a moment on",
    responses=_REFUSALS | refusals(e.TransitionRefused, e.MadeByCaller),
)
def invalidate_seal(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("life.invalidate_seal", Permission.INVALIDATE_SEAL))],
    seal_code: SealCode,
    body: InvalidateSealBody,
    key: IdempotencyKey = None,
) -> SealView:
    """By someone else than who made it; what was sealed before that moment stays."""
    command = InvalidateSeal(
        seal_code=seal_code,
        invalid_from=body.since,
        reason=body.reason,
        document_number=body.document_number,
        idempotency_key=key,
    )
    return SealView.of(service.life.invalidate_seal(caller, command), service.clock.now())


@router.post(
    "/v1/seals/{seal_code}/medium/acceptance",
    operation_id="accept_medium",
    summary="交回验收: a cancelled seal's medium came back to the making office (article 23)",
    responses=_REFUSALS,
)
def accept_medium(
    service: Serving,
    caller: Annotated[Caller, Depends(_receiving)],
    seal_code: SealCode,
    body: MediumBody,
    key: IdempotencyKey = None,
) -> SealView:
    """Received by the making office, before a witness."""
    command = ReturnMedium(seal_code=seal_code, **body.model_dump(), idempotency_key=key)
    return SealView.of(service.life.receive_medium(caller, command), service.clock.now())


@router.post(
    "/v1/seals/{seal_code}/medium/destruction",
    operation_id="destroy_medium",
    summary="介质销毁: the medium was destroyed before a witness (article 23)",
    responses=_REFUSALS,
)
def destroy_medium(
    service: Serving,
    caller: Annotated[Caller, Depends(_receiving)],
    seal_code: SealCode,
    body: MediumBody,
    key: IdempotencyKey = None,
) -> SealView:
    """After it was returned."""
    command = DestroyMedium(seal_code=seal_code, **body.model_dump(), idempotency_key=key)
    return SealView.of(service.life.receive_medium(caller, command), service.clock.now())


@router.post(
    "/v1/units/{unit_id}/renaming",
    operation_id="rename_unit",
    summary="单位更名: once its seals are cancelled (article 23)",
    tags=["单位 units"],
    responses=refusals(e.UnitNotFound, e.SealsStillValid, e.IdempotencyKeyReused, e.InvalidInput),
)
def rename_unit(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("life.rename_unit", Permission.RENAME_UNIT))],
    unit_id: Identifier,
    body: RenameUnitBody,
    key: IdempotencyKey = None,
) -> UnitView:
    """The new seals are applied for and name the old."""
    command = RenameUnit(unit_id=unit_id, **body.model_dump(), idempotency_key=key)
    return UnitView.model_validate(service.life.rename_unit(caller, command))

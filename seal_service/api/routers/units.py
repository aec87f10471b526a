"""/v1/units: the organizations that hold seals (articles 12, 13)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import IdempotencyKey, Paging, Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import Identifier
from seal_service.api.schemas.registers import RegisterUnitBody, UnitPage, UnitView
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.read_registers import ListUnits, ReadById
from seal_service.usecases.register_unit import RegisterUnit

router = APIRouter(route_class=GuardedRoute, prefix="/v1/units", tags=["单位 units"])


@router.post(
    "",
    operation_id="register_unit",
    summary="单位登记: enter a unit with its credit code, area and channel organization",
    status_code=201,
    responses=refusals(
        e.UnitNotFound, e.AlreadyRegistered, e.IdempotencyKeyReused, e.InvalidInput, e.InvalidCreditCode
    ),
)
def register_unit(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("register_unit", Permission.REGISTER_UNIT))],
    body: RegisterUnitBody,
    response: Response,
    key: IdempotencyKey = None,
) -> UnitView:
    """By the making office."""
    unit = service.register_unit(caller, RegisterUnit(**body.model_dump(), idempotency_key=key))
    response.headers["Location"] = f"/v1/units/{unit.id}"
    return UnitView.model_validate(unit)


@router.get(
    "",
    operation_id="list_units",
    summary="单位列表: units, newest first",
    responses=refusals(e.InvalidCursor),
)
def list_units(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("list_units", Permission.READ_UNITS))],
    page: Paging,
    area_code: Annotated[str | None, Query(pattern=r"^[0-9]{6}$")] = None,
) -> UnitPage:
    """Of one area only if it is named."""
    return UnitPage.model_validate(service.list_units(caller, ListUnits(area_code=area_code, page=page)))


@router.get(
    "/{unit_id}",
    operation_id="read_unit",
    summary="单位: one unit",
    responses=refusals(e.UnitNotFound),
)
def read_unit(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("read_unit", Permission.READ_UNITS))],
    unit_id: Identifier,
) -> UnitView:
    """By its id."""
    return UnitView.model_validate(service.read_unit(caller, ReadById(id=unit_id)))

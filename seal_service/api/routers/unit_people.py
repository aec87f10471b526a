"""/v1/units/{id}/people: persons (人员) whom a unit's systems may name as 签章人."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import IdempotencyKey, Paging, Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import Identifier
from seal_service.api.schemas.machines import PersonBody, PersonId, PersonPage, PersonView
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.unit_people import ListPeople, RegisterPerson, RemovePerson

router = APIRouter(route_class=GuardedRoute, prefix="/v1/units/{unit_id}/people", tags=["人员 people"])


@router.post(
    "",
    operation_id="register_person",
    summary="人员登记: a person whom the unit's systems may name as 签章人",
    status_code=201,
    responses=refusals(e.UnitNotFound, e.IdempotencyKeyReused, e.InvalidInput),
)
def register_person(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("machines.register_person", Permission.MANAGE_PEOPLE))],
    unit_id: Identifier,
    body: PersonBody,
    key: IdempotencyKey = None,
) -> PersonView:
    """By the unit. Who is registered already gets the name and department as they are now."""
    command = RegisterPerson(
        unit_id=unit_id, person_id=body.id, name=body.name, department=body.department, idempotency_key=key
    )
    return PersonView.model_validate(service.machines.register_person(caller, command))


@router.get(
    "",
    operation_id="list_people",
    summary="人员列表: the unit's registered persons",
    responses=refusals(e.UnitNotFound, e.InvalidCursor),
)
def list_people(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("machines.list_people", Permission.READ_PEOPLE))],
    unit_id: Identifier,
    page: Paging,
) -> PersonPage:
    """For the unit's own staff and auditors."""
    return PersonPage.model_validate(service.machines.list_people(caller, ListPeople(unit_id=unit_id, page=page)))


@router.delete(
    "/{person_id}",
    operation_id="remove_person",
    summary="人员注销: no system may name the person any more",
    responses=refusals(e.UnitNotFound, e.PersonNotFound),
)
def remove_person(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("machines.remove_person", Permission.MANAGE_PEOPLE))],
    unit_id: Identifier,
    person_id: Annotated[PersonId, Path(description="工号.")],
) -> PersonView:
    """What was logged of them stays. Removed already is done."""
    return PersonView.model_validate(
        service.machines.remove_person(caller, RemovePerson(unit_id=unit_id, person_id=person_id))
    )

"""/v1/scenarios: what seals are applied for (用印场景, articles 20, 21)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import IdempotencyKey, Paging, Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.approvals import ChangeScenarioBody, RegisterScenarioBody, ScenarioPage, ScenarioView
from seal_service.api.schemas.common import ScenarioCode
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.manage_scenarios import ChangeScenario, ListScenarios, ReadScenario, RegisterScenario

router = APIRouter(route_class=GuardedRoute, prefix="/v1/scenarios", tags=["场景 scenarios"])


@router.post(
    "",
    operation_id="register_scenario",
    summary="用印场景登记: register a scenario, by the making office",
    status_code=201,
    responses=refusals(e.AlreadyRegistered, e.IdempotencyKeyReused, e.InvalidInput),
)
def register_scenario(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("permitting.register_scenario", Permission.MANAGE_SCENARIOS))],
    body: RegisterScenarioBody,
    response: Response,
    key: IdempotencyKey = None,
) -> ScenarioView:
    """Without a named process to set it aside, each use needs an approval (article 22)."""
    made = service.permitting.register_scenario(caller, RegisterScenario(**body.model_dump(), idempotency_key=key))
    response.headers["Location"] = f"/v1/scenarios/{made.code}"
    return ScenarioView.of(made)


@router.get(
    "",
    operation_id="list_scenarios",
    summary="用印场景列表: scenarios, by code",
)
def list_scenarios(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("permitting.list_scenarios", Permission.READ_SCENARIOS))],
    page: Paging,
) -> ScenarioPage:
    """For everyone who deals with seals."""
    found = service.permitting.list_scenarios(caller, ListScenarios(page=page))
    return ScenarioPage(items=[ScenarioView.of(one) for one in found.items], next_cursor=found.next_cursor)


@router.get(
    "/{scenario_code}",
    operation_id="read_scenario",
    summary="用印场景: one scenario",
    responses=refusals(e.ScenarioNotFound),
)
def read_scenario(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("permitting.read_scenario", Permission.READ_SCENARIOS))],
    scenario_code: ScenarioCode,
) -> ScenarioView:
    """By its code."""
    return ScenarioView.of(service.permitting.read_scenario(caller, ReadScenario(code=scenario_code)))


@router.post(
    "/{scenario_code}/changes",
    operation_id="change_scenario",
    summary="用印场景变更: name, use, or the process that stands in the place of our approval",
    responses=refusals(e.ScenarioNotFound, e.IdempotencyKeyReused, e.InvalidInput),
)
def change_scenario(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("permitting.change_scenario", Permission.MANAGE_SCENARIOS))],
    scenario_code: ScenarioCode,
    body: ChangeScenarioBody,
    key: IdempotencyKey = None,
) -> ScenarioView:
    """Code and kind stay: grants are made by them."""
    command = ChangeScenario(code=scenario_code, **body.model_dump(), idempotency_key=key)
    return ScenarioView.of(service.permitting.change_scenario(caller, command))

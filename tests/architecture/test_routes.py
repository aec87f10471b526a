"""Default deny, route by route: no endpoint can be forgotten, because the routes themselves are walked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from seal_service.api.app import create_app, describe
from seal_service.api.auth import GuardedRoute, calling_of
from seal_service.api.routers import ROUTERS, routes_of
from seal_service.bootstrap import Guarded
from seal_service.domain.access import PERMISSIONS_OF, Caller, Permission, Role
from seal_service.domain.seal import Seal
from seal_service.usecases.make_seal import MakeSeal
from tests.live import LiveCity, live_city

PUBLIC = {
    "issue_token": "/oauth2/token",
    "verify_document": "/v1/verifications",
    "look_up_seal": "/v1/public/seals/{seal_code}",
    "answer_pki": "/pki/",
    "life.fetch_status_list": "/v1/public/status-list",
    "list_authorities": "/pki",
    "check_readiness": "z",
    "read_metrics": "/metrics",
    "people.sign_in": "/v1/sessions",
    "people.pass_second_factor": "/v1/sessions/second-factor",
    "people.sign_in_by_provider": "/v1/sessions/oidc",
    "transparency.read_checkpoint": "/v1/log/checkpoint",
    "transparency.prove_use": "/v1/log/proofs",
    "transparency.prove_consistency": "/v1/log/consistency",
}
"""Use cases that need no account, and where they are found."""

ON_THE_MACHINE = {
    "identify_caller",
    "reconcile",
    "plan_master_key_rotation",
    "rotate_master_key",
    "rotate_token_key",
    "list_keys",
    "rotate_authority_key",
    "destroy_key",
    "back_up",
    "check_database",
    "observe",
    "add_trust",
    "confirm_trust",
    "remove_trust",
    "list_trust",
    "take_up_requests",
    "import_seal",
    "life.deliver_notifications",
    "life.tell_expiring",
    "change_retention",
    "read_retention",
    "people.recover_administrator",
    "filing.relay",
    "filing.reconcile",
    "filing.make_key",
    "transparency.read_key",
    "transparency.initialise",
    "transparency.recover",
    "transparency.prepare_key",
    "transparency.read_keys",
    "transparency.resume",
    "transparency.rotate_key",
    "transparency.sequence",
    "transparency.publish",
    "transparency.checks.audit",
    "transparency.checks.files",
}
"""Use cases without endpoint: found from the token, the worker's, an operator's, or with a private key in a file."""

ON_THE_PAGES = {"people.go_to_provider", "people.return_from_provider"}
"""Use cases that a browser alone asks for (test_page_routes.py)."""

ROUTES = [(route, method) for route in routes_of(*ROUTERS) for method in sorted(route.methods or ())]
WRONG_CREDENTIALS = ("Bearer nonsense", "Bearer", "Basic b3BlcmF0b3I6eA==", "nonsense", "Bearer a.b.c")


def _name(one: tuple[APIRoute, str]) -> str:
    return f"{one[1]} {one[0].path}"


def _address(route: APIRoute) -> str:
    """The route's path with identifiers of nothing in it."""
    code, identifier = "99990099999999", "00000000-0000-7000-8000-000000000000"
    names = dict.fromkeys(route.param_convertors, identifier) | {"seal_code": code}
    return route.path_format.format(**names)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCity]:
    with live_city(tmp_path_factory.mktemp("routes") / "home") as served:
        yield served


@pytest.fixture(scope="module")
def clients(city: LiveCity) -> dict[Role, httpx.Client]:
    """One client for each role."""
    _, maker = city.account("制发部门", Role.SEAL_MAKER)
    unit = city.unit(maker)["id"]
    made = {Role.SYSTEM_OPERATOR: city.operator, Role.SECURITY_ADMINISTRATOR: city.security, Role.SEAL_MAKER: maker}
    for role in set(Role) - set(made):
        made[role] = city.account(role.value, role, unit_id=unit)[1]
    return made


def test_every_route_of_the_application_is_one_that_is_walked_here() -> None:
    described = {(path, method.upper()) for path, item in describe().openapi()["paths"].items() for method in item}
    assert described == {(route.path_format, method) for route, method in ROUTES}


def test_only_a_short_list_of_use_cases_is_public() -> None:
    public = {calling_of(route).use_case for route, _ in ROUTES if calling_of(route).permission is Permission.PUBLIC}
    assert public == set(PUBLIC)
    for route, _ in ROUTES:
        calling = calling_of(route)
        if calling.permission is Permission.PUBLIC:
            assert PUBLIC[calling.use_case] in route.path


@pytest.mark.parametrize("one", ROUTES, ids=_name)
def test_a_route_without_or_with_wrong_credentials_answers_401(one: tuple[APIRoute, str], city: LiveCity) -> None:
    route, method = one
    calling = calling_of(route)
    answer = city.public.request(method, _address(route))
    assert (answer.status_code == 401) == (calling.permission is not Permission.PUBLIC), answer.text
    for header in WRONG_CREDENTIALS:
        headers = {"Authorization": header, "Content-Type": "application/json"}
        answer = city.public.request(method, _address(route), headers=headers, content=b"\x00 no JSON")
        assert (answer.status_code == 401) == calling.reads_bearer, f"{header}: {answer.text}"


@pytest.mark.parametrize("one", ROUTES, ids=_name)
def test_a_route_answers_403_to_every_role_without_its_permission(
    one: tuple[APIRoute, str], clients: dict[Role, httpx.Client]
) -> None:
    """A role that holds the permission gets past it: to what is wrong with an empty request for nothing."""
    route, method = one
    permission = calling_of(route).permission
    for role, client in clients.items():
        answer = client.request(method, _address(route))
        allowed = permission is Permission.PUBLIC or permission in PERMISSIONS_OF[role]
        assert (answer.status_code == 403) == (not allowed), f"{role}: {answer.text}"
        assert answer.status_code < 500
        if not allowed:
            assert answer.json()["permission"] == permission.value


def test_each_endpoint_declares_the_permission_of_the_use_case_that_it_calls(city: LiveCity) -> None:
    for route, _ in ROUTES:
        calling_of(route).check(city.service)


class _Public:
    permission = Permission.PUBLIC

    def __call__(self, _caller: Caller, _command: MakeSeal) -> Seal:
        raise NotImplementedError


def test_an_endpoint_that_declares_another_permission_is_not_served(city: LiveCity) -> None:
    wrong = replace(city.service, make_seal=Guarded(_Public()))
    with pytest.raises(TypeError, match="make_seal needs"):
        create_app(wrong)


def test_an_endpoint_that_declares_no_use_case_cannot_be_written() -> None:
    assert all(isinstance(route, GuardedRoute) for route, _ in ROUTES)
    router = APIRouter(route_class=GuardedRoute)
    with pytest.raises(TypeError, match="/forgotten declares no use case"):

        @router.get("/forgotten")
        def forgotten() -> None: ...


def guarded_in(service: object, place: str = "") -> Iterator[str]:
    """The names of the use cases of a service and of the groups within it."""
    for one in fields(service) if is_dataclass(service) else ():
        found = getattr(service, one.name)
        if isinstance(found, Guarded):
            yield place + one.name
        elif is_dataclass(found):
            yield from guarded_in(found, f"{place}{one.name}.")


def test_every_use_case_has_its_endpoint(city: LiveCity) -> None:
    """Except what no client asks for."""
    guarded = set(guarded_in(city.service))
    assert guarded - {calling_of(route).use_case for route, _ in ROUTES} == ON_THE_MACHINE | ON_THE_PAGES

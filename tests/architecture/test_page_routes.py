"""Default deny, page by page: no page can be forgotten, because the routes themselves are walked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import pytest
from fastapi import Depends
from starlette.routing import Mount

from seal_service.api.app import create_app
from seal_service.api.auth import Calling
from seal_service.api.routers import ROUTERS as ENDPOINTS
from seal_service.api.routers import routes_of
from seal_service.asgi import compose
from seal_service.bootstrap import Guarded
from seal_service.domain.access import PERMISSIONS_OF, Caller, Permission, Role
from seal_service.usecases.sessions import ReadSession
from seal_service.web.app import STATIC
from seal_service.web.door import PageRoute, calling_of_page, pages
from seal_service.web.routers import ROUTERS
from tests.architecture.test_routes import ON_THE_PAGES, _address
from tests.live import LiveCity, live_city
from tests.pages import Page, Visitor, person

PUBLIC = {
    "people.sign_in",
    "people.pass_second_factor",
    "people.go_to_provider",
    "people.return_from_provider",
    "look_up_seal",
}
"""Use cases whose pages need no session."""

ROUTES = [
    (route, method)
    for route in routes_of(*ROUTERS)
    for method in sorted(route.methods or ())
    if isinstance(route, PageRoute)
]
PEOPLE = sorted(set(Role) - {Role.BUSINESS_SYSTEM})


def _name(one: tuple[PageRoute, str]) -> str:
    return f"{one[1]} {one[0].path}"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCity]:
    with live_city(tmp_path_factory.mktemp("pages") / "home") as served:
        yield served


@pytest.fixture(scope="module")
def visitors(city: LiveCity) -> dict[Role, Visitor]:
    """Somebody of each role, signed in."""
    _, maker = city.account("制发部门", Role.SEAL_MAKER)
    unit = city.unit(maker)["id"]
    made = {}
    for role in PEOPLE:
        within = unit if role in (Role.UNIT_ADMINISTRATOR, Role.SEAL_KEEPER, Role.APPLICANT) else None
        made[role] = Visitor(city)
        made[role].sign_in(person(city, role, name=role.value, unit_id=within))
        made[role].client.follow_redirects = False
    return made


def test_every_page_is_walked_here_and_nothing_else_is_served(city: LiveCity) -> None:
    app = compose(city.service)
    assert len(ROUTES) == len([*routes_of(*ROUTERS)])
    assert all(route.path.startswith("/pages") for route, _ in ROUTES)
    assert [one.path for one in app.routes if isinstance(one, Mount)] == [STATIC]
    with_api_alone = create_app(city.service)
    assert len(app.routes) == len(with_api_alone.routes) + len(ROUTERS) + 1
    assert not [one for one in routes_of(*ENDPOINTS) if one.path.startswith("/pages")]
    assert app.openapi()["paths"] == with_api_alone.openapi()["paths"]


def test_only_a_short_list_of_pages_is_public() -> None:
    callings = [calling_of_page(route) for route, _ in ROUTES]
    public = {one.use_case for one in callings if one.permission is Permission.PUBLIC}
    assert public == PUBLIC
    assert public >= ON_THE_PAGES
    assert all(one.reads_bearer == (one.permission is not Permission.PUBLIC) for one in callings)


@pytest.mark.parametrize("one", ROUTES, ids=_name)
def test_a_page_without_or_with_a_wrong_session_answers_401(one: tuple[PageRoute, str], city: LiveCity) -> None:
    """The access token of a client is no session, and a session in a header is none here."""
    route, method = one
    public = calling_of_page(route).permission is Permission.PUBLIC
    bearer = city.security.headers["authorization"]
    cookies = ("", "nonsense", "ss_nonsense", "ss_", "sc_" + "x" * 43, bearer.removeprefix("Bearer "), "é")
    for value in cookies:
        cookie = f"seal-session={value}".encode()
        answer = city.public.request(method, _address(route), headers={b"Cookie": cookie})
        assert (answer.status_code == 401) == (not public), f"{value}: {answer.text}"
        assert answer.status_code < 500
    answer = city.public.request(method, _address(route), headers={"Authorization": bearer})
    assert (answer.status_code == 401) == (not public)


@pytest.mark.parametrize("one", ROUTES, ids=_name)
def test_a_page_answers_403_to_every_role_without_its_permission(
    one: tuple[PageRoute, str], visitors: dict[Role, Visitor]
) -> None:
    route, method = one
    permission = calling_of_page(route).permission
    for role, visitor in visitors.items():
        answer = visitor.client.request(method, _address(route))
        allowed = permission is Permission.PUBLIC or permission in PERMISSIONS_OF[role]
        assert ("无权限" in answer.text) == (not allowed), f"{role}: {answer.text}"
        assert answer.status_code < 500
        if not allowed:
            assert answer.status_code == 403


@pytest.mark.parametrize("one", [one for one in ROUTES if one[1] == "POST"], ids=_name)
def test_no_form_is_taken_without_its_token_or_from_elsewhere(
    one: tuple[PageRoute, str], visitors: dict[Role, Visitor]
) -> None:
    route, _ = one
    calling = calling_of_page(route)
    held = (role for role in PEOPLE if calling.permission in PERMISSIONS_OF[role])
    visitor = visitors[next(held, Role.AUDITOR)]
    own = Page(visitor.client.get("/pages/sign-in" if calling.permission is Permission.PUBLIC else "/pages"))
    token = own.forms[0].fields["form_token"]
    for fields, headers in (
        ({"a": "b"}, {}),
        ({"form_token": "0" * 64}, {}),
        ({"form_token": token}, {"Origin": "https://elsewhere.example"}),
    ):
        page = Page(visitor.post(_address(route), fields, **headers))
        assert (page.status, "表单已失效或来源不符" in page.text) == (403, True)
    assert visitor.client.get("/pages").status_code == 200


def test_each_page_declares_the_permission_of_the_use_case_that_it_calls(city: LiveCity) -> None:
    for route, _ in ROUTES:
        calling_of_page(route).check(city.service)


class _Public:
    permission = Permission.PUBLIC

    def __call__(self, _caller: Caller, _command: ReadSession) -> None:
        raise NotImplementedError


def test_a_page_that_declares_another_permission_is_not_served(city: LiveCity) -> None:
    wrong = replace(city.service, people=replace(city.service.people, sign_out=Guarded(_Public())))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"people\.sign_out needs"):
        compose(wrong)


def test_a_page_that_declares_no_use_case_or_an_endpoints_cannot_be_written() -> None:
    router = pages()
    with pytest.raises(TypeError, match="/pages/forgotten declares no use case"):

        @router.get("/forgotten")
        def forgotten() -> None: ...

    with pytest.raises(TypeError, match="as an endpoint of the API"):

        @router.get("/wrong")
        def wrong(_caller: Annotated[Caller, Depends(Calling("people.sign_out", Permission.OWN_SESSION))]) -> None: ...

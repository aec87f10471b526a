"""/pages, /pages/password, /pages/sign-out: what somebody does with the own session."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response

from seal_service.api.dependencies import Serving
from seal_service.domain.access import Caller, MustFirst, Permission, permitted
from seal_service.domain.errors import PasswordRefused
from seal_service.usecases.change_password import ChangePassword
from seal_service.usecases.sessions import ReadSession, SignOut
from seal_service.web import cookies
from seal_service.web.door import PageCalling, pages
from seal_service.web.forms import is_ticked, text
from seal_service.web.refusals import problem_of
from seal_service.web.rendering import page, redirect

router = pages()
LONGEST_PASSWORD = 256
_FIRST = {MustFirst.CHANGE_PASSWORD: "/pages/password", MustFirst.ENROL_FACTOR: "/pages/second-factors"}


def _own(use_case: str) -> PageCalling:
    return PageCalling(use_case, Permission.OWN_SESSION)


@router.get("")
def home(
    request: Request, service: Serving, caller: Annotated[Caller, Depends(_own("people.read_session"))]
) -> Response:
    """首页: who I am and what I may do; what has to be done first comes first."""
    if caller.must_first is not None:
        return redirect(_FIRST[caller.must_first])
    found = service.people.read_session(caller, ReadSession())
    return page(request, "home.html", session=found, sees_seals=permitted(caller, Permission.READ_SEALS))


@router.get("/password")
def show_password(
    request: Request,
    caller: Annotated[Caller, Depends(_own("people.change_password"))],  # noqa: ARG001
) -> Response:
    """修改口令."""
    return page(request, "password.html")


@router.post("/password")
def change_password(
    request: Request, service: Serving, caller: Annotated[Caller, Depends(_own("people.change_password"))]
) -> Response:
    """The new one twice, since nobody sees what is typed."""
    present, new = (text(request, name, LONGEST_PASSWORD) for name in ("present", "new"))
    try:
        if text(request, "repeated", LONGEST_PASSWORD) != new:
            raise PasswordRefused((("repeated", "The new password was typed in two ways"),))
        service.people.change_password(caller, ChangePassword(present=present, new=new))
    except PasswordRefused as refusal:
        problem = problem_of(request, refusal)
        return page(request, "password.html", problem.status, problem=problem)
    return redirect("/pages?done=password")


@router.post("/sign-out")
def sign_out(
    request: Request, service: Serving, caller: Annotated[Caller, Depends(_own("people.sign_out"))]
) -> Response:
    """登出, of this session or of all."""
    service.people.sign_out(caller, SignOut(everywhere=is_ticked(request, "everywhere")))
    response = redirect("/pages/sign-in?done=out")
    cookies.forget(request, response, cookies.Cookie.SESSION)
    return response

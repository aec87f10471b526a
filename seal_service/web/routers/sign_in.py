"""/pages/sign-in: account and password, then the second factor."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response

from seal_service.api.auth import take_try
from seal_service.api.dependencies import Serving
from seal_service.api.proofs import certificate_of
from seal_service.domain.access import Caller
from seal_service.domain.errors import InvalidInput, SealServiceError, Unauthenticated
from seal_service.domain.second_factor import FactorKind
from seal_service.usecases.pass_second_factor import PassSecondFactor
from seal_service.usecases.sign_in import SignIn
from seal_service.web.arrival import arrived, challenge_of
from seal_service.web.door import pages, public_page
from seal_service.web.forms import text
from seal_service.web.refusals import problem_of, sign_in_page
from seal_service.web.rendering import page, redirect
from seal_service.web.routers.own import LONGEST_PASSWORD

router = pages()
BUCKET = "sign-in"
_LONGEST_NAME = 100


@router.get("/sign-in")
def show_sign_in(
    request: Request,
    caller: Annotated[Caller, Depends(public_page("people.sign_in"))],  # noqa: ARG001
) -> Response:
    """登录."""
    return sign_in_page(request)


@router.post("/sign-in")
def sign_in(
    request: Request, service: Serving, caller: Annotated[Caller, Depends(public_page("people.sign_in", BUCKET))]
) -> Response:
    """As often as over the API, counted together with it."""
    account, password = text(request, "account", _LONGEST_NAME), text(request, "password", LONGEST_PASSWORD)
    take_try(request, caller, account)
    return arrived(request, service.people.sign_in(caller, SignIn(account=account, password=password)))


@router.get("/sign-in/second-factor")
def show_second_factor(
    request: Request,
    caller: Annotated[Caller, Depends(public_page("people.pass_second_factor"))],  # noqa: ARG001
) -> Response:
    """第二因素, of the sign-in that this browser began."""
    waiting = challenge_of(request)
    return redirect("/pages/sign-in") if waiting is None else page(request, "second_factor.html", kinds=waiting.kinds)


@router.post("/sign-in/second-factor")
def pass_second_factor(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(public_page("people.pass_second_factor", BUCKET))],
) -> Response:
    """A code, else the certificate of this connection; a wrong one may be followed by a right one."""
    waiting = challenge_of(request)
    if waiting is None:
        raise Unauthenticated("No sign-in waits for its second factor, or it waited too long: begin again")
    take_try(request, caller, waiting.challenge)
    try:
        answer = service.people.pass_second_factor(caller, _proof(request, waiting.challenge))
    except (Unauthenticated, InvalidInput) as refusal:
        return _again(request, waiting.kinds, refusal)
    return arrived(request, answer)


def _proof(request: Request, challenge: str) -> PassSecondFactor:
    if request.state.form.get("kind") == FactorKind.CERTIFICATE:
        return PassSecondFactor(challenge=challenge, presented_certificate=certificate_of(request))
    return PassSecondFactor(challenge=challenge, code=typed_code(request))


def _again(request: Request, kinds: tuple[FactorKind, ...], refusal: SealServiceError) -> Response:
    problem = problem_of(request, refusal)
    return page(request, "second_factor.html", problem.status, problem=problem, kinds=kinds)


def typed_code(request: Request) -> str:
    """The code, without the spaces that authenticators show; InvalidInput for what is none."""
    code = "".join(text(request, "code", 20).split())
    if not (code.isascii() and code.isdecimal() and 6 <= len(code) <= 8):
        raise InvalidInput("A code has six digits", field="code")
    return code

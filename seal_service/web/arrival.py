"""到达: what a browser gets after a first proof: its session's cookie, or the way to the second factor."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request, Response

from seal_service.domain.second_factor import FactorKind
from seal_service.usecases.signing_in import Challenged, SignedIn
from seal_service.web import cookies
from seal_service.web.cookies import Cookie
from seal_service.web.rendering import redirect


@dataclass(frozen=True, slots=True)
class Waiting:
    """登录质询 that this browser has to answer, and by what."""

    challenge: str
    kinds: tuple[FactorKind, ...]


def arrived(request: Request, answer: SignedIn | Challenged) -> Response:
    """On to the home page or the second factor. The session is always a new one: what was kept before is forgotten."""
    if isinstance(answer, Challenged):
        response = redirect("/pages/sign-in/second-factor")
        value = ".".join((answer.challenge, *(one.value for one in answer.kinds)))
        cookies.keep(request, response, Cookie.CHALLENGE, value)
        return response
    response = redirect("/pages")
    cookies.keep(request, response, Cookie.SESSION, answer.token)
    cookies.forget(request, response, Cookie.CHALLENGE, Cookie.BROWSER)
    return response


def challenge_of(request: Request) -> Waiting | None:
    """The challenge that the browser keeps; None: it has none."""
    challenge, *kinds = (cookies.read(request, Cookie.CHALLENGE) or "").split(".")
    known = tuple(one for one in FactorKind if one.value in kinds)
    return Waiting(challenge, known) if challenge and known else None

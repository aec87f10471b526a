"""拒绝页面: the API's own problem (RFC 9457) in words for people: title, detail, request id, what to do next."""

from __future__ import annotations

import json
from dataclasses import dataclass

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from seal_service.api.problems import problem_of_error, problem_of_http
from seal_service.domain.errors import (
    PasswordChangeRequired,
    ProofRefused,
    SealServiceError,
    SecondFactorRequired,
    Unauthenticated,
)
from seal_service.web import cookies, words
from seal_service.web.rendering import page, redirect

_KEPT_HEADERS = ("retry-after", "allow")


@dataclass(frozen=True, slots=True)
class Problem:
    """What the API would answer."""

    status: int
    code: str
    title: str
    title_en: str
    detail: str | None
    reasons: tuple[str, ...]
    headers: dict[str, str]

    @property
    def next(self) -> str | None:
        """What to do, in Chinese."""
        return words.NEXT.get(self.code)


def problem_of(request: Request, error: Exception) -> Problem:
    """The problem of a refusal, from the one table that the API has."""
    told = problem_of_http if isinstance(error, HTTPException) else problem_of_error
    answer = told(request, error)
    content = json.loads(bytes(answer.body))
    reasons = content.get("reasons", ())
    return Problem(
        status=answer.status_code,
        code=content["type"].rpartition(":")[2],
        title=content["title"],
        title_en=content["title_en"],
        detail=content.get("detail"),
        reasons=tuple(one for one in reasons if isinstance(one, str)),
        headers={name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers},
    )


def refused_page(request: Request, error: SealServiceError | HTTPException) -> Response:
    """What somebody sees who is refused: what has to be done first, the way in, or the problem."""
    if isinstance(error, PasswordChangeRequired):
        return redirect("/pages/password")
    if isinstance(error, SecondFactorRequired):
        return redirect("/pages/second-factors")
    problem = problem_of(request, error)
    if isinstance(error, Unauthenticated) and not isinstance(error, ProofRefused):
        return sign_in_page(request, problem, ended=request.state.has_session)
    response = page(request, "refused.html", problem.status, problem=problem)
    response.headers.update(problem.headers)
    return response


def sign_in_page(request: Request, problem: Problem | None = None, *, ended: bool = False) -> Response:
    """The way in; `ended`: because there is no session (any more)."""
    people = request.app.state.service.people
    values = {"problem": None if ended else problem, "ended": ended, "by_provider": people.browsers_go_to_provider}
    response = page(request, "sign_in.html", 200 if problem is None else problem.status, **values)
    if ended and cookies.session_of(request) is not None:  # another site's form comes without it and ends nothing
        cookies.forget(request, response, cookies.Cookie.SESSION)
    return response

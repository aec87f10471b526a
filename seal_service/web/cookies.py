"""浏览器标识: what a browser keeps for us. The session's cookie is read by pages alone, never by the API."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from enum import StrEnum

from fastapi import Request, Response

from seal_service.domain.session import CHALLENGE_LIFETIME, SESSION_PREFIX
from seal_service.usecases.go_to_provider import REQUEST_LIFETIME

_LONGEST = 4096


class Cookie(StrEnum):
    """What is kept; none is read by a script.

    None goes along with what another site's page posts or embeds; all do where it leads the browser to a page of ours
    by GET (Lax).
    """

    SESSION = "seal-session"
    BROWSER = "seal-browser"
    """A random value to which the forms before a session are bound."""
    CHALLENGE = "seal-challenge"
    """The challenge of a sign-in that waits for its second factor, and the kinds that it takes."""
    PROVIDER = "seal-provider"
    """The request with which the browser was sent to the identity provider."""


_LIFETIMES: dict[Cookie, timedelta] = {
    Cookie.CHALLENGE: CHALLENGE_LIFETIME,
    Cookie.PROVIDER: REQUEST_LIFETIME,
}
"""Others end with the browser; what they stand for ends when the service says so."""
_BROWSER = re.compile(r"[A-Za-z0-9_-]{43}")


def read(request: Request, cookie: Cookie) -> str | None:
    """What the browser keeps, or None."""
    found = request.cookies.get(_name(request, cookie))
    return found if found and len(found) <= _LONGEST else None


def keep(request: Request, response: Response, cookie: Cookie, value: str) -> None:
    """Have the browser keep it: for this host alone, where TLS is used over TLS alone (RFC 6265bis, 4.1.3.2).

    Lax, since the identity provider's answer comes from another site. What a person decides is done by POST alone; on
    GET a session may be opened by that answer, to which a state is bound, and one that ran out is ended.
    """
    lifetime = _LIFETIMES.get(cookie)
    response.set_cookie(
        _name(request, cookie),
        value,
        max_age=None if lifetime is None else int(lifetime.total_seconds()),
        path="/",
        secure=_secure(request),
        httponly=True,
        samesite="lax",
    )


def forget(request: Request, response: Response, *which: Cookie) -> None:
    """Have the browser forget them."""
    for cookie in which:
        response.delete_cookie(_name(request, cookie), path="/", secure=_secure(request), httponly=True, samesite="lax")


def session_of(request: Request) -> str | None:
    """The session's token; nothing else is one, such as the access token of a system."""
    found = read(request, Cookie.SESSION)
    return found if found is not None and found.startswith(SESSION_PREFIX) else None


def browser_of(request: Request) -> str:
    """The browser's random value, a new one where it has none yet; `answered` has the browser keep that."""
    found = read(request, Cookie.BROWSER)
    if found is None or not _BROWSER.fullmatch(found):
        found = getattr(request.state, "new_browser", None) or secrets.token_urlsafe(32)
        request.state.new_browser = found
    return found


def answered(request: Request, response: Response) -> None:
    """Have the browser keep its random value, if it was made for this answer."""
    new = getattr(request.state, "new_browser", None)
    if new is not None:
        keep(request, response, Cookie.BROWSER, new)


def _name(request: Request, cookie: Cookie) -> str:
    return f"__Host-{cookie}" if _secure(request) else cookie.value


def _secure(request: Request) -> bool:
    return bool(request.app.state.service.secure_pages)

"""页面: templates to HTML; escaped wherever a value stands, and of nothing that is not ours."""

from __future__ import annotations

from functools import cache

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from seal_service.domain.access import Caller
from seal_service.web import cookies, forms, words

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # with `no-referrer` browsers would send forms with `Origin: null`
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("seal_service.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"moment": words.moment, "roles": words.roles}
    made.globals |= {"STATES": words.STATES, "FACTORS": words.FACTORS, "AGAINST_PASSWORD": words.AGAINST_PASSWORD}
    return made


def page(request: Request, template: str, status: int = 200, **values: object) -> Response:
    """A page. Its forms are bound to the session where it is one of a session's, else to the browser."""
    caller: Caller | None = getattr(request.state, "caller", None)
    signed_in = caller if caller is not None and caller.session_id is not None else None
    secret = cookies.session_of(request) if signed_in is not None else cookies.browser_of(request)
    values |= {
        "caller": signed_in,
        "form_token": forms.form_token(secret or ""),
        "request_id": request.state.request_id,
        "notice": words.NOTICES.get(request.query_params.get("done", "")),
    }
    values.setdefault("problem", None)
    response = HTMLResponse(_templates().get_template(template).render(values), status, SECURITY_HEADERS)
    cookies.answered(request, response)
    return response


def redirect(address: str) -> Response:
    """To another page: `address` is never taken from a request."""
    return RedirectResponse(address, 303, SECURITY_HEADERS)

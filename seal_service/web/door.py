"""准入: who opens a page; as at the API's door, with the session of the browser's cookie instead of a header."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from seal_service.api.auth import Calling, GuardedRoute, calling_of
from seal_service.api.problems import DoorRefusal
from seal_service.domain.access import Permission
from seal_service.domain.errors import SealServiceError
from seal_service.usecases.authenticate import PresentedToken, TokenScheme
from seal_service.web import cookies, forms
from seal_service.web.refusals import refused_page

_log = logging.getLogger("seal_service.web")


class PageCalling(Calling):
    """调用 of a page: the caller is whom the browser's session stands for; a page of the public reads no cookie."""

    def presented(self, request: Request, address: str | None) -> PresentedToken | None:
        """The session's token; an Authorization field means nothing here."""
        token = cookies.session_of(request) if self.reads_bearer else None
        return None if token is None else PresentedToken(token=token, address=address, scheme=TokenScheme.BEARER)

    def secret(self, request: Request) -> str | None:
        """What the forms of this page are bound to: the session, else the browser's random value."""
        return cookies.session_of(request) if self.reads_bearer else cookies.read(request, cookies.Cookie.BROWSER)


def public_page(use_case: str, bucket: str = "pages") -> PageCalling:
    """A page that needs no session, counted with others of its purpose."""
    return PageCalling(use_case, Permission.PUBLIC, reads_bearer=False, bucket=bucket)


def calling_of_page(route: PageRoute) -> PageCalling:
    """What a page calls; TypeError for one that would read the API's credentials."""
    calling = calling_of(route)
    if not isinstance(calling, PageCalling):
        raise TypeError(f"{route.path} is called as an endpoint of the API, not as a page")
    return calling


class PageRoute(GuardedRoute):
    """A page. Every form is checked for where it comes from, and every refusal is a page as well."""

    async def ask_more(self, request: Request) -> None:
        """Where a form comes from; `request.state.form` then holds its fields."""
        request.state.body_limit = forms.LARGEST_FORM
        if request.method == "POST":
            forms.require_own_origin(request)
            request.state.form = await forms.read_form(request, calling_of_page(self).secret(request))

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The guarded handler, whose refusals are shown as pages."""
        handle, calling = super().get_route_handler(), calling_of_page(self)

        async def shown(request: Request) -> Response:
            request.state.has_session = calling.reads_bearer
            try:
                return await handle(request)
            except ClientDisconnect:
                raise
            except (SealServiceError, HTTPException) as error:
                return await run_in_threadpool(refused_page, request, error)
            except Exception:
                _log.exception("unexpected error")
                return await run_in_threadpool(refused_page, request, DoorRefusal("internal-error"))

        return shown


def pages() -> APIRouter:
    """A router whose routes are pages; they are no part of the API's contract."""
    return APIRouter(prefix="/pages", route_class=PageRoute, include_in_schema=False)

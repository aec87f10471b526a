"""外层: what every request and answer gets: a request id, a bounded body, security headers, a line in the log."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from seal_service.api.bodies import SMALL_BODY, Body
from seal_service.api.problems import RETRY_SECONDS, DoorRefusal, problem_of_http, problem_of_unknown
from seal_service.ports.system import RequestMeasurements

_SAFE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
NO_ROUTE = "none"
_log = logging.getLogger("seal_service.api")
_access = logging.getLogger("seal_service.access")


class Edge:
    """ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _SAFE_ID.fullmatch(given) else str(uuid.uuid4())
        state["request_id"] = request_id
        state["body_limit"] = SMALL_BODY  # endpoints that take uploads raise it themselves
        state["peer"] = scope["client"][0] if scope.get("client") else None  # before a proxy is believed
        body: Body = scope["app"].state.bodies.body()
        measured: RequestMeasurements = scope["app"].state.service.requests
        status: int | None = None
        began = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                _set_missing(headers, _SECURITY_HEADERS | {"Cache-Control": "no-store"} | state.get("rate_headers", {}))
            await send(message)

        measured.request_began()
        with bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, _bounded(scope, receive, body), send_with_headers)
            except ClientDisconnect:
                return
            except asyncio.CancelledError:  # the server stops, and the time for requests under way is over
                if status is not None:
                    raise
                await _stopping(Request(scope))(scope, receive, send_with_headers)
            except Exception:
                _log.exception("unexpected error")
                if status is not None:
                    raise
                await problem_of_unknown(Request(scope))(scope, receive, send_with_headers)
            finally:
                body.release()
                _note(measured, scope, status, time.perf_counter() - began)


def _stopping(request: Request) -> Response:
    told = "The server is stopping: repeat the request shortly, with the same Idempotency-Key where it has one"
    headers = {"Retry-After": str(RETRY_SECONDS), "Connection": "close"}
    return problem_of_http(request, DoorRefusal("overloaded", told, headers))


def _note(measured: RequestMeasurements, scope: Scope, status: int | None, seconds: float) -> None:
    """One line about the request: the route's template, never its query or what the path names (个人信息)."""
    route, method = getattr(scope.get("route"), "path_format", NO_ROUTE), scope["method"]
    measured.request_ended(method, route, status, seconds)
    facts = {"method": method, "route": route, "status": status or "gone", "milliseconds": round(seconds * 1000, 1)}
    _access.info("request", extra=facts)


def _set_missing(headers: MutableHeaders, fields: Mapping[str, str]) -> None:
    for name, value in fields.items():
        headers.setdefault(name, value)


def announced_length(scope: Scope) -> int:
    """The body's length as its Content-Length states it; 0 when none does."""
    stated = Headers(scope=scope).get("content-length", "")
    return int(stated) if stated.isascii() and stated.isdecimal() else 0


def _bounded(scope: Scope, receive: Receive, body: Body) -> Receive:
    """`receive` that refuses a body as soon as it is, or says that it will be, over the limit of the moment."""
    announced = announced_length(scope)
    state = scope["state"]
    complete = False

    async def bounded() -> Message:
        nonlocal complete
        if complete:
            return await receive()  # waits for the client to go
        limit = state["body_limit"]
        if announced > limit:
            raise DoorRefusal("content-too-large", f"The request has more than {limit} bytes")
        message = await body.next(receive)
        if message["type"] == "http.request":
            caller = state.get("caller")
            public = caller is None or caller.account_id is None
            body.hold(len(message.get("body", b"")), limit, public=public)
            complete = not message.get("more_body", False)
        return message

    return bounded

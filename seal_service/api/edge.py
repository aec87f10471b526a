"""外层: what every request and answer gets: a request id, a bounded body, security headers, and no stack trace."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seal_service.api.problems import DoorRefusal, problem_of_unknown

SMALL_BODY = 64 * 1024
"""Bytes of a body that is no upload; endpoints that take uploads raise `request.state.body_limit` themselves."""

_SAFE_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_log = logging.getLogger("seal_service.api")


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
        state["body_limit"] = SMALL_BODY
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                _set_missing(headers, _SECURITY_HEADERS | {"Cache-Control": "no-store"} | state.get("rate_headers", {}))
            await send(message)

        try:
            await self._app(scope, _bounded(scope, receive), send_with_headers)
        except ClientDisconnect:
            return
        except Exception:
            _log.exception("unexpected error, request_id=%s", request_id)
            if started:
                raise
            await problem_of_unknown(Request(scope))(scope, receive, send_with_headers)


def _set_missing(headers: MutableHeaders, fields: Mapping[str, str]) -> None:
    for name, value in fields.items():
        headers.setdefault(name, value)


def announced_length(scope: Scope) -> int:
    """The body's length as its Content-Length states it; 0 when none does."""
    stated = Headers(scope=scope).get("content-length", "")
    return int(stated) if stated.isascii() and stated.isdecimal() else 0


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """`receive` that refuses a body as soon as it is, or says that it will be, over the limit of the moment."""
    announced = announced_length(scope)
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        limit = scope["state"]["body_limit"]
        if announced > limit:
            raise DoorRefusal("content-too-large", f"The request has more than {limit} bytes")
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > limit:
                raise DoorRefusal("content-too-large", f"The request has more than {limit} bytes")
        return message

    return bounded

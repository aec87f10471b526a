"""反向代理: what to think of a request that somebody else forwarded."""

from __future__ import annotations

from starlette.requests import Request

CLIENT_FIELD = "x-forwarded-for"
FORWARDING_FIELDS = (CLIENT_FIELD, "forwarded", "x-real-ip", "x-forwarded-host", "via")


def came_through_a_stranger(request: Request) -> bool:
    """Whether it was forwarded and nobody who is trusted says for whom: then the address is not the client's.

    A proxy in front that the settings do not name would lend its own address, often this machine's, to everyone.
    """
    if not any(name in request.headers for name in FORWARDING_FIELDS):
        return False
    trusted = request.state.peer in request.app.state.service.trusted_proxies
    return not trusted or CLIENT_FIELD not in request.headers

"""客户端证书: the certificate of the client's TLS connection, as the proxy that ended it hands it on (RFC 9440)."""

from __future__ import annotations

import base64
import binascii

from starlette.requests import Request

FIELD = "client-cert"
_LONGEST = 16 * 1024


def client_certificate(request: Request) -> bytes | None:
    """DER; None when there is none, or when nobody who is trusted says so."""
    values = request.headers.getlist(FIELD)
    if len(values) != 1 or request.state.peer not in request.app.state.service.trusted_proxies:
        return None
    value = values[0].strip()
    if not 2 < len(value) <= _LONGEST or value[0] != ":" or value[-1] != ":":
        return None
    try:
        return base64.b64decode(value[1:-1], validate=True)  # a byte sequence of RFC 8941, 3.3.5
    except (binascii.Error, ValueError):
        return None

"""持有证明: what came with a request to show that its sender holds a key: a DPoP proof, a client certificate.

The certificate is that of the TLS connection, which ends at a proxy that hands it on (RFC 9440). Only a proxy that the
settings name, and say that it does this, is believed; from anyone else the field is dropped as if it had not come.
"""

from __future__ import annotations

import base64
import binascii

from starlette.requests import Request

from seal_service.domain.errors import ProofRefused, Unauthenticated
from seal_service.ports.machines import PresentedProof
from seal_service.usecases.authenticate import PresentedToken, TokenScheme

PROOF_FIELD = "dpop"
CERTIFICATE_FIELD = "client-cert"
LONGEST_FIELD = 16 * 1024
_SCHEMES = {scheme.value.lower(): scheme for scheme in TokenScheme}


def presented_token(request: Request, authorization: str, address: str | None) -> PresentedToken:
    """The token of an Authorization header with what came along; Unauthenticated for another scheme."""
    name, _, token = authorization.partition(" ")
    scheme = _SCHEMES.get(name.lower())
    if scheme is None or not token.strip():
        raise Unauthenticated("Authorization is `Bearer` or `DPoP` and an access token of /oauth2/token")
    return PresentedToken(
        token=token.strip(),
        address=address,
        scheme=scheme,
        proof=proof_of(request) if scheme is TokenScheme.DPOP else None,
        certificate=certificate_of(request),
    )


def proof_of(request: Request) -> PresentedProof | None:
    """The DPoP proof; ProofRefused for more than one (RFC 9449, 4.3)."""
    given = request.headers.getlist(PROOF_FIELD)
    if not given:
        return None
    if len(given) > 1 or len(given[0]) > LONGEST_FIELD:
        raise ProofRefused
    raw = request.scope.get("raw_path") or request.url.path.encode()
    return PresentedProof(proof=given[0].strip(), method=request.method, path=raw.partition(b"?")[0].decode("latin-1"))


def certificate_of(request: Request) -> bytes | None:
    """The client certificate (DER) that a trusted proxy handed on: `:base64:` (RFC 9440, 2.2); else None.

    ProofRefused when the trusted proxy sends what is no such field, or sends it twice: one of them is the client's own.
    """
    if request.state.peer not in request.app.state.service.certificate_proxies:
        return None
    given = request.headers.getlist(CERTIFICATE_FIELD)
    if not given:
        return None
    field = given[0].strip()
    if len(given) > 1 or len(field) > LONGEST_FIELD or len(field) < 3 or field[0] != ":" or field[-1] != ":":
        raise ProofRefused("Client-Cert is one byte sequence (RFC 9440)")
    try:
        return base64.b64decode(field[1:-1], validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProofRefused("Client-Cert is one byte sequence (RFC 9440)") from error

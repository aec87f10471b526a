"""/oauth2/token: client credentials become an access token (RFC 6749, 4.4)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import replace
from typing import Annotated
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from seal_service.api.auth import PUBLIC_SHARE, Calling, GuardedRoute, take
from seal_service.api.dependencies import Serving
from seal_service.api.proofs import certificate_of, proof_of
from seal_service.api.schemas.registers import TokenErrorView, TokenView
from seal_service.api.uploads import media_type
from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import AddressRefused, ProofRefused, Unauthenticated
from seal_service.usecases.authenticate import PresentedClient

router = APIRouter(route_class=GuardedRoute, tags=["令牌 token"])

FORM = "application/x-www-form-urlencoded"
LONGEST_FORM = 16 * 1024
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
ADDRESS_SHARE = 4
"""Several clients may share an address: all of them together get this fraction of an account's rate."""
_calling = Calling("issue_token", Permission.PUBLIC, reads_bearer=False, bucket="token", share=ADDRESS_SHARE)
_FORM_SCHEMA = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "client_id": {"type": "string", "description": "The account's id. With mutual TLS alone it is needed here."},
        "client_secret": {"type": "string", "description": "For pilots: not in the production profile."},
        "client_assertion_type": {"type": "string", "enum": [ASSERTION_TYPE]},
        "client_assertion": {
            "type": "string",
            "description": "private_key_jwt (RFC 7523): a JWT signed with ES256, PS256 or Ed25519 by a registered key; "
            "`iss` = `sub` = client_id, `aud` = the service's public address or its token endpoint, `exp` at most five "
            "minutes ahead, `jti` used once.",
        },
    },
}
_DPOP_FIELD = {
    "name": "DPoP",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "A DPoP proof (RFC 9449) for `POST` and this address: the token is then bound to its key, of type "
    "`DPoP`, and goes with a proof at every call. A client certificate of the TLS connection binds the token too "
    "(RFC 8705), where a trusted proxy hands it on as `Client-Cert` (RFC 9440).",
}
_DESCRIPTION = """\
The grant type is client_credentials; there are no scopes, an account's roles say what it may do.

The client shows who it is in exactly one way: its secret (HTTP Basic or form), `client_assertion` (private_key_jwt), or
the registered certificate of its TLS connection (tls_client_auth). A registered system (接入系统) is answered at its
registered addresses alone.

In the production profile a business system logs in by private_key_jwt or mutual TLS and its token is bound, by DPoP or
to its certificate; a client secret is refused, and those of people let in at the command line on the machine alone.
"""


class TokenRefusal(Exception):
    """A refusal in the words of RFC 6749, 5.2."""

    def __init__(self, code: str, description: str, *, challenge: bool = False) -> None:
        self.code = code
        self.description = description
        self.challenge = challenge


async def token_form(request: Request, _caller: Annotated[Caller, Depends(_calling)]) -> dict[str, str] | TokenRefusal:
    """The form's fields, or why they cannot be had."""
    request.state.body_limit = LONGEST_FORM
    body = await request.body()
    if media_type(request) != FORM:
        return TokenRefusal("invalid_request", f"The request is {FORM}")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=20)
    except ValueError:
        return TokenRefusal("invalid_request", "The form is malformed")
    fields = dict(pairs)
    if len(fields) != len(pairs):
        return TokenRefusal("invalid_request", "A parameter is given twice")
    return fields


@router.post(
    "/oauth2/token",
    operation_id="issue_token",
    summary="令牌: access token by client secret, private_key_jwt or mutual TLS; bound by DPoP or certificate",
    description=_DESCRIPTION,
    response_model=TokenView,
    responses={
        400: {
            "model": TokenErrorView,
            "description": "invalid_request, unsupported_grant_type, invalid_dpop_proof, unauthorized_client (the "
            "address is not registered)",
        },
        401: {"model": TokenErrorView, "description": "invalid_client"},
    },
    openapi_extra={
        "parameters": [_DPOP_FIELD],
        "requestBody": {"required": True, "content": {FORM: {"schema": _FORM_SCHEMA}}},
    },
)
def issue_token(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(_calling)],
    form: Annotated[dict[str, str] | TokenRefusal, Depends(token_form)],
) -> Response:
    """See `_DESCRIPTION`."""
    try:
        if isinstance(form, TokenRefusal):
            raise form
        presented = _presented(request, form)
        named = presented.client_id or ""  # those who leave it to their assertion are counted together
        client = f"token {caller.address} {hashlib.sha256(named.encode()).hexdigest()}"
        take(request, client, max(1, service.requests_per_minute // PUBLIC_SHARE))
        try:
            issued = service.issue_token(caller, presented)
        except ProofRefused as error:
            raise TokenRefusal("invalid_dpop_proof", error.message) from error
        except AddressRefused as error:
            raise TokenRefusal("unauthorized_client", error.message) from error
        except Unauthenticated as error:
            raise TokenRefusal("invalid_client", error.message, challenge=True) from error
    except TokenRefusal as refusal:
        headers = _NO_STORE | ({"WWW-Authenticate": 'Basic realm="seal-service"'} if refusal.challenge else {})
        content = {"error": refusal.code, "error_description": refusal.description}
        return JSONResponse(content, 401 if refusal.code == "invalid_client" else 400, headers)
    view = TokenView(access_token=issued.token, token_type=issued.scheme.value, expires_in=issued.expires_in)
    return JSONResponse(view.model_dump(), headers=_NO_STORE)


def _presented(request: Request, form: dict[str, str]) -> PresentedClient:
    """What the client shows, in exactly one way (RFC 6749, 2.3), and what its token is to be bound to."""
    grant_type = form.get("grant_type")
    if not grant_type:
        raise TokenRefusal("invalid_request", "grant_type is missing")
    if grant_type != "client_credentials":
        raise TokenRefusal("unsupported_grant_type", "The grant type is client_credentials")
    try:
        proof, certificate = proof_of(request), certificate_of(request)
    except ProofRefused as error:
        raise TokenRefusal("invalid_dpop_proof", error.message) from error
    client = replace(_client(request.headers.get("authorization"), form), proof=proof, certificate=certificate)
    if client.client_secret is None and client.assertion is None and (not client.client_id or certificate is None):
        told = "The client shows neither a secret, nor an assertion, nor its id with a client certificate"
        raise TokenRefusal("invalid_client", told, challenge=True)
    return client


def _client(authorization: str | None, form: dict[str, str]) -> PresentedClient:
    asserted = form.get("client_assertion")
    if asserted is not None:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise TokenRefusal("invalid_request", f"client_assertion_type is {ASSERTION_TYPE}")
        if authorization is not None or "client_secret" in form:
            raise TokenRefusal("invalid_request", "The client shows who it is in one way, not in two")
        return PresentedClient(client_id=form.get("client_id") or None, assertion=asserted)
    if authorization is None:
        client_id, secret = form.get("client_id") or None, form.get("client_secret") or None
        return PresentedClient(client_id=client_id, client_secret=secret)
    if "client_secret" in form:
        raise TokenRefusal("invalid_request", "The secret is given twice: in the header and in the form")
    scheme, _, encoded = authorization.partition(" ")
    try:
        named, separator, told = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        separator = ""
    if scheme.lower() != "basic" or not separator:
        raise TokenRefusal("invalid_client", "The Authorization header is no HTTP Basic", challenge=True)
    return PresentedClient(client_id=unquote_plus(named), client_secret=unquote_plus(told))

"""/oauth2/token: client credentials become an access token (RFC 6749, 4.4)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Annotated
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from seal_service.api.auth import PUBLIC_SHARE, Calling, GuardedRoute, take
from seal_service.api.dependencies import Serving
from seal_service.api.schemas.registers import TokenErrorView, TokenView
from seal_service.api.uploads import media_type
from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import Unauthenticated
from seal_service.usecases.authenticate import ClientSecret

router = APIRouter(route_class=GuardedRoute, tags=["令牌 token"])

FORM = "application/x-www-form-urlencoded"
LONGEST_FORM = 8 * 1024
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
ADDRESS_SHARE = 4
"""Several clients may share an address: all of them together get this fraction of an account's rate."""
_calling = Calling("issue_token", Permission.PUBLIC, reads_bearer=False, bucket="token", share=ADDRESS_SHARE)
_FORM_SCHEMA = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"type": "string", "enum": ["client_credentials"]},
        "client_id": {"type": "string"},
        "client_secret": {"type": "string"},
    },
}


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
    summary="令牌: access token for a client's id and secret (HTTP Basic or form)",
    response_model=TokenView,
    responses={
        400: {"model": TokenErrorView, "description": "invalid_request, unsupported_grant_type"},
        401: {"model": TokenErrorView, "description": "invalid_client"},
    },
    openapi_extra={"requestBody": {"required": True, "content": {FORM: {"schema": _FORM_SCHEMA}}}},
)
def issue_token(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(_calling)],
    form: Annotated[dict[str, str] | TokenRefusal, Depends(token_form)],
) -> Response:
    """The grant type is client_credentials; there are no scopes, an account's roles say what it may do."""
    try:
        if isinstance(form, TokenRefusal):
            raise form
        presented = _presented(request.headers.get("authorization"), form)
        client = f"token {caller.address} {hashlib.sha256(presented.client_id.encode()).hexdigest()}"
        take(request, client, max(1, service.requests_per_minute // PUBLIC_SHARE))
        try:
            issued = service.issue_token(caller, presented)
        except Unauthenticated as error:
            raise TokenRefusal("invalid_client", error.message, challenge=True) from error
    except TokenRefusal as refusal:
        headers = _NO_STORE | ({"WWW-Authenticate": 'Basic realm="seal-service"'} if refusal.challenge else {})
        content = {"error": refusal.code, "error_description": refusal.description}
        return JSONResponse(content, 401 if refusal.code == "invalid_client" else 400, headers)
    view = TokenView(access_token=issued.token, expires_in=issued.expires_in)
    return JSONResponse(view.model_dump(), headers=_NO_STORE)


def _presented(authorization: str | None, form: dict[str, str]) -> ClientSecret:
    """The client's id and secret, from exactly one place (RFC 6749, 2.3)."""
    grant_type = form.get("grant_type")
    if not grant_type:
        raise TokenRefusal("invalid_request", "grant_type is missing")
    if grant_type != "client_credentials":
        raise TokenRefusal("unsupported_grant_type", "The grant type is client_credentials")
    if authorization is None:
        if not form.get("client_id") or not form.get("client_secret"):
            raise TokenRefusal("invalid_client", "The client's id and secret are missing", challenge=True)
        return ClientSecret(client_id=form["client_id"], client_secret=form["client_secret"])
    if "client_secret" in form:
        raise TokenRefusal("invalid_request", "The secret is given twice: in the header and in the form")
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, separator, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        separator = ""
    if scheme.lower() != "basic" or not separator:
        raise TokenRefusal("invalid_client", "The Authorization header is no HTTP Basic", challenge=True)
    return ClientSecret(client_id=unquote_plus(client_id), client_secret=unquote_plus(secret))

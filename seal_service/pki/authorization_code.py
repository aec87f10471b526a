"""授权码: the words of the authorization code flow (RFC 6749, 4.1) with PKCE (RFC 7636), as RFC 9700 wants it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlencode

from seal_service.domain.errors import IdentityProviderUnavailable, Unauthenticated
from seal_service.pki.bounded_http import HttpAnswer
from seal_service.ports.people import ProviderRequest

_BASIC, _POST = "client_secret_basic", "client_secret_post"
_FORM = "application/x-www-form-urlencoded"
_REFUSALS = frozenset({"invalid_request", "invalid_client", "unauthorized_client", "unsupported_grant_type"})
"""Of RFC 6749, 5.2, those that tell of a setting, here or there: whoever runs the service has to read them."""


@dataclass(frozen=True, slots=True)
class Client:
    """What we are at the provider: a client with a secret or, with PKCE alone, without."""

    id: str
    secret: str | None = field(repr=False)


def authorization_address(endpoint: str, client: Client, request: ProviderRequest) -> str:
    """Where a browser asks for a code; what the endpoint's address asks for itself is kept (RFC 6749, 3.1)."""
    query = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": request.redirect_uri,
        "scope": "openid",
        "state": request.state,
        "nonce": request.nonce,
        "code_challenge": code_challenge(request.verifier),
        "code_challenge_method": "S256",
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def code_challenge(verifier: str) -> str:
    """S256 (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def token_request(
    client: Client, code: str, request: ProviderRequest, methods: Sequence[object]
) -> tuple[Mapping[str, str], bytes]:
    """Header fields and form that ask for the token of a code.

    The client shows its secret as the provider's configuration says it may, in a header field unless only the form is
    taken (RFC 6749, 2.3.1; OpenID Connect Discovery, 3).
    """
    headers = {"Content-Type": _FORM, "Accept": "application/json"}
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": request.redirect_uri,
        "code_verifier": request.verifier,
    }
    if client.secret is None:
        form["client_id"] = client.id
    elif _POST in methods and _BASIC not in methods:
        form |= {"client_id": client.id, "client_secret": client.secret}
    else:
        both = f"{quote_plus(client.id)}:{quote_plus(client.secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(both.encode()).decode()}"
    return headers, urlencode(form).encode()


def id_token_of(answer: HttpAnswer) -> str:
    """The id token in the token endpoint's answer.

    Unauthenticated when it does not take the code, IdentityProviderUnavailable when it answers anything else.
    """
    try:
        found = json.loads(answer.body)
    except ValueError as error:
        raise IdentityProviderUnavailable from error
    told = found if isinstance(found, dict) else {}
    if answer.status == 200 and isinstance(told.get("id_token"), str):
        return str(told["id_token"])
    if told.get("error") == "invalid_grant":
        raise Unauthenticated("The identity provider does not take the code")
    if told.get("error") in _REFUSALS:
        raise IdentityProviderUnavailable(f"The identity provider gave no token: {told['error']}")
    raise IdentityProviderUnavailable("The identity provider gave no token")

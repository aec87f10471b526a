"""授权码: the words of the code flow against the standards' own examples, and every answer of a token endpoint."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest

from seal_service.domain.errors import IdentityProviderUnavailable, Unauthenticated
from seal_service.pki.authorization_code import (
    Client,
    authorization_address,
    code_challenge,
    id_token_of,
    token_request,
)
from seal_service.pki.bounded_http import HttpAnswer
from seal_service.ports.people import ProviderRequest

REQUEST = ProviderRequest(
    redirect_uri="https://seal.example/pages/sign-in/provider/return",
    state="s",
    nonce="n",
    verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
)
CLIENT = Client("印章:+", "机密 %:&")


def test_rfc_7636_appendix_b() -> None:
    assert code_challenge(REQUEST.verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_browser_carries_the_verifiers_digest_alone_and_the_endpoints_own_query_stays() -> None:
    address = authorization_address("https://id.example/authorize?tenant=a", CLIENT, REQUEST)
    query = parse_qs(urlsplit(address).query)
    assert query["tenant"] == ["a"]
    assert query["code_challenge"] == [code_challenge(REQUEST.verifier)]
    assert query["redirect_uri"] == [REQUEST.redirect_uri]
    assert REQUEST.verifier not in address
    assert "机密" not in unquote_plus(address)


@pytest.mark.parametrize("methods", [(), ("client_secret_basic", "client_secret_post"), ("private_key_jwt",)])
def test_rfc_6749_2_3_1_the_secret_is_shown_in_a_header_field(methods: tuple[str, ...]) -> None:
    headers, form = token_request(CLIENT, "c", REQUEST, methods)
    shown = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode().split(":")
    assert [unquote_plus(one) for one in shown] == [CLIENT.id, CLIENT.secret]
    fields = parse_qs(form.decode())
    assert fields["code_verifier"] == [REQUEST.verifier]
    assert fields["redirect_uri"] == [REQUEST.redirect_uri]
    assert not {"client_secret", "client_id"} & set(fields)


def test_the_secret_is_in_the_form_where_only_that_is_taken_and_a_public_client_names_itself() -> None:
    headers, form = token_request(CLIENT, "c", REQUEST, ["client_secret_post"])
    assert parse_qs(form.decode())["client_secret"] == [CLIENT.secret]
    assert "Authorization" not in headers
    headers, form = token_request(Client("seal", None), "c", REQUEST, ["none"])
    assert parse_qs(form.decode())["client_id"] == ["seal"]
    assert "Authorization" not in headers


def answer(status: int, body: object) -> HttpAnswer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpAnswer(status=status, headers={}, body=content)


def test_a_code_that_is_not_taken_is_the_persons_matter_and_everything_else_the_operators() -> None:
    assert id_token_of(answer(200, {"id_token": "a.b.c", "access_token": "x"})) == "a.b.c"
    with pytest.raises(Unauthenticated):
        id_token_of(answer(400, {"error": "invalid_grant", "error_description": "used"}))
    with pytest.raises(IdentityProviderUnavailable, match="invalid_client"):
        id_token_of(answer(401, {"error": "invalid_client"}))
    for wrong in (
        answer(200, {"access_token": "x"}),
        answer(200, {"id_token": 1}),
        answer(302, {"id_token": "a.b.c"}),
        answer(500, {"error": "<script>"}),
        answer(200, b"\xff"),
        answer(200, [1]),
    ):
        with pytest.raises(IdentityProviderUnavailable) as refused:
            id_token_of(wrong)
        assert "script" not in refused.value.message


def test_the_secret_is_in_no_representation() -> None:
    assert "机密" not in repr(CLIENT)

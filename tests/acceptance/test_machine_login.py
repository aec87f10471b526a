"""接入系统登录 over HTTP: private_key_jwt, DPoP, client certificates, registered addresses, rotation."""

from __future__ import annotations

import base64
import secrets
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.live import LiveOffice, expect, live_city, refused
from tests.machines import (
    PUBLIC_URL,
    TOKEN_ADDRESS,
    DpopAuth,
    Key,
    RegisteredSystem,
    asserted,
    assertion,
    certificate,
    client_cert,
    proof,
)

FORM = {"grant_type": "client_credentials"}
SEALS = "/v1/seals"


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegisteredSystem]:
    home = tmp_path_factory.mktemp("machines") / "home"
    with live_city(home, trusted_proxies=["127.0.0.1"], client_certificates=True) as city:
        yield RegisteredSystem(LiveOffice(city))


@pytest.fixture
def public(registered: RegisteredSystem) -> httpx.Client:
    return registered.office.city.public


def dpop_headers(token: str, key: Key, **changes: Any) -> dict[str, str]:
    return {"Authorization": f"DPoP {token}", "DPoP": proof(key, "GET", PUBLIC_URL + SEALS, token, **changes)}


@pytest.mark.parametrize(
    "key",
    [ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519"), RSAKey.generate_key(2048)],
    ids=["EC", "OKP", "RSA"],
)
def test_a_system_logs_in_with_its_key_and_calls_with_a_token_bound_to_another(
    registered: RegisteredSystem, public: httpx.Client, key: Key
) -> None:
    """RFC 7523, RFC 9449: neither the secret nor the token alone is worth anything."""
    added = expect(201, registered.add(kind="jwk", public_key=key.as_dict(private=False)))
    answer = expect(200, registered.ask(dpop=key, key=key))
    assert answer["token_type"] == "DPoP"
    called = public.get(SEALS, auth=DpopAuth(answer["access_token"], key))
    assert [one["code"] for one in expect(200, called)["items"]] == [registered.office.code]
    expect(200, registered.office.keeper.delete(f"{registered.path}/credentials/{added['id']}"))


def test_a_bound_token_seals(registered: RegisteredSystem) -> None:
    """The whole of it: the document goes out by private_key_jwt and DPoP alone."""
    office, dpop = registered.office, ECKey.generate_key("P-256")
    with httpx.Client(base_url=office.city.url, auth=DpopAuth(registered.token(dpop), dpop), timeout=60) as client:
        used = office.use(secrets.token_hex(8), client=client)
        assert used.status_code == 201, used.text
        assert client.get(f"{used.headers['location']}/document").content == used.content


def test_a_token_without_the_proof_it_is_bound_to_is_refused(
    registered: RegisteredSystem, public: httpx.Client
) -> None:
    """RFC 9449, 7: as bearer, without proof, with another key's, for another token, method or address."""
    key, other = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
    token = registered.token(key)
    now = int(time.time())
    wrong: list[dict[str, str]] = [
        {"Authorization": f"Bearer {token}"},
        {"Authorization": f"DPoP {token}"},
        {"Authorization": f"DPoP {token}", "DPoP": "a.b.c"},
        dpop_headers(token, other),
        dpop_headers(token, key, ath=None),
        dpop_headers(token, key, ath="x" * 43),
        dpop_headers(token, key, htm="POST"),
        dpop_headers(token, key, htu=f"{PUBLIC_URL}/v1/grants"),
        dpop_headers(token, key, htu="https://elsewhere.example/v1/seals"),
        dpop_headers(token, key, iat=now - 120),
        dpop_headers(token, key, iat=now + 120),
        dpop_headers(token, key, iat=None),
        dpop_headers(token, key, jti=None),
        dpop_headers(token, key, jti="x" * 300),
    ]
    for headers in wrong:
        told = refused(401, "proof-refused", public.get(SEALS, headers=headers))
        assert token not in str(told)
    answer = public.get(SEALS, headers={"Authorization": f"DPoP {token}"})
    assert answer.headers["www-authenticate"].startswith("DPoP algs=")
    two = [("Authorization", f"DPoP {token}"), *(("DPoP", proof(key, "GET", PUBLIC_URL + SEALS, token)),) * 2]
    refused(401, "proof-refused", public.get(SEALS, headers=two))
    expect(200, public.get(SEALS, headers=dpop_headers(token, key, htu=f"{PUBLIC_URL}{SEALS}?limit=1#a")))
    told_of = [one["account_id"] for one in registered.events("token.refused")]
    assert told_of, "a bound token without its proof is in the log"


def test_a_proof_of_a_secret_key_or_none_is_no_proof(registered: RegisteredSystem, public: httpx.Client) -> None:
    key = ECKey.generate_key("P-256")
    token = registered.token(key)
    good = proof(key, "GET", PUBLIC_URL + SEALS, token)
    head, claims, _ = good.split(".")
    for header in (
        b'{"typ":"dpop+jwt","alg":"none","jwk":{"kty":"oct","k":"AA"}}',
        b'{"typ":"dpop+jwt","alg":"HS256","jwk":{"kty":"oct","k":"AA"}}',
        b'{"typ":"JWT","alg":"ES256"}',
        b'{"typ":"dpop+jwt","alg":"ES256"}',
        b'{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}',
    ):
        forged = f"{base64.urlsafe_b64encode(header).rstrip(b'=').decode()}.{claims}.AAAA"
        refused(401, "proof-refused", public.get(SEALS, headers={"Authorization": f"DPoP {token}", "DPoP": forged}))
    refused(
        401, "proof-refused", public.get(SEALS, headers={"Authorization": f"DPoP {token}", "DPoP": f"{head}.{claims}."})
    )


def test_a_proof_is_accepted_once_however_many_show_it_at_once(
    registered: RegisteredSystem, public: httpx.Client
) -> None:
    """RFC 9449, 11.1."""
    key = ECKey.generate_key("P-256")
    token = registered.token(key)
    for _ in range(5):
        headers, statuses, start = dpop_headers(token, key), list[int](), threading.Barrier(6)

        def show(
            headers: dict[str, str] = headers, statuses: list[int] = statuses, start: threading.Barrier = start
        ) -> None:
            start.wait()
            statuses.append(httpx.get(registered.office.city.url + SEALS, headers=headers, timeout=60).status_code)

        threads = [threading.Thread(target=show) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [200, 401, 401, 401, 401, 401]


def test_an_assertion_lets_in_once_and_only_as_it_should_be(registered: RegisteredSystem, public: httpx.Client) -> None:
    """RFC 7523, 3: issuer, subject, audience, life of at most five minutes, jti used once, a registered key."""
    client_id, key, now = registered.client_id, registered.key, int(time.time())

    def ask(made: str, **more: str) -> httpx.Response:
        form = asserted(client_id, key)["data"] | {"client_assertion": made} | more
        return public.post("/oauth2/token", data=form)

    once = assertion(client_id, key)
    expect(200, ask(once))
    assert expect(401, ask(once))["error"] == "invalid_client"
    expect(200, ask(assertion(client_id, key, aud=[PUBLIC_URL, "https://elsewhere.example"])))
    for wrong in (
        assertion(client_id, ECKey.generate_key("P-256")),
        assertion(client_id, key, iss="another"),
        assertion("00000000-0000-7000-8000-000000000000", key),
        assertion(client_id, key, aud="https://elsewhere.example"),
        assertion(client_id, key, exp=now - 60),
        assertion(client_id, key, exp=now + 3600),
        assertion(client_id, key, exp=None),
        assertion(client_id, key, jti=None),
        assertion(client_id, key, nbf=now + 300),
        "a.b.c",
        "",
    ):
        assert expect(401, ask(wrong))["error"] == "invalid_client"
    assert expect(401, ask(assertion(client_id, key), client_id="another"))["error"] == "invalid_client"
    assert expect(400, ask(assertion(client_id, key), client_assertion_type="x"))["error"] == "invalid_request"
    assert expect(400, ask(assertion(client_id, key), client_secret="x"))["error"] == "invalid_request"


def test_a_wrong_proof_at_the_token_endpoint_gives_no_token(registered: RegisteredSystem, public: httpx.Client) -> None:
    """RFC 9449, 5: invalid_dpop_proof; a proof is used once there too."""
    key = ECKey.generate_key("P-256")
    good = proof(key, "POST", TOKEN_ADDRESS)
    expect(200, registered.ask(headers={"DPoP": good}))
    for wrong in (good, proof(key, "GET", TOKEN_ADDRESS), proof(key, "POST", PUBLIC_URL), "nonsense"):
        assert expect(400, registered.ask(headers={"DPoP": wrong}))["error"] == "invalid_dpop_proof"


def test_a_system_logs_in_and_calls_with_its_registered_certificate(
    registered: RegisteredSystem, public: httpx.Client
) -> None:
    """RFC 8705, handed on by a trusted proxy as RFC 9440 says; the token is worthless with another certificate."""
    ours, other = certificate(), certificate()
    pem = f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(ours).decode()}-----END CERTIFICATE-----\n"
    added = expect(201, registered.add(kind="certificate", certificate=pem))
    assert "示例市政务服务平台" in added["subject"]
    form = FORM | {"client_id": registered.client_id}
    answer = expect(200, public.post("/oauth2/token", data=form, headers=client_cert(ours)))
    assert answer["token_type"] == "Bearer"
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    expect(200, public.get(SEALS, headers=bearer | client_cert(ours)))
    refused(401, "proof-refused", public.get(SEALS, headers=bearer))
    refused(401, "proof-refused", public.get(SEALS, headers=bearer | client_cert(other)))
    twice = [*bearer.items(), *client_cert(ours).items(), *client_cert(ours).items()]
    refused(401, "proof-refused", public.get(SEALS, headers=twice))
    refused(401, "proof-refused", public.get(SEALS, headers=bearer | {"Client-Cert": "nonsense"}))
    assert expect(401, public.post("/oauth2/token", data=form, headers=client_cert(other)))["error"] == "invalid_client"
    assert expect(401, public.post("/oauth2/token", data=form))["error"] == "invalid_client"
    expect(200, registered.office.keeper.delete(f"{registered.path}/credentials/{added['id']}"))
    refused(401, "unauthenticated", public.get(SEALS, headers=bearer | client_cert(ours)))


def test_a_system_is_answered_at_its_registered_addresses_alone(registered: RegisteredSystem) -> None:
    """接入系统IP: elsewhere neither a token is given nor one accepted, and it is in the log."""
    public, key = registered.office.city.public, ECKey.generate_key("P-256")
    token = registered.token(key)
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    assert expect(400, registered.ask(headers=elsewhere))["error"] == "unauthorized_client"
    refused(403, "address-refused", public.get(SEALS, headers=dpop_headers(token, key) | elsewhere))
    expect(200, public.get(SEALS, headers=dpop_headers(token, key)))
    assert any("address_refused" in str(one) for one in registered.events("token.refused"))


def test_credentials_overlap_while_one_follows_another(registered: RegisteredSystem, public: httpx.Client) -> None:
    """轮换: both let in; the revoked one and the tokens given by it are worthless at once; three are the most."""
    keeper, following = registered.office.keeper, ECKey.generate_key("P-256")
    added = expect(201, registered.add(kind="jwk", public_key=following.as_dict(private=False), days=90))
    secret = expect(201, registered.add(kind="client_secret", days=30))
    refused(409, "too-many-credentials", registered.add(kind="client_secret"))
    pair = (registered.client_id, secret["client_secret"])
    given = expect(200, public.post("/oauth2/token", data=FORM, auth=pair))["access_token"]
    expect(200, public.get(SEALS, headers={"Authorization": f"Bearer {given}"}))
    registered.token()
    token = registered.token(key=following)
    expect(200, public.get(SEALS, headers={"Authorization": f"Bearer {token}"}))
    listed = expect(200, keeper.get(f"{registered.path}/credentials"))["items"]
    used = {one["id"]: one["last_used_at"] for one in listed}
    assert used[added["id"]] is not None
    assert used[secret["id"]] is not None
    assert not any("secret" in name for one in listed for name in one if name != "kind")
    expect(200, keeper.delete(f"{registered.path}/credentials/{added['id']}"))
    expect(200, keeper.delete(f"{registered.path}/credentials/{secret['id']}"))
    refused(401, "unauthenticated", public.get(SEALS, headers={"Authorization": f"Bearer {token}"}))
    assert expect(401, registered.ask(key=following))["error"] == "invalid_client"
    assert expect(401, public.post("/oauth2/token", data=FORM, auth=pair))["error"] == "invalid_client"
    refused(409, "already-registered", registered.add(kind="jwk", public_key=following.as_dict(private=False)))


def test_a_credential_that_expired_lets_nobody_in(tmp_path_factory: pytest.TempPathFactory) -> None:
    with live_city(tmp_path_factory.mktemp("expiry") / "home") as city:
        system = RegisteredSystem(LiveOffice(city))
        key = ECKey.generate_key("P-256")
        expect(201, system.add(kind="jwk", public_key=key.as_dict(private=False), days=1))
        expect(200, system.ask(key=key))
        city.clock.forward(timedelta(days=1, seconds=1))
        ahead = int(time.time() + timedelta(days=1, seconds=1).total_seconds())
        for one, status in ((key, 401), (system.key, 200)):
            form = asserted(system.client_id, one)["data"]
            form["client_assertion"] = assertion(system.client_id, one, iat=ahead, exp=ahead + 60)
            expect(status, city.public.post("/oauth2/token", data=form))


def test_what_cannot_be_a_credential_is_refused(registered: RegisteredSystem) -> None:
    private = ECKey.generate_key("P-256")
    for key in (
        private.as_dict(private=True),
        {"kty": "oct", "k": "AAAA"},
        ECKey.generate_key("P-384").as_dict(private=False),
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "RSA", "e": "AQAB", "n": "AA"},
        {},
    ):
        told = refused(422, "credential-refused", registered.add(kind="jwk", public_key=key))
        assert "d" not in key or str(key["d"]) not in str(told)
    refused(422, "credential-refused", registered.add(kind="certificate", certificate="no certificate"))
    refused(422, "invalid-input", registered.add(kind="jwk"))
    refused(422, "invalid-input", registered.add(kind="client_secret", certificate="x"))

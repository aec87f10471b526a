"""统一身份登录, against a real OpenID Connect provider in a process of its own."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.live import LiveCity, expect, live_city, refused
from tests.oidc_provider import CLIENT, Provider, free_port, provider

ZHANG = {"sub": "zhang", "realm": {"roles": ["gov-seal-keeper", "gov-auditor", "something else"]}}
LI = {"sub": "li", "realm": {"roles": ["gov-auditor"]}}
WANG = {"sub": "wang"}
ROLES = {"gov-seal-keeper": "seal_keeper", "gov-auditor": "auditor"}


@pytest.fixture(scope="module")
def at() -> Iterator[Provider]:
    with provider(ZHANG, LI, WANG) as made:
        yield made


def settings(url: str) -> dict[str, Any]:
    return {"oidc_issuer": url, "oidc_audience": CLIENT, "oidc_roles_claim": "realm.roles", "oidc_roles": ROLES}


@pytest.fixture
def city(tmp_path: Path, at: Provider) -> Iterator[LiveCity]:
    with live_city(tmp_path / "home", **settings(at.url)) as served:
        yield served


def linked(city: LiveCity, subject: str, *roles: str) -> str:
    """The account of a person whom the provider knows."""
    body = {"name": subject, "roles": list(roles), "unit_id": None}
    if set(roles) & {"seal_keeper", "applicant"}:
        _, maker = city.account("制发部门", "seal_maker")
        body["unit_id"] = city.unit(maker)["id"]
    created = expect(201, city.security.post("/v1/accounts", json=body))
    city.confirm(created["request_id"])
    account_id = str(created["id"])
    path = f"/v1/accounts/{account_id}/oidc-links"
    made = expect(201, city.security.post(path, json={"subject": subject}))
    assert made["subject"] == subject
    return account_id


def exchange(city: LiveCity, token: str, nonce: str | None = None) -> httpx.Response:
    return city.public.post("/v1/sessions/oidc", json={"id_token": token, "nonce": nonce})


def test_the_provider_vouches_for_a_person_and_for_no_more_than_both_give(city: LiveCity, at: Provider) -> None:
    """张 is keeper and applicant here, keeper and auditor there: keeper is what both say."""
    account_id = linked(city, "zhang", "seal_keeper", "applicant")
    answer = expect(201, exchange(city, at.id_token("zhang", nonce="n-1"), nonce="n-1"))
    session = city.client(Authorization=f"Bearer {answer['token']}")
    me = expect(200, session.get("/v1/sessions/current"))
    assert (me["account_id"], me["roles"], me["way"]) == (account_id, ["seal_keeper"], "oidc")
    assert me["password_expires_at"] is None
    expect(200, session.get("/v1/seals"))
    refused(403, "permission-denied", session.get("/v1/log/entries"))


def test_a_token_opens_one_session_with_its_nonce_in_its_time(city: LiveCity, at: Provider) -> None:
    linked(city, "li", "auditor")
    token = at.id_token("li", nonce="n-1")
    refused(401, "unauthenticated", exchange(city, token, nonce="n-2"))
    refused(401, "unauthenticated", exchange(city, at.id_token("li"), nonce="n-1"))
    late = at.id_token("li")
    expect(201, exchange(city, token, nonce="n-1"))
    refused(401, "unauthenticated", exchange(city, token, nonce="n-1"))
    city.clock.forward(timedelta(minutes=12))
    refused(401, "unauthenticated", exchange(city, late))


def test_who_is_not_linked_or_has_no_role_of_ours_stays_outside(city: LiveCity, at: Provider) -> None:
    refused(401, "unauthenticated", exchange(city, at.id_token("li")))
    linked(city, "wang", "auditor")
    refused(401, "unauthenticated", exchange(city, at.id_token("wang")))
    account_id = linked(city, "li", "auditor")
    expect(201, exchange(city, at.id_token("li")))
    path = f"/v1/accounts/{account_id}/oidc-links"
    assert len(expect(200, city.security.get(path))["items"]) == 1
    expect(200, city.security.delete(path, params={"subject": "li"}))
    assert expect(200, city.security.get(path))["items"] == []
    refused(401, "unauthenticated", exchange(city, at.id_token("li")))


def test_a_token_for_another_client_or_of_another_provider_is_refused(city: LiveCity, at: Provider) -> None:
    linked(city, "li", "auditor")
    refused(401, "unauthenticated", exchange(city, at.id_token("li", client="somebody-else")))
    with provider(LI) as other:
        refused(401, "unauthenticated", exchange(city, other.id_token("li")))
    head, _, rest = at.id_token("li").partition(".")
    body, _, signature = rest.partition(".")
    for wrong in ("made.up.token", "a.b", f"{head}.{body}.", f"{head}.{body}.{signature[:-4]}AAAA", "é.b.c"):
        refused(401, "unauthenticated", exchange(city, wrong))
    none = "eyJhbGciOiJub25lIn0"  # {"alg":"none"}
    refused(401, "unauthenticated", exchange(city, f"{none}.{body}."))


def test_new_keys_of_the_provider_are_fetched_when_a_token_names_them(tmp_path: Path) -> None:
    """Started anew, the provider has another key under the same address."""
    port = free_port()
    with live_city(tmp_path / "home", **settings(f"http://127.0.0.1:{port}")) as city:
        linked(city, "li", "auditor")
        for _ in range(2):
            with provider(LI, port=port) as at:
                expect(201, exchange(city, at.id_token("li")))
            city.clock.forward(timedelta(seconds=30))


def test_without_its_provider_nobody_is_let_in(tmp_path: Path) -> None:
    with live_city(tmp_path / "home", **settings(f"http://127.0.0.1:{free_port()}")) as city:
        header = base64.urlsafe_b64encode(b'{"alg":"RS256"}').decode()
        token = f"{header}.e30.e30"
        refused(503, "identity-provider-unavailable", exchange(city, token))
    with live_city(tmp_path / "other") as city:
        refused(404, "identity-provider-not-set", exchange(city, "e30.e30.e30"))

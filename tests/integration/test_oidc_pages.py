"""统一身份登录 by browser: redirects to a real OpenID Connect provider and back, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from tests.integration.test_oidc_sign_in import LI, ROLES, ZHANG, linked
from tests.live import LiveCity, expect, live_city
from tests.oidc_provider import CLIENT, Provider, free_port, provider
from tests.pages import Visitor

BACK = "/pages/sign-in/provider/return"
SECRET = "客户端 secret:+/%"


@pytest.fixture(scope="module")
def at() -> Iterator[Provider]:
    with provider(ZHANG, LI) as made:
        yield made


def settings(url: str, port: int) -> dict[str, Any]:
    return {
        "oidc_issuer": url,
        "oidc_audience": CLIENT,
        "oidc_client_secret": SECRET,
        "oidc_roles_claim": "realm.roles",
        "oidc_roles": ROLES,
        "pages_url": f"http://127.0.0.1:{port}",
    }


@pytest.fixture
def city(tmp_path: Path, at: Provider) -> Iterator[LiveCity]:
    port = free_port()
    with live_city(tmp_path / "home", port=port, **settings(at.url, port)) as served:
        yield served


def sent(visitor: Visitor) -> str:
    """Where the browser is sent to: the provider's address with everything that it is told."""
    visitor.client.follow_redirects = False
    answer = visitor.client.get("/pages/sign-in/provider")
    visitor.client.follow_redirects = True
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def agreed(address: str, subject: str, **changed: str) -> dict[str, str]:
    """With what the provider sends the browser back, once the person agreed there."""
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | changed
    answer = httpx.post(f"{parts.scheme}://{parts.netloc}{parts.path}", params=query, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def reasons(city: LiveCity) -> list[str]:
    """Of the refused sign-ins in the log, newest first."""
    _, auditor = city.account("审计", "auditor")
    found = expect(200, auditor.get("/v1/log/entries", params={"kind": "session.refused"}))["items"]
    return [str(one["entry"]["a"]["reason"]) for one in found]


def test_a_person_comes_in_by_the_provider_and_no_token_goes_through_the_browser(city: LiveCity, at: Provider) -> None:
    linked(city, "zhang", "seal_keeper", "applicant")
    visitor = Visitor(city)
    assert "/pages/sign-in/provider" in visitor.open("/pages/sign-in").links
    address = sent(visitor)
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert address.startswith(f"{at.url}/oauth2/authorize?")
    assert query["redirect_uri"] == f"{city.url}{BACK}"
    assert (query["response_type"], query["scope"], query["client_id"]) == ("code", "openid", CLIENT)
    assert (query["code_challenge_method"], len(query["code_challenge"])) == ("S256", 43)
    assert len({query["state"], query["nonce"], query["code_challenge"]}) == 3
    kept = visitor.client.cookies["seal-provider"]
    assert query["state"] not in kept
    page = visitor.open(BACK, **agreed(address, "zhang"))
    assert (page.status, page.path) == (200, "/pages")
    assert ("统一身份" in page.text, "印章保管人" in page.text, "用印申请人" in page.text) == (True, True, False)
    assert "seal-provider" not in visitor.client.cookies
    assert visitor.open("/pages/seals").status == 200


def test_every_request_to_the_provider_has_its_own_secrets(city: LiveCity) -> None:
    found = [parse_qs(urlsplit(sent(Visitor(city))).query) for _ in range(3)]
    for name in ("state", "nonce", "code_challenge"):
        assert len({one[name][0] for one in found}) == 3


def test_another_state_is_refused_before_the_code_is_looked_at(city: LiveCity) -> None:
    linked(city, "zhang", "seal_keeper")
    visitor = Visitor(city)
    back = agreed(sent(visitor), "zhang")
    page = visitor.open(BACK, **back | {"state": "another"})
    assert (page.status, page.path, visitor.session) == (401, BACK, None)
    assert visitor.open(BACK, **back).status == 401, "the browser kept it for one way back"
    assert reasons(city) == ["no_such_provider_request"]


def test_a_page_elsewhere_that_embeds_the_way_back_writes_nothing_to_the_log(city: LiveCity) -> None:
    """As an image there, of which no cookie of ours goes along: the log is for good, and not for anyone to fill."""
    for query in ({}, {"code": "x"}, {"code": "x", "state": "y"}, {"error": "access_denied"}):
        page = Visitor(city).open(BACK, **query)
        assert (page.status, "/pages/sign-in" in [one.action for one in page.forms]) == (401, True)
    assert reasons(city) == []


def test_a_code_that_another_browser_brings_is_refused(city: LiveCity) -> None:
    """Login CSRF and a stolen code: what comes back belongs to the browser that was sent."""
    linked(city, "zhang", "seal_keeper")
    mine, victim = Visitor(city), Visitor(city)
    back = agreed(sent(mine), "zhang")
    assert victim.open(BACK, **back).status == 401
    sent(victim)
    assert victim.open(BACK, **back).status == 401
    assert victim.session is None
    assert mine.open(BACK, **back).status == 200


def test_a_code_of_another_request_fails_at_the_nonce(city: LiveCity) -> None:
    """Code injection (RFC 9700, 4.5): the state is right, the code was given for something else."""
    linked(city, "zhang", "seal_keeper")
    visitor = Visitor(city)
    back = agreed(sent(visitor), "zhang", nonce="n-of-somebody-else")
    assert visitor.open(BACK, **back).status == 401
    assert visitor.session is None
    assert reasons(city) == ["id_token_refused"]


def test_a_code_is_taken_once(city: LiveCity) -> None:
    linked(city, "zhang", "seal_keeper")
    visitor = Visitor(city)
    address = sent(visitor)
    kept = visitor.client.cookies["seal-provider"]
    back = agreed(address, "zhang")
    assert visitor.open(BACK, **back).status == 200
    thief = Visitor(city)
    thief.client.cookies.set("seal-provider", kept, domain="127.0.0.1", path="/")
    assert thief.open(BACK, **back).status == 401
    assert thief.session is None
    assert reasons(city) == ["code_refused"]


def test_what_was_kept_is_ours_and_ten_minutes_old_at_most(city: LiveCity) -> None:
    linked(city, "zhang", "seal_keeper")
    for kept in ("nonsense", "é", "AAAA", "A" * 5000):
        visitor = Visitor(city)
        back = agreed(sent(visitor), "zhang")
        answer = httpx.get(f"{city.url}{BACK}", params=back, headers={b"Cookie": f"seal-provider={kept}".encode()})
        assert answer.status_code == 401
    late = Visitor(city)
    back = agreed(sent(late), "zhang")
    city.clock.forward(timedelta(minutes=10))
    assert late.open(BACK, **back).status == 401


def test_who_does_not_agree_or_is_not_linked_comes_back_to_the_way_in(city: LiveCity) -> None:
    visitor = Visitor(city)
    state = parse_qs(urlsplit(sent(visitor)).query)["state"][0]
    page = visitor.open(BACK, error="access_denied", error_description="<script>", state=state)
    assert (page.status, "<script" in page.source) == (401, False)
    assert "/pages/sign-in" in [one.action for one in page.forms]
    assert visitor.open(BACK, **agreed(sent(visitor), "li")).status == 401
    assert sorted(reasons(city)) == ["no_such_person", "refused_by_provider"]


def test_a_code_that_says_to_be_another_issuers_is_refused(city: LiveCity, at: Provider) -> None:
    """Mix-up (RFC 9207)."""
    linked(city, "zhang", "seal_keeper")
    visitor = Visitor(city)
    back = agreed(sent(visitor), "zhang")
    assert visitor.open(BACK, **back, iss="https://elsewhere.example").status == 401
    assert visitor.open(BACK, **agreed(sent(visitor), "zhang"), iss=at.url).status == 200


def test_a_second_factor_is_asked_for_as_after_a_password(tmp_path: Path, at: Provider) -> None:
    port = free_port()
    with live_city(tmp_path / "home", port=port, second_factor="totp", **settings(at.url, port)) as city:
        linked(city, "zhang", "seal_keeper")
        visitor = Visitor(city)
        assert visitor.open(BACK, **agreed(sent(visitor), "zhang")).path == "/pages/second-factors"
        assert visitor.open("/pages/seals").path == "/pages/second-factors"


def test_without_a_provider_or_an_address_to_come_back_to_there_is_no_such_way(tmp_path: Path, at: Provider) -> None:
    unset = settings(at.url, 1) | {"pages_url": None}
    for number, chosen in enumerate(({}, unset)):
        with live_city(tmp_path / str(number), **chosen) as city:
            visitor = Visitor(city)
            assert "/pages/sign-in/provider" not in visitor.open("/pages/sign-in").links
            page = visitor.open("/pages/sign-in/provider")
            assert (page.status, "未配置身份提供方" in page.text) == (404, True)
            assert visitor.open(BACK, code="x", state="y").status in (401, 404)
    silent = free_port()
    with live_city(tmp_path / "silent", **settings(f"http://127.0.0.1:{silent}", silent)) as city:
        page = Visitor(city).open("/pages/sign-in/provider")
        assert (page.status, "身份提供方不可用" in page.text) == (503, True)


def test_the_client_secret_is_in_no_page_log_or_address(
    city: LiveCity, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    visitor = Visitor(city)
    address = sent(visitor)
    page = visitor.open(BACK, **agreed(address, "li"))
    told = "".join([*capfd.readouterr(), caplog.text, repr(city.service)])
    for secret in (SECRET, urlencode({"": SECRET})[1:]):
        assert secret not in page.source + told + address

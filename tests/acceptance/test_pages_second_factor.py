"""第二因素 by page: a client certificate of the connection (RFC 9440), and what a page says of a UKey."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_api_sessions import PASSWORD, b64, client, enrol_ukey, sign_in
from tests.live import LiveCity, live_city
from tests.pages import Visitor, person
from tests.person_authority import PersonAuthority

FACTORS, SECOND = "/pages/second-factors", "/pages/sign-in/second-factor"


@pytest.fixture(scope="module")
def authority() -> PersonAuthority:
    return PersonAuthority()


@pytest.fixture
def city(tmp_path: Path, authority: PersonAuthority) -> Iterator[LiveCity]:
    settings: dict[str, Any] = {
        "second_factor": "certificate",
        "person_anchors": (authority.written(tmp_path / "people.pem"),),
        "trusted_proxies": ("127.0.0.1",),
        "client_certificates": True,
    }
    with live_city(tmp_path / "home", **settings) as served:
        yield served


def test_the_connections_certificate_is_enrolled_and_asked_for(city: LiveCity, authority: PersonAuthority) -> None:
    account_id, ukey = person(city, "auditor"), authority.ukey()
    plain, shown = Visitor(city), Visitor(city, **{"Client-Cert": f":{b64(ukey.certificate)}:"})
    page = plain.sign_in(account_id)
    assert page.path == FACTORS
    assert "登记动态口令" not in page.text, "a kind that does not count here is not offered"
    page = plain.send(page, FACTORS, kind="certificate")
    assert (page.status, "请求内容无效" in page.text) == (422, True)
    garbled = plain.client.post(
        FACTORS,
        data=plain.open(FACTORS).forms[-1].fields,
        headers={"Origin": city.url, "Client-Cert": "nonsense"},
    )
    assert (garbled.status_code, "持有证明无效" in garbled.text) == (401, True)
    assert plain.open(FACTORS).status == 200, "the session stands"
    page = shown.send(shown.sign_in(account_id), FACTORS, kind="certificate")
    assert (page.path, "第二因素已登记" in page.text) == ("/pages", True)

    page = plain.sign_in(account_id)
    assert page.path == SECOND
    assert plain.send(page, SECOND).status == 422
    other = Visitor(city, **{"Client-Cert": f":{b64(authority.ukey().certificate)}:"})
    page = other.sign_in(account_id)
    assert other.send(page, SECOND).status == 401
    page = shown.sign_in(account_id)
    page = shown.send(page, SECOND)
    assert (page.status, page.path, "客户端证书" in page.text) == (200, "/pages", True)


def test_whose_only_factor_is_a_ukey_is_told_that_a_page_cannot_reach_it(
    city: LiveCity, authority: PersonAuthority
) -> None:
    account_id = person(city, "auditor")
    assert enrol_ukey(client(city, sign_in(city, account_id, PASSWORD)), authority.ukey()).status_code == 200
    page = Visitor(city).sign_in(account_id)
    assert (page.path, page.forms) == (SECOND, [])
    assert "不能在网页上使用" in page.text

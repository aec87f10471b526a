"""The pages' address: forms are taken from there, however it is written in the settings and by whatever port."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.live import LiveCity, live_city
from tests.pages import PASSWORD, Page, person
from tests.proxy import proxied, trusting


def sign_in(city: LiveCity, client: httpx.Client, origin: str) -> int:
    """The status that a browser is answered with whose page is of this origin."""
    account_id = person(city, "auditor")
    opened = client.get("/pages/sign-in")
    kept = {"Cookie": opened.headers["set-cookie"].partition(";")[0]}
    fields = Page(opened).form("/pages/sign-in").fields | {"account": account_id, "password": PASSWORD}
    return client.post("/pages/sign-in", data=fields, headers=kept | {"Origin": origin}).status_code


@pytest.mark.parametrize("written", ["https://Seal.Example", "https://seal.example:443", "https://SEAL.example:443/"])
def test_a_form_is_taken_from_the_pages_address_however_that_is_written(tmp_path: Path, written: str) -> None:
    """Browsers write the host in small letters, and no port that is the scheme's own (RFC 6454, 6.1)."""
    with live_city(tmp_path / "home", pages_url=written) as city:
        assert sign_in(city, city.public, "https://seal.example") == 303
        for other in ("http://seal.example", "https://seal.example:8443", "https://seal.example.cn", "https://x:99999"):
            assert sign_in(city, city.public, other) == 403


def test_behind_the_shipped_proxy_on_any_port_forms_are_taken_without_a_setting(tmp_path: Path) -> None:
    with (
        live_city(tmp_path / "home", trusted_proxies=["127.0.0.1"]) as city,
        proxied(tmp_path, httpx.URL(city.url).port or 0) as (_, tls),
        httpx.Client(base_url=tls, verify=trusting(tmp_path), timeout=60) as client,
    ):
        assert sign_in(city, client, tls) == 303
        assert sign_in(city, client, "https://localhost") == 403, "of another port, which may be somebody else's"

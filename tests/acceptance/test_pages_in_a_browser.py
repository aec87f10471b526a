"""The pages in a real browser on a phone's window: what people do with them from beginning to end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.acceptance.test_api_sessions import key_of, totp
from tests.browser import Browser, browser
from tests.integration.test_oidc_pages import settings
from tests.integration.test_oidc_sign_in import ZHANG, linked
from tests.live import LiveOffice, expect, live_city, refused
from tests.oidc_provider import free_port, provider
from tests.pages import PASSWORD, new_person

pytestmark = pytest.mark.slow
TWO_MINUTES = timedelta(minutes=2)


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[Browser]:
    with browser(tmp_path / "browser") as opened:
        yield opened


def sign_in(shown: Browser, url: str, account: str, password: str) -> None:
    shown.open(f"{url}/pages/sign-in")
    shown.fill(account=account, password=password)
    shown.press("登录")


def test_a_keeper_reports_a_loss_in_a_browser_and_the_next_use_is_refused(shown: Browser, tmp_path: Path) -> None:
    """Article 24, from the password that was handed out; the seal's unit has markup for a name."""
    with live_city(tmp_path / "home", second_factor="totp") as city:
        office = LiveOffice(city, unit_fields={"name": "示例<script>alert(1)</script>局"})
        account_id, given = new_person(city, "seal_keeper", name="张<b>某</b>", unit_id=office.unit["id"])
        sign_in(shown, city.url, account_id, given)
        assert shown.path == "/pages/password"
        shown.fill(present=given, new=PASSWORD, repeated=PASSWORD)
        shown.press("修改")
        assert shown.path == "/pages/second-factors"
        shown.press("登记动态口令")
        key = key_of(f"otpauth://totp/x?secret={shown.text('#key')}")
        shown.fill(code=totp(key, time.time()))
        shown.press("确认")
        assert "第二因素已登记" in shown.text()
        cookies = {one["name"]: one for one in shown.driver.get_cookies()}
        assert cookies["seal-session"]["httpOnly"]
        assert cookies["seal-session"]["sameSite"] == "Lax"
        assert shown.driver.execute_script("return document.cookie") == ""
        shown.press_in_header("登出")
        assert "已登出" in shown.text()

        city.clock.forward(TWO_MINUTES)
        sign_in(shown, city.url, account_id, PASSWORD)
        assert shown.path == "/pages/sign-in/second-factor"
        shown.fill(code=totp(key, time.time() + TWO_MINUTES.total_seconds()))
        shown.press("验证")
        assert shown.text("header .who") == "张<b>某</b>"
        shown.press("印章与挂失")
        assert "正常使用" in shown.text()
        assert office.use("before").status_code == 201
        shown.press("样章")
        assert shown.text("h1") == "示例<script>alert(1)</script>局样章"
        assert not shown.wider_than_its_window()
        shown.fill(reason="介质遗失")
        shown.tick("certain")
        shown.press("挂失 Report the loss")
        assert "已挂失，停用" in shown.text("#state")
        refused(403, "authorization-denied", office.use("after"))
        entry = shown.text("#entry")
        assert expect(200, office.auditor.get(f"/v1/log/entries/{entry}"))["kind"] == "sealmgmt.suspended"
        assert not shown.wider_than_its_window()
        shown.driver.refresh()
        assert shown.text("#entry") == entry
        shown.press("返回印章列表")
        assert "已挂失，停用" in shown.text()
        assert [one for one in shown.complaints() if "favicon" not in one] == []


def test_a_person_comes_in_by_the_provider_in_a_browser(shown: Browser, tmp_path: Path) -> None:
    """By the provider's own page and real redirects, across two addresses."""
    with provider(ZHANG) as at:
        port = free_port()
        with live_city(tmp_path / "home", port=port, **settings(at.url, port)) as city:
            linked(city, "zhang", "seal_keeper")
            shown.open(f"{city.url}/pages/seals")
            assert "请先登录" in shown.text()
            shown.press("统一身份登录")
            assert shown.driver.current_url.startswith(at.url)
            shown.press("zhang")
            assert (shown.path, "印章保管人" in shown.text()) == ("/pages", True)
            shown.press("印章与挂失")
            assert shown.text("h1").startswith("印章")
            shown.press_in_header("登出")
            shown.open(f"{city.url}/pages/seals")
            assert "请先登录" in shown.text()


def test_another_sites_form_does_nothing_in_a_browser(shown: Browser, tmp_path: Path) -> None:
    """CSRF, as the browser itself sends it: from a page of another origin, with the session's cookie at hand."""
    with live_city(tmp_path / "home") as city:
        office = LiveOffice(city)
        account_id, given = new_person(city, "seal_keeper", unit_id=office.unit["id"])
        sign_in(shown, city.url, account_id, given)
        shown.fill(present=given, new=PASSWORD, repeated=PASSWORD)
        shown.press("修改")
        page = tmp_path / "elsewhere.html"
        action = f"{city.url}/pages/seals/{office.code}/loss-report"
        page.write_text(
            f'<main><form method="post" action="{action}"><input name="reason" value="x">'
            '<input name="certain" value="yes"><input name="key" value="k"><button>领奖</button></form></main>',
            encoding="utf-8",
        )
        shown.open(page.as_uri())
        shown.press("领奖")
        assert shown.driver.current_url == action
        assert "请先登录" in shown.text(), "the cookie does not go along with a form of another site"
        assert expect(200, office.maker.get(f"/v1/seals/{office.code}"))["state"] == "active"
        shown.open(f"{city.url}/pages/seals")
        assert "正常使用" in shown.text(), "the session itself stands"

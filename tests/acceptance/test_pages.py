"""People at the pages: the way in, the report of a loss by page (article 24), and what nobody gets past."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from seal_service import bootstrap
from seal_service.config import Settings
from seal_service.domain.operation import Profile
from seal_service.usecases.signing_in import token_digest
from tests.acceptance.test_api_sessions import key_of, totp
from tests.live import LiveCity, LiveOffice, expect, live_city, refused, serving
from tests.pages import PASSWORD, Page, Visitor, new_person, person

OTHER = "凿冰冲冲-纳于凌阴-四之日"
SCRIPT = "<script>alert(1)</script>"


def keeper(office: LiveOffice, name: str = "张某") -> str:
    return person(office.city, "seal_keeper", name=name, unit_id=office.unit["id"])


def report(visitor: Visitor, code: str, **fields: str) -> Page:
    page = visitor.open(f"/pages/seals/{code}")
    return visitor.send(page, f"/pages/seals/{code}/loss-report", **{"reason": "介质遗失", "certain": "yes"} | fields)


def test_article_24_a_keeper_reports_a_loss_by_page(tmp_path: Path) -> None:
    """From the password that was handed out to the seal that stops: each step as the pages lead to it."""
    with live_city(tmp_path / "home", second_factor="totp") as city:
        office = LiveOffice(city)
        account_id, given = new_person(city, "seal_keeper", unit_id=office.unit["id"])
        visitor = Visitor(city)
        page = visitor.sign_in(account_id, given)
        assert page.path == "/pages/password"
        assert visitor.open("/pages/seals").path == "/pages/password"
        page = visitor.send(page, "/pages/password", present=given, new=PASSWORD, repeated=PASSWORD)
        assert page.path == "/pages/second-factors"
        assert visitor.open("/pages/seals").path == "/pages/second-factors"
        page = visitor.send(page, "/pages/second-factors", kind="totp")
        key = key_of(re.search("otpauth://[^<]+", page.source)[0].replace("&amp;", "&"))  # type: ignore[index]
        page = visitor.send(page, "/pages/second-factors/confirmation", code=totp(key, time.time()))
        assert page.path == "/pages"
        visitor.send(page, "/pages/sign-out")
        city.clock.forward(timedelta(minutes=2))

        page = visitor.sign_in(account_id)
        assert page.path == "/pages/sign-in/second-factor"
        assert visitor.open("/pages/seals").status == 401
        page = visitor.send(page, page.path, code="000000")
        assert page.status == 401
        code = totp(key, time.time() + city.clock.ahead.total_seconds())
        page = visitor.send(page, page.path, code=f"{code[:3]} {code[3:]}")
        assert (page.status, page.path) == (200, "/pages")
        assert "印章保管人" in page.text

        assert f"/pages/seals/{office.code}" in visitor.open("/pages/seals").links
        assert office.use("before").status_code == 201
        page = report(visitor, office.code)
        assert page.status == 200
        assert "已挂失，停用" in page.of_id["state"]
        refused(403, "authorization-denied", office.use("after"))
        assert expect(200, office.maker.get(f"/v1/seals/{office.code}"))["state_reason"] == "介质遗失"
        entry = expect(200, office.auditor.get(f"/v1/log/entries/{page.of_id['entry']}"))
        assert entry["kind"] == "sealmgmt.suspended"
        assert "已挂失，停用" in visitor.open("/pages/seals").text
        assert "请您联系制发部门" in page.text


def test_a_page_that_is_sent_again_reports_one_loss(office: LiveOffice) -> None:
    visitor = Visitor(office.city)
    visitor.sign_in(keeper(office))
    path = f"/pages/seals/{office.code}"
    fields = visitor.open(path).form(f"{path}/loss-report").fields | {"reason": "介质遗失", "certain": "yes"}
    first, again = (Page(visitor.post(f"{path}/loss-report", fields)) for _ in range(2))
    assert first.status == again.status == 200
    assert first.of_id["entry"] == again.of_id["entry"]
    found = expect(200, office.auditor.get("/v1/log/entries", params={"kind": "sealmgmt.suspended"}))["items"]
    assert [one["entry_id"] for one in found] == [first.of_id["entry"]]
    page = Page(visitor.post(f"{path}/loss-report", fields | {"key": "another"}))
    assert page.status == 409
    assert "当前印章状态不允许此操作" in page.text
    assert page.answer.headers["x-request-id"] in page.text


@pytest.mark.parametrize(
    "fields",
    [{"reason": ""}, {"reason": "两行\n原因"}, {"reason": "长" * 501}, {"certain": "no"}, {"key": ""}],
    ids=str,
)
def test_a_report_without_reason_or_certainty_reports_nothing(
    shared_office: LiveOffice, fields: dict[str, str]
) -> None:
    visitor = Visitor(shared_office.city)
    visitor.sign_in(keeper(shared_office))
    page = report(visitor, shared_office.code, **fields)
    assert page.status == 422
    assert "请求内容无效" in page.text
    state = expect(200, shared_office.maker.get(f"/v1/seals/{shared_office.code}"))["state"]
    assert state == "active"


def test_who_may_not_report_sees_no_form_and_is_refused(shared_office: LiveOffice) -> None:
    city, code = shared_office.city, shared_office.code
    applicant = Visitor(city)
    applicant.sign_in(person(city, "applicant", unit_id=shared_office.unit["id"]))
    page = applicant.open(f"/pages/seals/{code}")
    assert [one.action for one in page.forms] == ["/pages/sign-out"]
    token = page.forms[0].fields["form_token"]
    page = Page(applicant.post(f"/pages/seals/{code}/loss-report", {"form_token": token, "reason": "x"}))
    assert (page.status, "无权限" in page.text) == (403, True)
    _, maker = city.account("制发部门", "seal_maker")
    stranger = Visitor(city)
    stranger.sign_in(person(city, "seal_keeper", unit_id=city.unit(maker, 7)["id"]))
    assert code not in stranger.open("/pages/seals").text
    page = stranger.open(f"/pages/seals/{code}")
    assert (page.status, "印章不存在" in page.text) == (404, True)


def test_the_list_goes_on_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seal_service.web.routers.seals.ON_A_PAGE", 1)
    with live_city(tmp_path / "home") as city:
        first, second = LiveOffice(city, number=1), LiveOffice(city, number=2)
        visitor = Visitor(city)
        visitor.sign_in(person(city, "seal_maker"))
        page = visitor.open("/pages/seals")
        assert (second.code in page.text, first.code in page.text) == (True, False)
        further = next(one for one in page.links if "cursor=" in one)
        page = visitor.open(further)
        assert (second.code in page.text, first.code in page.text) == (False, True)
        assert visitor.open("/pages/seals", cursor="nonsense").status == 422


def test_names_are_text_and_never_markup(office: LiveOffice) -> None:
    """A unit, its seal, a person and a reason that are markup stand on the pages as they are written."""
    city = office.city
    hostile = LiveOffice(city, number=3, unit_fields={"name": f"示例{SCRIPT}局"})
    visitor = Visitor(city)
    visitor.sign_in(keeper(hostile, f"张{SCRIPT}"))
    name = f"示例{SCRIPT}局样章"
    pages = [visitor.open("/pages/seals"), visitor.open(f"/pages/seals/{hostile.code}")]
    pages.append(report(visitor, hostile.code, reason=SCRIPT))
    pages.append(visitor.open("/pages/seal-status", code=hostile.code, name=name))
    for page in pages:
        assert "<script" not in page.source.lower()
        assert name in page.text
    assert all(f"张{SCRIPT}" in page.text for page in pages[:3])
    assert f"原因 Reason {SCRIPT}" in pages[2].text
    asked = {"code": '"><script>', "name": "'\"><img src=x onerror=alert(1)>"}
    page = visitor.open("/pages/seal-status", **asked)
    assert (page.status, "<script" in page.source, "<img" in page.source) == (422, False, False)
    assert page.form("/pages/seal-status").fields == asked


def test_five_wrong_passwords_lock_and_the_page_says_the_same(city: LiveCity) -> None:
    account_id = person(city, "auditor")
    visitor = Visitor(city)
    pages = [visitor.sign_in(account_id, "wrong") for _ in range(5)]
    pages += [visitor.sign_in(account_id), visitor.sign_in("nobody", "wrong")]
    assert {one.status for one in pages} == {401}
    assert len({one.text.replace(one.answer.headers["x-request-id"], "") for one in pages}) == 1
    assert visitor.session is None


def test_tries_by_page_and_over_the_api_are_counted_together(tmp_path: Path) -> None:
    with live_city(tmp_path / "home", requests_per_minute=60) as city:
        assert city.public.post("/v1/sessions", json={"account": "nobody", "password": "wrong"}).status_code == 401
        page = Visitor(city).sign_in("nobody", "wrong")
        assert (page.status, "请求过于频繁" in page.text) == (429, True)
        assert int(page.answer.headers["retry-after"]) > 0


def test_a_password_is_changed_by_page_with_every_reason_against_it(city: LiveCity) -> None:
    visitor, elsewhere = Visitor(city), Visitor(city)
    account_id = person(city, "auditor", name="审计人员")
    elsewhere.sign_in(account_id)
    visitor.sign_in(account_id)
    page = visitor.open("/pages/password")
    page = visitor.send(page, "/pages/password", present=PASSWORD, new=OTHER, repeated=PASSWORD)
    assert (page.status, "两次输入的新口令不一致" in page.text) == (422, True)
    page = visitor.send(page, "/pages/password", present=PASSWORD, new="审计人员", repeated="审计人员")
    assert (page.status, "口令须为 12 至 128 个字符" in page.text, "口令不得含账户名称" in page.text) == (
        422,
        True,
        True,
    )
    page = visitor.send(page, "/pages/password", present="wrong", new=OTHER, repeated=OTHER)
    assert (page.status, "当前口令不正确" in page.text) == (422, True)
    page = visitor.send(page, "/pages/password", present=PASSWORD, new=OTHER, repeated=OTHER)
    assert (page.path, "口令已修改" in page.text) == ("/pages", True)
    assert elsewhere.open("/pages").status == 401


def test_signing_out_ends_the_session_and_everywhere_ends_every_one(city: LiveCity) -> None:
    account_id = person(city, "auditor")
    first, second, third = (Visitor(city) for _ in range(3))
    for one in (first, second, third):
        one.sign_in(account_id)
    token = first.session or ""
    page = first.send(first.open("/pages"), "/pages/sign-out")
    assert (page.path, first.session) == ("/pages/sign-in", None)
    refused(401, "unauthenticated", city.client(Authorization=f"Bearer {token}").get("/v1/sessions/current"))
    page = second.open("/pages")
    fields = page.forms[-1].fields
    assert fields["everywhere"] == "yes"
    second.post("/pages/sign-out", fields)
    assert third.open("/pages").status == 401


def test_the_api_knows_nothing_of_the_cookie_and_the_pages_nothing_of_a_header(city: LiveCity) -> None:
    visitor = Visitor(city)
    visitor.sign_in(person(city, "auditor"))
    assert visitor.open("/pages").status == 200
    refused(401, "unauthenticated", visitor.client.get("/v1/sessions/current"))
    refused(401, "unauthenticated", visitor.client.get("/v1/log/entries"))
    with_header = Visitor(city, Authorization=f"Bearer {visitor.session}")
    expect(200, with_header.client.get("/v1/sessions/current"))
    assert with_header.open("/pages").status == 401
    system = Visitor(city)
    system.client.cookies.set("seal-session", city.operator.headers["authorization"].removeprefix("Bearer "))
    assert system.open("/pages").status == 401


def test_a_form_of_another_site_or_browser_is_refused(city: LiveCity) -> None:
    """CSRF: by the token that is bound to the session, and by what the browser says of where the form was."""
    visitor, other = Visitor(city), Visitor(city)
    account_id = person(city, "auditor")
    visitor.sign_in(account_id)
    other.sign_in(account_id)
    form = visitor.open("/pages").forms[0].fields
    theirs = other.open("/pages").forms[0].fields
    wrong = (
        {"everywhere": "yes"},
        {"form_token": ""},
        {"form_token": "é"},
        theirs,
        {"form_token": token_digest(visitor.session or "")},
    )
    for fields in wrong:
        page = Page(visitor.post("/pages/sign-out", dict(fields)))
        assert (page.status, "表单已失效或来源不符" in page.text) == (403, True)
    for headers in (
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        page = Page(visitor.post("/pages/sign-out", form, **headers))
        assert (page.status, "表单已失效或来源不符" in page.text) == (403, True)
    answer = visitor.client.post("/pages/sign-out", json=form)
    assert answer.status_code == 415
    assert Page(visitor.client.post("/pages/sign-out", content=b"\xff", headers=_FORM)).status == 400
    many = "&".join(f"f{one}=" for one in range(30))
    assert Page(visitor.client.post("/pages/sign-out", content=many, headers=_FORM)).status == 400
    large = Page(visitor.client.post("/pages/sign-out", content="a" * (16 * 1024 + 1), headers=_FORM))
    assert (large.status, "请求内容过大" in large.text) == (413, True)
    assert visitor.open("/pages").status == 200, "nothing of that ended the session"
    assert Page(visitor.post("/pages/sign-out", form, **{"Sec-Fetch-Site": "same-origin"})).path == "/pages/sign-in"


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_nobody_is_signed_in_by_another_site(city: LiveCity) -> None:
    """Login CSRF: the form of the way in is bound to the browser that opened it."""
    account_id = person(city, "auditor")
    theirs = Visitor(city).open("/pages/sign-in").form("/pages/sign-in").fields
    visitor = Visitor(city)
    visitor.open("/pages/sign-in")
    page = Page(visitor.post("/pages/sign-in", theirs | {"account": account_id, "password": PASSWORD}))
    assert page.status == 403
    assert visitor.session is None


def test_a_session_that_was_planted_is_not_the_one_that_is_opened(city: LiveCity) -> None:
    """Session fixation: signing in always makes a new session; what the browser brought is no one's."""
    mine = Visitor(city)
    mine.sign_in(person(city, "auditor", name="攻击者"))
    victim = Visitor(city)
    victim.client.cookies.set("seal-session", mine.session or "", domain="127.0.0.1", path="/")
    page = victim.sign_in(person(city, "auditor", name="受害者"))
    assert "受害者" in page.text
    assert victim.session not in (None, mine.session)
    assert "攻击者" in mine.open("/pages").text
    waiting = Visitor(city)
    waiting.client.cookies.set("seal-challenge", "ss_planted.totp", domain="127.0.0.1", path="/")
    page = waiting.open("/pages/sign-in/second-factor")
    assert waiting.send(page, page.path, code="123456").status == 401


@pytest.fixture
def secure_city(tmp_path: Path) -> Iterator[LiveCity]:
    with live_city(tmp_path / "home", pages_url="https://seal.example") as served:
        yield served


def test_over_tls_cookies_are_this_hosts_alone_and_no_scripts(secure_city: LiveCity) -> None:
    city = secure_city
    account_id = person(city, "auditor")
    answer = city.public.get("/pages/sign-in")
    browser = answer.headers["set-cookie"]
    assert re.fullmatch(r"__Host-seal-browser=[A-Za-z0-9_-]{43}; HttpOnly; Path=/; SameSite=lax; Secure", browser), (
        browser
    )
    kept = {"Cookie": browser.partition(";")[0]}
    fields = Page(answer).form("/pages/sign-in").fields | {"account": account_id, "password": PASSWORD}
    wrong = city.public.post("/pages/sign-in", data=fields, headers=kept | {"Origin": city.url})
    assert wrong.status_code == 403, "the pages' address is the one that is set"
    answer = city.public.post("/pages/sign-in", data=fields, headers=kept | {"Origin": "https://seal.example"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/pages")
    session = next(one for one in answer.headers.get_list("set-cookie") if "seal-session" in one)
    assert re.fullmatch(r"__Host-seal-session=ss_[A-Za-z0-9_-]{43}; HttpOnly; Path=/; SameSite=lax; Secure", session)
    token = session.partition(";")[0].partition("=")[2]
    unprefixed = city.public.get("/pages", headers={"Cookie": f"seal-session={token}"})
    assert unprefixed.status_code == 401, "only the name that the browser protects"
    assert city.public.get("/pages", headers={"Cookie": f"__Host-seal-session={token}"}).status_code == 200


def test_in_production_cookies_go_over_tls_whatever_is_set(tmp_path: Path) -> None:
    chosen = Settings(home=tmp_path, keys=tmp_path / "keys", profile=Profile.PRODUCTION, allow_software_keys=True)
    bootstrap.initialise(chosen)
    with serving(bootstrap.build(chosen)) as url:
        assert "__Host-seal-browser" in httpx.get(f"{url}/pages/sign-in").headers["set-cookie"]


@pytest.mark.parametrize("path", ["/pages", "/pages/sign-in", "/pages/seal-status", "/pages/nothing", "/pages/seals/1"])
def test_every_page_forbids_scripts_frames_and_caches(shared_city: LiveCity, path: str) -> None:
    answer = shared_city.public.get(path)
    policy = answer.headers["content-security-policy"]
    for part in ("default-src 'none'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'"):
        assert part in policy
    assert "script-src" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert '<html lang="zh-CN">' in answer.text
    assert "<script" not in answer.text
    assert " style=" not in answer.text
    assert re.findall(r'(?:href|src)="(?!/pages|#)', answer.text) == [], "nothing is fetched from elsewhere"
    labelled = set(re.findall(r'<label for="([^"]+)"', answer.text))
    inputs = re.findall(r"<input (?!type=\"hidden\")[^>]*>", answer.text)
    assert {re.search('id="([^"]+)"', one)[1] for one in inputs} == labelled  # type: ignore[index]


def test_the_style_sheet_is_the_only_thing_beside_the_pages(shared_city: LiveCity) -> None:
    answer = shared_city.public.get("/pages/static/style.css")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")
    for path in ("/pages/static/../templates/base.html", "/pages/static/%2e%2e/app.py", "/pages/static/"):
        assert shared_city.public.get(path).status_code == 404


def test_an_address_of_no_page_is_told_as_a_page_and_elsewhere_as_ever(shared_city: LiveCity) -> None:
    page = Page(shared_city.public.get("/pages/nothing"))
    assert (page.status, "地址不存在" in page.text) == (404, True)
    answer = shared_city.public.delete("/pages/sign-in")
    assert (Page(answer).status, answer.headers["allow"]) == (405, "GET, POST")
    refused(404, "no-such-address", shared_city.public.get("/nothing"))


@pytest.mark.parametrize(
    "query", ["?next=https://elsewhere.example", "?done=https://elsewhere.example", "?done=out&return_to=//elsewhere"]
)
def test_no_address_comes_from_a_request(city: LiveCity, query: str) -> None:
    """Open redirects: where somebody is sent is never what a link said."""
    account_id = person(city, "auditor")
    visitor = Visitor(city)
    page = visitor.open(f"/pages/sign-in{query}")
    assert "elsewhere" not in page.source
    fields = page.form("/pages/sign-in").fields | {"account": account_id, "password": PASSWORD}
    answer = httpx.post(
        f"{city.url}/pages/sign-in{query}",
        data=fields,
        headers={"Origin": city.url, "Cookie": f"seal-browser={visitor.client.cookies['seal-browser']}"},
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/pages")


def test_anyone_looks_up_a_seal_by_code_and_name(shared_office: LiveOffice) -> None:
    visitor = Visitor(shared_office.city)
    page = visitor.open("/pages/seal-status", code=shared_office.code, name=shared_office.seal["name"])
    assert "正常使用" in page.of_id["state"]
    assert shared_office.unit["name"] in page.text
    page = visitor.open("/pages/seal-status", code=shared_office.code, name="别的名称")
    assert (page.status, "印章不存在" in page.text) == (404, True)

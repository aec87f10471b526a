"""Somebody with a browser that runs no script: follows links and redirects, keeps cookies, fills in forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

from seal_service.domain.access import Caller, Role
from seal_service.usecases.reset_password import ResetPassword
from tests.live import LiveCity, expect

PASSWORD = "七月流火-九月授衣-一之日"


@dataclass
class Form:
    """A form as it stands on a page: where it goes, and the fields with their values."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.text: list[str] = []
        self.of_id: dict[str, str] = {}
        self.links: list[str] = []
        self._ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given["action"], given["method"]))
        if tag == "a":
            self.links.append(given["href"])
        if tag == "input" and given.get("type") != "checkbox" and "name" in given:
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        if "id" in given and tag not in ("input", "main"):
            self._ids.append(given["id"])
            self.of_id[given["id"]] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("p", "code", "dd"):
            self._ids.clear()

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        for one in self._ids:
            self.of_id[one] += data


class Page:
    """What a browser shows."""

    def __init__(self, answer: httpx.Response) -> None:
        assert answer.headers["content-type"] == "text/html; charset=utf-8", answer.text
        read = _Reader()
        read.feed(answer.text)
        self.answer, self.status, self.source = answer, answer.status_code, answer.text
        self.path = answer.url.path
        self.text = " ".join(" ".join(read.text).split())
        self.forms, self.links, self.of_id = read.forms, read.links, read.of_id

    def form(self, action: str) -> Form:
        """The one that goes there."""
        return next(one for one in self.forms if one.action == action)


class Visitor:
    """A browser at an instance."""

    def __init__(self, city: LiveCity, **headers: str) -> None:
        self.city = city
        self.client = httpx.Client(base_url=city.url, timeout=60, follow_redirects=True, headers=headers)
        city.clients.append(self.client)

    def open(self, path: str, **query: str) -> Page:
        """A page."""
        return Page(self.client.get(path, params=query or None))

    def send(self, page: Page, action: str, **fields: str) -> Page:
        """Fill in a page's form and send it as a browser does."""
        return Page(self.post(action, page.form(action).fields | fields))

    def post(self, action: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """A form with these fields, from a page of the instance unless the headers say another."""
        return self.client.post(action, data=fields, headers={"Origin": self.city.url} | headers)

    def sign_in(self, account: str, password: str = PASSWORD) -> Page:
        """By account and password."""
        page = self.open("/pages/sign-in")
        return self.send(page, "/pages/sign-in", account=account, password=password)

    @property
    def session(self) -> str | None:
        """The cookie of the session."""
        return self.client.cookies.get("seal-session")


def new_person(city: LiveCity, *roles: str, name: str = "张某", unit_id: str | None = None) -> tuple[str, str]:
    """An account's id, and the password that was handed out for it."""
    body = {"name": name, "roles": list(roles), "unit_id": unit_id}
    created = expect(201, city.security.post("/v1/accounts", json=body))
    city.confirm(created["request_id"])
    account_id = str(created["id"])
    if Role.SECURITY_ADMINISTRATOR in roles:  # at the machine, as `seal password recover`
        operator = Caller(account_id="operator", name="运维", roles=frozenset({Role.SYSTEM_OPERATOR}))
        command = ResetPassword(account_id=account_id)
        return account_id, city.service.people.recover_administrator(operator, command).password
    given = expect(201, city.security.post(f"/v1/accounts/{account_id}/password-reset", json={}))
    return account_id, str(given["password"])


def person(city: LiveCity, *roles: str, name: str = "张某", unit_id: str | None = None) -> str:
    """The account of somebody who has changed that password."""
    account_id, given = new_person(city, *roles, name=name, unit_id=unit_id)
    body = {"account": account_id, "password": given}
    token = expect(201, city.public.post("/v1/sessions", json=body))["token"]
    session = city.client(Authorization=f"Bearer {token}")
    changed = session.put("/v1/sessions/current/password", json={"present": given, "new": PASSWORD})
    assert changed.status_code == 204, changed.text
    assert session.delete("/v1/sessions/current").status_code == 204
    return account_id

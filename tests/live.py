"""The HTTP door of a real instance on a real socket, and clients with the credentials of a city's offices."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from seal_service import bootstrap
from seal_service.asgi import compose
from seal_service.bootstrap import Service
from seal_service.config import Settings
from seal_service.usecases.initialise import Initialised
from tests.city import credit_code

EXAMPLES = Path(__file__).parents[1] / "examples"
IMPRESSION = EXAMPLES / "impressions" / "government-service-office.png"
QUERY_IMPRESSION = EXAMPLES / "impressions" / "certificate-query.png"
DOCUMENT = EXAMPLES / "regulation.pdf"
SCENARIO = "license.issue"


@dataclass
class ShiftedClock:
    """The machine's time, put forward."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        """Now, and as much later as it was put forward."""
        return datetime.now(UTC) + self.ahead

    def forward(self, by: timedelta) -> None:
        """Put forward."""
        self.ahead += by


@contextmanager
def serving(service: Service, port: int = 0) -> Iterator[str]:
    """The service behind uvicorn on a port of this machine, a free one unless it is named; its address."""
    config = uvicorn.Config(
        compose(service), host="127.0.0.1", port=port, log_level="warning", ws="none", proxy_headers=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.005)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@dataclass
class LiveCity:
    """An instance that serves HTTP, its clock, and what was done there so far."""

    url: str
    service: Service
    clock: ShiftedClock
    operator_credentials: Initialised
    clients: list[httpx.Client] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.public = self.client()
        self.log_in()

    def log_in(self) -> None:
        """The operator and the two security administrators, with fresh tokens."""
        first = self.operator_credentials
        self.operator = self.logged_in(first.account_id, first.secret)
        self.security, self.second = (
            self.logged_in(one.account_id, one.secret) for one in first.security_administrators
        )

    def client(self, **headers: str) -> httpx.Client:
        """A client of this instance."""
        client = httpx.Client(base_url=self.url, headers=headers, timeout=60)
        self.clients.append(client)
        return client

    def logged_in(self, client_id: str, secret: str) -> httpx.Client:
        """A client with an access token, had as a client has it."""
        form = {"grant_type": "client_credentials"}
        answer = self.public.post("/oauth2/token", data=form, auth=(client_id, secret))
        assert answer.status_code == 200, answer.text
        return self.client(Authorization=f"Bearer {answer.json()['access_token']}")

    def account(self, name: str, *roles: str, unit_id: str | None = None) -> tuple[str, httpx.Client]:
        """A new account's id, and a client with its credentials."""
        body = {"name": name, "roles": list(roles), "unit_id": unit_id}
        created = expect(201, self.security.post("/v1/accounts", json=body))
        self.confirm(created["request_id"])
        return created["id"], self.logged_in(created["id"], created["client_secret"])

    def confirm(self, request_id: str) -> dict[str, Any]:
        """The second security administrator confirms what takes two people."""
        return expect(200, self.second.post(f"/v1/controlled-acts/{request_id}/confirmation"))

    def unit(self, maker: httpx.Client, number: int = 1, **fields: Any) -> dict[str, Any]:
        """A registered unit."""
        body = {
            "name": f"示例市第{number}局",
            "unit_type": "department",
            "credit_code": credit_code(number),
            "area_code": "999900",
            **fields,
        }
        return expect(201, maker.post("/v1/units", json=body))


@dataclass
class LiveOffice:
    """A unit with its keeper, its business system, the making office, an auditor and an active, granted seal."""

    city: LiveCity
    grant_fields: dict[str, Any] = field(default_factory=dict)
    number: int = 1
    """Of its unit."""
    unit_fields: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _, self.maker = self.city.account("制发部门", "seal_maker")
        _, self.auditor = self.city.account("审计", "auditor")
        self.unit = self.city.unit(self.maker, self.number, **self.unit_fields)
        _, self.keeper = self.city.account("用印管理", "unit_administrator", unit_id=self.unit["id"])
        self.system_id, self.system = self.city.account("政务平台", "business_system", unit_id=self.unit["id"])
        self.application = expect(201, submit(self.keeper, self.unit))
        path = f"/v1/applications/{self.application['id']}/decision"
        expect(200, self.maker.post(path, json={"decision": "approve"}))
        self.seal = expect(201, self.maker.post("/v1/seals", json={"application_id": self.application["id"]}))
        self.code: str = self.seal["code"]
        self.grant = expect(201, self.give_grant(**self.grant_fields))

    def scenario(self, code: str, **fields: Any) -> None:
        """Register a scenario, unless it is; its approval is set aside for a named process unless a test says not."""
        waiver = {"waived_for": "政务服务平台审批流程", "waiver_number": "示政办〔2026〕3号"}
        answer = self.maker.post("/v1/scenarios", json={"code": code, "name": code, **waiver, **fields})
        assert answer.status_code in (201, 409), answer.text

    def give_grant(self, *, kind: str = "approval", **fields: Any) -> httpx.Response:
        """Let the business system apply the seal; the scenario is registered, unless it is."""
        self.scenario(fields.get("scenario", SCENARIO), kind=kind)
        body = {
            "seal_code": self.code,
            "grantee_id": self.system_id,
            "scenario": SCENARIO,
            "responsible_person": "样某",
            "approval_number": "示例〔2026〕1号",
            **fields,
        }
        return self.keeper.post("/v1/grants", json=body)

    def person(self, person_id: str, name: str) -> None:
        """人员登记: whom the system may name as 签章人."""
        people = f"/v1/units/{self.unit['id']}/people"
        expect(201, self.keeper.post(people, json={"id": person_id, "name": name}))

    def use(
        self,
        key: str,
        content: bytes | None = None,
        client: httpx.Client | None = None,
        accept: str = "*/*",
        **query: Any,
    ) -> httpx.Response:
        """Apply the seal to a raw PDF."""
        return (client or self.system).post(
            f"/v1/seals/{self.code}/uses",
            content=DOCUMENT.read_bytes() if content is None else content,
            params={"scenario": SCENARIO, **query},
            headers={"Content-Type": "application/pdf", "Idempotency-Key": key, "Accept": accept},
        )

    def use_multipart(self, key: str, content: bytes, **fields: Any) -> httpx.Response:
        """Apply the seal by a multipart request."""
        return self.system.post(
            f"/v1/seals/{self.code}/uses",
            files={
                "document": ("批复.pdf", content, "application/pdf"),
                "request": (None, json.dumps({"scenario": SCENARIO, **fields}), "application/json"),
            },
            headers={"Idempotency-Key": key},
        )


def submit(client: httpx.Client, unit: dict[str, Any], picture: bytes | None = None, **fields: Any) -> httpx.Response:
    """印章申请 by a multipart request; with `application_id`, a revision."""
    path, method = "/v1/applications", "POST"
    if "application_id" in fields:
        path, method = f"{path}/{fields.pop('application_id')}", "PUT"
    request = {
        "unit_name": unit["name"],
        "unit_type": unit["unit_type"],
        "credit_code": unit["credit_code"],
        "seal_name": f"{unit['name']}样章",
        "seal_type": "01",
        "width_mm": 40,
        "height_mm": 40,
        **fields,
    }
    content = IMPRESSION.read_bytes() if picture is None else picture
    parts: dict[str, tuple[str | None, str | bytes, str]] = {
        "request": (None, json.dumps(request), "application/json"),
        "picture": ("实物印模.png", content, "image/png"),
    }
    return client.request(method, path, files=parts)


def expect(status: int, answer: httpx.Response) -> dict[str, Any]:
    """The answer's JSON, if it has the status."""
    assert answer.status_code == status, f"{answer.request.method} {answer.request.url}: {answer.text}"
    body: dict[str, Any] = answer.json()
    return body


def refused(status: int, code: str, answer: httpx.Response) -> dict[str, Any]:
    """The problem that the answer is, if it has the status and the type."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = expect(status, answer)
    assert body["type"] == f"urn:seal:problem:{code}"
    assert body["status"] == status
    return body


@contextmanager
def live_city(home: Path, port: int = 0, **settings: Any) -> Iterator[LiveCity]:
    """A fresh instance that serves HTTP; its clock can be put forward."""
    values = {"requests_per_minute": 1_000_000} | settings
    chosen = Settings(home=home, keys=home / "keys", **values)
    clock = ShiftedClock()
    operator = bootstrap.initialise(chosen, clock=clock)
    service = bootstrap.build(chosen, clock=clock)
    with serving(service, port) as url:
        city = LiveCity(url, service, clock, operator)
        try:
            yield city
        finally:
            for client in city.clients:
                client.close()


def in_the_next_second() -> None:
    """Wait for it: what a CRL tells of a moment is its second, so that a hold counts from the second's beginning.

    RFC 5280, 5.1.2.6: no fractions. So a seal of the very second in which its loss is reported is not valid.
    """
    time.sleep(1.01 - time.time() % 1)

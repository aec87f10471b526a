"""What the public door gives away and lets itself be made to hold: logs, memory, time, rates, names."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from seal_service.api.app import create_app
from seal_service.api.bodies import BodyBudget
from tests.live import DOCUMENT, LiveCity, LiveOffice, live_city, refused
from tests.log_lines import log_lines

FORM = {"grant_type": "client_credentials"}
PERSONAL: dict[str, Any] = {"operator_id": "U-7788", "operator_name": "李样例", "case_number": "CASE-4711"}
FIELDS = {
    "time",
    "level",
    "logger",
    "event",
    "request_id",
    "method",
    "route",
    "status",
    "milliseconds",
    "pid",
    "worker",
}


def test_the_access_log_has_one_line_a_request_without_query_or_path_values(
    shared_office: LiveOffice,
) -> None:
    """个人信息: who asked for what is in the signing log as commitments, not in the server's log in the clear."""
    office, public = shared_office, shared_office.city.public
    office.person(PERSONAL["operator_id"], PERSONAL["operator_name"])
    with log_lines("seal_service.access") as told:
        used = office.use("exposure-1", **PERSONAL)
        assert used.status_code == 201
        office.use("exposure-2", operator_name="李样例")
        public.get("/unknown/李样例?operator_name=李样例", headers={"X-Request-ID": "asked-1"})
        public.get(f"/v1/public/seals/{office.code}", params={"name": office.seal["name"]})
    assert all(set(one) == FIELDS and one["event"] == "request" for one in told), told
    assert [(one["method"], one["route"], one["status"]) for one in told] == [
        ("POST", "/v1/seals/{seal_code}/uses", 201),
        ("POST", "/v1/seals/{seal_code}/uses", 422),
        ("GET", "none", 404),
        ("GET", "/v1/public/seals/{seal_code}", 200),
    ]
    assert told[0]["request_id"] == used.headers["x-request-id"]
    assert told[2]["request_id"] == "asked-1"
    text = json.dumps(told, ensure_ascii=False)
    assert not any(value in text for value in (*PERSONAL.values(), office.code, "127.0.0.1", "%E6"))


def test_half_an_operator_is_a_problem_that_names_the_field(shared_office: LiveOffice) -> None:
    """签章人: nobody is silently replaced by the grant's responsible person, or named by an id."""
    office, content = shared_office, DOCUMENT.read_bytes()
    halves: tuple[tuple[dict[str, Any], str], ...] = (
        ({"operator_name": "李样例"}, "operator_id"),
        ({"operator_department": "一科"}, "operator_id"),
        ({"operator_id": "U-7788"}, "operator_name"),
    )
    for fields, missing in halves:
        for answer in (office.use("exposure-3", **fields), office.use_multipart("exposure-3", content, **fields)):
            assert refused(422, "invalid-input", answer)["field"] == missing


def test_text_that_is_no_unicode_is_refused(shared_office: LiveOffice) -> None:
    office, content = shared_office, DOCUMENT.read_bytes()
    for field in ("case_number", "document_name"):
        refused(422, "invalid-request", office.use_multipart("exposure-4", content, **{field: "a\ud800"}))
    body = b'{"name": "a\\ud800", "roles": ["auditor"]}'
    headers = {"Content-Type": "application/json"}
    refused(422, "invalid-request", office.city.security.post("/v1/accounts", content=body, headers=headers))


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+08:00"])
def test_times_at_the_ends_of_the_calendar_are_answered_or_refused(shared_office: LiveOffice, at: str) -> None:
    office = shared_office
    sealed = office.use("exposure-5")
    headers = {"Content-Type": "application/pdf"}
    verified = office.city.public.post("/v1/verifications", params={"at": at}, content=sealed.content, headers=headers)
    listed = office.auditor.get("/v1/log/entries", params={"since": at, "until": at})
    granted = office.give_grant(valid_from=at, valid_until=at)
    for answer in (verified, listed, granted):
        assert answer.status_code in (200, 201, 400, 409, 422), answer.text


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[LiveCity]:
    """An instance that holds at most two documents of 100 000 bytes, the public one."""
    with live_city(tmp_path / "home", document_bytes=100_000, worker_threads=1) as city:
        yield city


def test_unfinished_uploads_of_the_public_do_not_fill_the_memory(narrow: LiveCity) -> None:
    document = b"%PDF-1.7\n" + bytes(98_000)
    headers = {"Content-Type": "application/pdf"}
    with ExitStack() as connections:
        waiting = 0
        while _is_taken_in(connections.enter_context(_unfinished(narrow.url, document))):
            waiting += 1
        assert waiting == 3, "half of two documents, of which the first 64 KiB each are not counted"
        answer = narrow.public.post("/v1/verifications", content=document, headers=headers)
        told = refused(503, "overloaded", answer)
        assert told["detail"].startswith("Too many documents")
        assert answer.headers["retry-after"] == "5"
        assert narrow.public.get("/healthz").status_code == 200
        known = narrow.operator_credentials
        auth = (known.account_id, known.secret)
        assert narrow.public.post("/oauth2/token", data=FORM, auth=auth).status_code == 200
    for _ in range(100):
        answer = narrow.public.post("/v1/verifications", content=document, headers=headers)
        if answer.status_code == 200:
            break
    assert answer.status_code == 200, "what the closed connections held is free again"


def _unfinished(url: str, content: bytes) -> socket.socket:
    """A connection that has sent a document but for its last byte."""
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname or "", address.port or 0))
    fields = f"Host: x\r\nContent-Type: application/pdf\r\nContent-Length: {len(content) + 1}"
    connection.sendall(f"POST /v1/verifications HTTP/1.1\r\n{fields}\r\n\r\n".encode() + content)
    return connection


def _is_taken_in(connection: socket.socket) -> bool:
    """Whether the server waits for the rest, and has not refused what came."""
    connection.settimeout(1)
    try:
        assert connection.recv(100).startswith(b"HTTP/1.1 503 ")
    except TimeoutError:
        return True
    return False


@pytest.mark.parametrize(("path", "media_type"), [("/v1/verifications", "application/pdf"), ("/oauth2/token", "a/b")])
def test_a_body_that_does_not_come_is_given_up(shared_city: LiveCity, path: str, media_type: str) -> None:
    app = create_app(shared_city.service)
    app.state.bodies = BodyBudget(1 << 20, seconds=0.2)

    async def trickling() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x"
            await asyncio.sleep(0.05)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://seal.example") as client:
            return await client.post(path, content=trickling(), headers={"Content-Type": media_type})

    answer = asyncio.run(ask())
    assert "0.2 seconds" in refused(408, "request-timeout", answer)["detail"]
    assert answer.headers["connection"] == "close"
    assert app.state.bodies.held == 0


def test_each_purpose_of_the_public_has_its_own_rate(tmp_path: Path) -> None:
    """Who asks for status cannot keep others from tokens, revocation data or readiness behind the same address."""
    with live_city(tmp_path / "home", requests_per_minute=50) as city:
        known, public = city.operator_credentials, city.public
        while public.get("/v1/public/seals/99990000000001?name=x").status_code != 429:
            pass
        limited: dict[str, httpx.Response] = {}
        for path in ("/pki/root.crl", "/readyz"):
            answers = [public.get(path) for _ in range(6)]
            assert [one.status_code for one in answers] == [200] * 5 + [429], path
            limited[path] = answers[-1]
        assert all(refused(429, "too-many-requests", one)["status"] == 429 for one in limited.values())
        assert public.get("/healthz").status_code == 200

        def ask(client_id: str, secret: str) -> int:
            return public.post("/oauth2/token", data=FORM, auth=(client_id, secret)).status_code

        assert [ask("somebody", "wrong") for _ in range(6)] == [401] * 5 + [429]
        assert ask(known.account_id, known.secret) == 200, "another client of the same address"
        by_address = [ask(f"client-{number}", "wrong") for number in range(8)]
        assert by_address[-1] == 429, "all clients of an address together"

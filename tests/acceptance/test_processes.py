"""Several processes serve one instance; they end in an orderly way; what dies is replaced."""

from __future__ import annotations

import os
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from seal_service import bootstrap
from seal_service.config import Settings
from seal_service.domain.access import Caller, Role
from seal_service.domain.events import EventKind
from seal_service.domain.paging import PageRequest
from seal_service.domain.use import UseState
from seal_service.ports.reading import LogFilter
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.read_use import ListUses
from tests.live import DOCUMENT, SCENARIO, LiveOffice, live_city, refused
from tests.metrics import Scrape
from tests.postgresql import postgresql_settings
from tests.served import Served, served

THREADS = 8
PDF = DOCUMENT.read_bytes()
WHOLE_ANSWERS = {201, 409, 500, 503}


@dataclass
class Instance:
    """An instance with an office that may apply its seal, and nobody who serves it."""

    home: Path
    settings: dict[str, Any]
    code: str
    bearer: str
    operator: dict[str, str]

    def use(self, url: str, key: str) -> httpx.Response:
        """Apply the seal, over a connection of its own."""
        return httpx.post(
            f"{url}/v1/seals/{self.code}/uses",
            content=PDF,
            params={"scenario": SCENARIO},
            headers={"Authorization": self.bearer, "Content-Type": "application/pdf", "Idempotency-Key": key},
            timeout=60,
        )

    def states(self) -> dict[str, list[UseState]]:
        """How every use ended, told by a process that was not there; each has its two entries in the log."""
        service = bootstrap.build(Settings(home=self.home, keys=self.home / "keys", **self.settings))
        try:
            auditor = Caller(account_id="auditor", name="audit", roles=frozenset({Role.AUDITOR}))
            ended: dict[str, list[UseState]] = {}
            page: PageRequest | None = PageRequest(limit=500)
            while page is not None:
                listed = service.list_uses(auditor, ListUses(seal_code=self.code, page=page))
                for one in listed.items:
                    ended.setdefault(one.idempotency_key, []).append(one.state)
                    kind = EventKind.SEAL_COMPLETED if one.state is UseState.COMPLETED else EventKind.SEAL_FAILED
                    chosen = LogFilter(use_id=one.id)
                    entries = service.query_log(auditor, QueryLog(chosen=chosen)).page.items
                    assert sorted(entry.kind for entry in entries) == sorted([EventKind.SEAL_INTENT, kind])
                page = PageRequest(limit=500, cursor=listed.next_cursor) if listed.next_cursor else None
        finally:
            service.close()
        return ended


@pytest.fixture(params=["sqlite", "postgresql"])
def instance(tmp_path: Path, request: pytest.FixtureRequest) -> Instance:
    """An instance on each engine."""
    return made(tmp_path / "home", postgresql_settings("processes") if request.param == "postgresql" else {})


@pytest.fixture
def any_instance(tmp_path: Path) -> Instance:
    """An instance for what does not hang on the engine."""
    return made(tmp_path / "home", {})


def made(home: Path, settings: dict[str, Any]) -> Instance:
    """A new instance."""
    with live_city(home, **settings) as city:
        office = LiveOffice(city)
        first = city.operator_credentials
        return Instance(
            home,
            settings,
            office.code,
            office.system.headers["Authorization"],
            {"SEAL_CLIENT_ID": first.account_id, "SEAL_CLIENT_SECRET": first.secret},
        )


def verified(server: Served, content: bytes) -> str:
    """The indication of the public's verification."""
    headers = {"Content-Type": "application/pdf", "Accept": "application/json"}
    answer = httpx.post(f"{server.url}/v1/verifications", content=content, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text
    indication: str = answer.json()["indication"]
    return indication


def is_alive(pid: int) -> bool:
    """Whether there is such a process, that is no zombie."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def half_a_request(server: Served) -> socket.socket:
    """A connection with a request that will not end by itself, and that the server has begun to work on."""
    address = httpx.URL(server.url)
    connection = socket.create_connection((address.host, address.port or 0), timeout=60)
    fields = "Host: x\r\nContent-Type: application/pdf\r\nContent-Length: 9\r\n"
    connection.sendall(f"POST /v1/verifications HTTP/1.1\r\n{fields}\r\nhalf".encode())
    server.until(lambda: server.scrape().value("seal_http_requests_in_flight") == 2, "the request is under way")
    return connection


def test_two_processes_apply_one_seal_and_are_measured_as_one(instance: Instance) -> None:
    """Eight clients at once: every document is whole, both processes served, their numbers are one sum."""
    with served(instance.home, 2, **instance.settings) as server:
        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(lambda key: instance.use(server.url, f"together-{key}"), range(3 * THREADS)))
        assert [one.status_code for one in answers] == [201] * len(answers)
        assert len({one.content for one in answers}) == len(answers)
        assert {verified(server, one.content) for one in answers[::4]} == {"TOTAL_PASSED"}

        used = [one for one in server.said("request") if one["route"].endswith("/uses") and one["status"] == 201]
        assert len(used) == len(answers)
        assert {one["pid"] for one in used} == set(server.workers()), "both served"
        scrapes: list[Scrape] = []

        def both_told() -> bool:
            scrapes.append(server.scrape())
            return len({one["pid"] for one in server.said("request") if one["route"] == "/metrics"}) == 2

        server.until(both_told, "both told the numbers")
        for told in scrapes:
            assert told.total("seal_uses_total", result="completed") == len(answers)
            assert told.value("seal_use_step_seconds_count", step="complete") == len(answers)
            assert told.value("seal_processes") == 2
        (maintenance,) = server.said("maintenance began")
        assert maintenance["worker"] == "main", "once, beside all workers"
        assert server.stopped_by(signal.SIGTERM) == 0
        assert server.unread == []
    assert instance.states() == {f"together-{key}": [UseState.COMPLETED] for key in range(3 * THREADS)}


def test_a_process_that_dies_is_replaced_and_what_it_counted_stays(instance: Instance) -> None:
    with served(instance.home, 2, **instance.settings) as server:
        for key in range(4):
            assert instance.use(server.url, f"before-{key}").status_code == 201
        dead = server.workers()[0]
        os.kill(dead, signal.SIGKILL)
        server.until(lambda: server.said("a worker died and was replaced"), "the parent noticed")
        server.until(lambda: len(server.workers()) == 3, "another one has begun")
        server.until(lambda: server.scrape().value("seal_processes") == 2, "both are measured")
        assert not is_alive(dead)
        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(lambda key: instance.use(server.url, f"after-{key}"), range(THREADS)))
        assert {one.status_code for one in answers} == {201}
        told = server.scrape()
        assert told.total("seal_uses_total", result="completed") == 4 + THREADS
        assert told.value("seal_http_requests_in_flight") == 1
        assert server.stopped_by(signal.SIGTERM) == 0


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "number"), [(1, signal.SIGTERM), (2, signal.SIGTERM), (2, signal.SIGINT)])
def test_a_server_that_is_stopped_under_load_leaves_nothing_half_done(
    instance: Instance, workers: int, number: signal.Signals
) -> None:
    """Every answer is a whole document or a clean refusal; afterwards every use has ended, and its end is logged."""
    released: dict[str, bytes] = {}
    enough, odd = threading.Event(), list[str]()

    def apply(thread: int) -> None:
        for turn in range(1000):
            key = f"{thread}-{turn}"
            try:
                answer = instance.use(server.url, key)
            except httpx.TransportError:  # the connection was closed, or is not taken any more
                if server.process.poll() is not None or server.refuses():
                    return
                continue
            if answer.status_code == 201:
                released[key] = answer.content
            elif answer.status_code not in WHOLE_ANSWERS:
                odd.append(f"{answer.status_code} {answer.text[:200]}")
            if len(released) >= 2 * THREADS:
                enough.set()

    with served(instance.home, workers, **instance.settings) as server:
        threads = [threading.Thread(target=apply, args=(number,)) for number in range(THREADS)]
        for one in threads:
            one.start()
        assert enough.wait(60)
        assert server.stopped_by(number) == 0, server.lines[-5:]
        for one in threads:
            one.join(60)
        assert odd == []
        assert server.unread == []
        assert not [one for one in server.lines if one["level"] in ("error", "critical")]
        # What is left is told by fresh processes: the states, then the check of every invariant.
        states = instance.states()
        assert {state for ended in states.values() for state in ended} <= {UseState.COMPLETED, UseState.FAILED}
        assert all(states[key] == [UseState.COMPLETED] for key in released)
        reconciled = server.command("reconcile", "--json", **instance.operator)
        assert reconciled.returncode == 0, reconciled.stderr
        assert '"abandoned": 0' in reconciled.stdout
        if "database_url" not in instance.settings:
            checked = server.command("db", "check", "--deep")
            assert checked.returncode == 0, checked.stdout + checked.stderr
    with served(instance.home, 1, **instance.settings) as again:
        assert {verified(again, content) for content in list(released.values())[-3:]} == {"TOTAL_PASSED"}
        unanswered = sorted(set(states) - set(released))
        for key in unanswered:  # who got no answer asks again, and gets the document or is told why not
            answer = instance.use(again.url, key)
            assert (answer.status_code == 200) == (states[key] == [UseState.COMPLETED])


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_that_is_stopping_takes_no_connection_and_ends_at_once_at_a_second_signal(
    any_instance: Instance, workers: int
) -> None:
    with served(any_instance.home, workers, shutdown_seconds=50, **any_instance.settings) as server:
        children = server.workers()
        with half_a_request(server):
            server.process.send_signal(signal.SIGTERM)
            server.until(server.refuses, "new connections are refused")
            assert server.process.poll() is None, "it waits for the request"
            assert server.stopped_by(signal.SIGTERM) == -signal.SIGTERM
            server.until(lambda: not any(is_alive(pid) for pid in children), "the workers are gone too")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_request_that_does_not_end_is_given_its_time_and_no_more(any_instance: Instance, workers: int) -> None:
    with (
        served(any_instance.home, workers, shutdown_seconds=1, **any_instance.settings) as server,
        half_a_request(server),
    ):
        assert server.stopped_by(signal.SIGTERM) == 0
        assert server.said("Cancel 1 running task")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_use_that_outlasts_its_client_still_ends_before_anything_is_closed(instance: Instance, workers: int) -> None:
    """It waits for an authority that does not answer; the time for requests is over; it is completed all the same."""
    with socket.create_server(("127.0.0.1", 0)) as authority, ThreadPoolExecutor(1) as pool:
        address = f'["http://127.0.0.1:{authority.getsockname()[1]}/"]'
        slow = {"timestamp_urls": address, "network_timeout_seconds": 50, "shutdown_seconds": 3}
        with served(instance.home, workers, **instance.settings, **slow) as server:
            observed, _ = authority.accept()
            observed.close()  # the maintenance looks whether it answers
            asking = pool.submit(instance.use, server.url, "outlasting")
            asked, _ = authority.accept()
            server.process.send_signal(signal.SIGTERM)
            server.until(lambda: server.said("Cancel 1 running task"), "the time for requests is over")
            asked.close()  # now the embedded authority is asked
            assert server.process.wait(60) == 0
            assert refused(503, "overloaded", asking.result(60))["detail"].startswith("The server is stopping")
            assert not [one for one in server.lines if one["level"] == "critical" or "exception" in one]
    assert instance.states() == {"outlasting": [UseState.COMPLETED]}


def test_workers_end_when_their_parent_is_gone(any_instance: Instance) -> None:
    with served(any_instance.home, 2, **any_instance.settings) as server:
        children = server.workers()
        assert server.stopped_by(signal.SIGKILL) == -signal.SIGKILL
        server.until(lambda: not any(is_alive(pid) for pid in children), "the workers are gone too")
        assert server.refuses()


def test_a_server_that_cannot_start_says_so_and_fails(any_instance: Instance) -> None:
    """A service that cannot serve must not look to its supervisor like one that was stopped."""
    for workers in ("1", "2"):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with served(any_instance.home, 1, **any_instance.settings) as server:
                refused = server.command("serve", "--port", str(taken.getsockname()[1]), "--workers", workers)
        assert refused.returncode == 2
        assert "listen" in refused.stderr

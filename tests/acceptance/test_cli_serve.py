"""seal serve: the HTTP service as a process, its maintenance, and the one shape of its answers and the commands'."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from seal_service import bootstrap
from seal_service.bootstrap import Guarded
from seal_service.config import Settings
from seal_service.domain.access import Caller, Permission
from seal_service.jobs.maintenance import Task, maintained, reconcile
from seal_service.usecases.reconcile import Reconcile, Reconciled
from tests.command_line import CommandLine, Office, Person
from tests.live import serving


def test_the_server_runs_until_it_is_told_to_stop(command_line: CommandLine) -> None:
    command_line.init()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "seal_service", "serve", "--port", str(port)],
        env={**os.environ, "SEAL_HOME": str(command_line.home), "SEAL_TRUSTED_PROXIES": '["127.0.0.1"]'},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        answer = _when_ready(f"http://127.0.0.1:{port}/readyz", server)
        assert answer.status_code == 200, answer.text
        assert answer.json()["ready"] is True
        _when_maintained(f"http://127.0.0.1:{port}/readyz")
        asked = {"operator_name": "PERSONAL-NAME", "case_number": "PERSONAL-CASE"}
        use = f"http://127.0.0.1:{port}/v1/seals/99990000000001/uses"
        assert httpx.post(use, params=asked, headers={"X-Request-ID": "case-1"}).status_code == 401
        first = _remaining(port, "192.0.2.1")
        assert _remaining(port, "192.0.2.1") < first
        assert _remaining(port, "192.0.2.2") == first, "behind a trusted proxy each client has its own rate"
    finally:
        server.send_signal(signal.SIGINT)
        _, told = server.communicate(timeout=60)
    assert server.returncode == 0
    lines = [json.loads(line) for line in told.splitlines()]
    assert any(f"http://127.0.0.1:{port}" in line["event"] for line in lines)
    assert {line["level"] for line in lines} == {"info"}, told
    noted = [line for line in lines if line["logger"] == "seal_service.access"]
    mine = [line for line in noted if line["request_id"] == "case-1"]
    assert [(one["method"], one["route"], one["status"]) for one in mine] == [
        ("POST", "/v1/seals/{seal_code}/uses", 401)
    ]
    assert {line["request_id"] for line in lines if "request_id" in line} == {one["request_id"] for one in noted}
    assert {line["logger"] for line in lines} == {
        "uvicorn.error",
        "seal_service.access",
        "seal_service.jobs.maintenance",
    }, "no second access log"
    assert "PERSONAL" not in told
    assert "99990000000001" not in told


def test_a_port_that_is_taken_is_said_before_anything_is_served(by_command: Office) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = by_command.at.refused("serve", "--port", str(port), code=2)
    assert str(port) in told


def _remaining(port: int, client: str) -> int:
    """Requests that a client, as the proxy names it, has left."""
    answer = httpx.get(f"http://127.0.0.1:{port}/pki/root.cer", headers={"X-Forwarded-For": client})
    return int(answer.headers["ratelimit"].split("r=")[1].split(";")[0])


@pytest.mark.parametrize("wrong", ["proxy.example", '["*"]', '["10.0.0.0/8"]', "10.0.0.1"])
def test_only_addresses_are_trusted_as_proxies(
    command_line: CommandLine, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("SEAL_TRUSTED_PROXIES", wrong)
    result = command_line.run("doctor")
    assert result.exit_code == 2
    assert "SEAL_TRUSTED_PROXIES" in result.stderr


def _when_maintained(address: str) -> None:
    """Readiness tells that the maintenance beside the server ran."""
    for _ in range(100):
        (told,) = (one for one in httpx.get(address).json()["dependencies"] if one["name"] == "maintenance")
        if told["age_seconds"] is not None:
            return
        time.sleep(0.1)
    raise AssertionError("nothing was reconciled")


def _when_ready(address: str, server: subprocess.Popen[str]) -> httpx.Response:
    for _ in range(600):
        assert server.poll() is None, "the server did not start"
        try:
            return httpx.get(address)
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


@dataclass(frozen=True)
class RecordedReconcile:
    """Counts its runs and fails in the first one."""

    runs: list[Caller]
    enough: threading.Event
    permission: ClassVar[Permission] = Permission.RECONCILE

    def __call__(self, caller: Caller, _command: Reconcile) -> Reconciled:
        self.runs.append(caller)
        if len(self.runs) == 1:
            raise RuntimeError("the disk is away")
        if len(self.runs) >= 3:
            self.enough.set()
        return Reconciled(abandoned=1, documents_removed=0)


def test_maintenance_goes_on_after_a_failure_and_ends_with_the_server(
    by_command: Office, caplog: pytest.LogCaptureFixture
) -> None:
    home = by_command.at.home
    service = bootstrap.build(Settings(home=home, keys=home / "keys"))
    recorded = RecordedReconcile([], threading.Event())
    try:
        with maintained(replace(service, reconcile=Guarded(recorded)), [Task("reconcile", reconcile, 0.01, 0.01)]):
            assert recorded.enough.wait(30)
        ended = len(recorded.runs)
        time.sleep(0.05)
        assert len(recorded.runs) == ended
        assert "reconcile failed" in caplog.text
        with maintained(service):
            pass  # the real one, with the permission that it needs
        assert "PermissionDenied" not in caplog.text
    finally:
        service.close()


def test_commands_print_what_http_answers(by_command: Office, tmp_path: Path) -> None:
    at, code = by_command.at, by_command.code
    receipt = at.said(*by_command.applying(tmp_path / "out.pdf", "--level", "B-B"), by=by_command.system)
    entry = at.said("log", "query", "--seal", code, by=by_command.auditor)["items"][0]["entry_id"]
    answers: list[tuple[Person, tuple[str, ...], str]] = [
        (by_command.at.security, ("accounts", "show", by_command.system.client_id), "accounts/{1}"),
        (by_command.maker, ("units", "show", by_command.unit["id"]), "units/{1}"),
        (by_command.maker, ("applications", "show", by_command.application["id"]), "applications/{1}"),
        (by_command.maker, ("seals", "show", code), "seals/{1}"),
        (by_command.keeper, ("grants", "show", by_command.grant["id"]), "grants/{1}"),
        (by_command.system, ("uses", "show", receipt["use_id"], "--seal", code), f"seals/{code}/uses/{{1}}"),
        (by_command.auditor, ("log", "entry", entry), "log/entries/{1}"),
        (by_command.maker, ("seals", "list"), "seals"),
    ]
    home = at.home
    service = bootstrap.build(Settings(home=home, keys=home / "keys"))
    try:
        with serving(service) as url, httpx.Client(base_url=url) as client:
            for person, arguments, path in answers:
                form = {"grant_type": "client_credentials"}
                token = client.post("/oauth2/token", data=form, auth=(person.client_id, person.secret)).json()
                headers = {"Authorization": f"Bearer {token['access_token']}"}
                answer = client.get(f"/v1/{path.format('', *arguments[2:])}", headers=headers)
                assert answer.status_code == 200, answer.text
                assert at.said(*arguments, by=person) == answer.json(), arguments
            use = f"/v1/seals/{code}/uses/{receipt['use_id']}/receipt"
            token = client.post(
                "/oauth2/token",
                data={"grant_type": "client_credentials"},
                auth=(by_command.system.client_id, by_command.system.secret),
            ).json()
            served = client.get(use, headers={"Authorization": f"Bearer {token['access_token']}"}).json()
        assert {name: receipt[name] for name in served} == served
    finally:
        service.close()

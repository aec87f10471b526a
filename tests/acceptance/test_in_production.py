"""The demonstration's story where a city would run it, over HTTP and nothing else.

PostgreSQL with two roles, keys in an HSM (SoftHSM), the production profile, two API processes, and a time-stamping
authority made by others in a process of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from seal_service.cli.demo_cast import BUREAU, OFFICE
from seal_service.cli.demo_document import tamper
from seal_service.formats.pem import certificates_of
from tests.live import DOCUMENT, EXAMPLES, expect, in_the_next_second, refused
from tests.outside_tsa import OutsideTsa, outside_tsa
from tests.postgresql import postgresql_settings
from tests.softhsm import softhsm_environment, softhsm_settings

pytestmark = pytest.mark.slow
SCENARIO = "permit.approval"
PICTURES = EXAMPLES / "impressions"


@dataclass
class Production:
    """An instance described by its environment alone, as its operators know it."""

    environment: dict[str, str]
    port: int
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def seal(self, *arguments: str, answers: int = 0, **more: str) -> Any:
        """What a command says, in JSON; None where its answer is no."""
        command = [sys.executable, "-m", "seal_service", *arguments, "--json"]
        done = subprocess.run(
            command, env={**os.environ, **self.environment, **more}, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == answers, f"seal {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout) if answers == 0 else None

    def client(self, credentials: dict[str, Any] | None = None) -> httpx.Client:
        """A client over HTTP, with a token if it has credentials."""
        client = httpx.Client(base_url=self.url, timeout=60)
        self.clients.append(client)
        if credentials is not None:
            identity = credentials.get("id") or credentials["SEAL_CLIENT_ID"]
            pair = (identity, credentials.get("client_secret") or credentials["SEAL_CLIENT_SECRET"])
            form = {"grant_type": "client_credentials"}
            token = expect(200, client.post("/oauth2/token", data=form, auth=pair))["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
        return client

    @contextmanager
    def served(self) -> Iterator[subprocess.Popen[str]]:
        """Two API processes behind one address; stopped as systemd stops them."""
        command = [sys.executable, "-m", "seal_service", "serve", "--workers", "2", "--port", str(self.port)]
        environment = {**os.environ, **self.environment}
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as server:
            try:
                self._await_ready(server)
                yield server
                server.send_signal(signal.SIGTERM)
                _, told = server.communicate(timeout=60)
                assert server.returncode == 0, told[-2000:]
            finally:
                server.kill()
                for client in self.clients:
                    client.close()

    def _await_ready(self, server: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + 60
        answer: httpx.Response | None = None
        while time.monotonic() < deadline:
            assert server.poll() is None, server.stderr.read() if server.stderr else ""
            try:
                answer = httpx.get(f"{self.url}/readyz", timeout=5)
            except httpx.TransportError:
                time.sleep(0.1)
                continue
            if answer.status_code == 200:
                return
            time.sleep(0.1)
        raise AssertionError(f"not ready: {answer.text if answer else 'no answer'}")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OutsideTsa]:
    with outside_tsa(tmp_path_factory.mktemp("tsa")) as running:
        yield running


@pytest.fixture
def production(tmp_path: Path, authority: OutsideTsa) -> Production:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    database = {f"SEAL_{name.upper()}": str(value) for name, value in postgresql_settings("production").items()}
    return Production(
        {
            "SEAL_HOME": str(tmp_path / "home"),
            "SEAL_KEYS": str(tmp_path / "keys"),
            "SEAL_PROFILE": "production",
            "SEAL_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "SEAL_TIMESTAMP_URLS": json.dumps([authority.tsr]),
            "SEAL_TIMESTAMP_EMBEDDED": "false",
            **database,
            **softhsm_environment(softhsm_settings(tmp_path / "hsm")),
        },
        port,
    )


def test_the_story_on_postgresql_with_an_hsm_two_processes_and_an_outside_tsa(
    production: Production, authority: OutsideTsa, tmp_path: Path
) -> None:
    """Articles 12 to 24, and articles 9, 10: the time and the keys are not this program's own."""
    first = production.seal("init")
    operator, security, second = (
        {"SEAL_CLIENT_ID": one["client_id"], "SEAL_CLIENT_SECRET": one["client_secret"]} for one in first["accounts"]
    )

    # The operator trusts the outside authority's root for time-stamps, and its revocation list.
    root = authority.root
    production.seal(
        "trust", "add", str(root), "--for", "timestamps", "--note", "示例市时间戳服务中心 样章，摘要已电话核对",
        "--revocation-address", f"{authority.url}/", "--yes", answers=1, **operator,
    )  # fmt: skip
    (waiting,) = production.seal("control", "list", **operator)["items"]
    production.seal("control", "confirm", waiting["id"], "--yes", **second)
    added = production.seal("trust", "list", **operator)
    (der,) = certificates_of(root.read_bytes())
    assert hashlib.sha256(der).hexdigest() in json.dumps(added)

    with production.served():
        public = production.client()
        at_work, beside = production.client(security), production.client(second)

        def account(name: str, role: str, unit_id: str | None = None) -> tuple[str, httpx.Client]:
            body = {"name": name, "roles": [role], "unit_id": unit_id}
            made = expect(201, at_work.post("/v1/accounts", json=body))
            expect(200, beside.post(f"/v1/controlled-acts/{made['request_id']}/confirmation"))
            return made["id"], production.client(made)

        _, maker = account("示例市印章制发部门", "seal_maker")
        _, auditor = account("示例市审计", "auditor")

        # 单位登记、开户
        registered: dict[str, dict[str, Any]] = {}
        for part, channel in ((OFFICE, None), (BUREAU, OFFICE.name)):
            body = {
                "name": part.name,
                "unit_type": part.unit_type.value,
                "credit_code": part.credit_code,
                "area_code": "999900",
                "channel_unit_id": registered[channel]["id"] if channel else None,
            }
            registered[part.name] = expect(201, maker.post("/v1/units", json=body))
        office_id, bureau_id = (registered[part.name]["id"] for part in (OFFICE, BUREAU))
        _, office = account("张三", "unit_administrator", office_id)
        office_system_id, office_system = account("政务服务平台", "business_system", office_id)
        _, bureau = account("李四", "unit_administrator", bureau_id)
        bureau_system_id, bureau_system = account("市场监管审批系统", "business_system", bureau_id)

        # 印章申请、审批、制章
        seals = {}
        for part, picture in ((OFFICE, "government-service-office"), (BUREAU, "market-supervision-bureau")):
            request = {
                "unit_name": part.name,
                "unit_type": part.unit_type.value,
                "credit_code": part.credit_code,
                "seal_name": part.name,
                "seal_type": "01",
            }
            files: dict[str, tuple[str | None, str | bytes, str]] = {
                "request": (None, json.dumps(request), "application/json"),
                "picture": ("印模.png", (PICTURES / f"{picture}.png").read_bytes(), "image/png"),
            }
            application = expect(201, office.post("/v1/applications", files=files))
            decision = f"/v1/applications/{application['id']}/decision"
            refused(403, "permission-denied", office.post(decision, json={"decision": "approve"}))
            expect(200, maker.post(decision, json={"decision": "approve"}))
            seals[part.name] = expect(201, maker.post("/v1/seals", json={"application_id": application["id"]}))
        codes = {name: str(seal["code"]) for name, seal in seals.items()}

        # 用印授权
        for client, name, system in (
            (office, OFFICE.name, office_system_id),
            (bureau, BUREAU.name, bureau_system_id),
        ):
            body = {
                "seal_code": codes[name],
                "grantee_id": system,
                "scenario": SCENARIO,
                "responsible_person": "样某",
                "approval_number": "示政办授〔2026〕1号",
                "maximum_uses": 100,
            }
            expect(201, client.post("/v1/grants", json=body))

        # 用印
        def use(client: httpx.Client, name: str, document: bytes, level: str, key: str) -> httpx.Response:
            return client.post(
                f"/v1/seals/{codes[name]}/uses",
                content=document,
                params={"scenario": SCENARIO, "level": level},
                headers={"Content-Type": "application/pdf", "Idempotency-Key": key, "Accept": "*/*"},
            )

        document = DOCUMENT.read_bytes()
        once = use(office_system, OFFICE.name, document, "B-LT", "one")
        assert once.status_code in (200, 201), once.text
        again = use(office_system, OFFICE.name, document, "B-LT", "one")
        assert again.content == once.content, "the same key: the same document, whichever process answers"
        twice = use(bureau_system, BUREAU.name, once.content, "B-LTA", "two")
        assert twice.status_code in (200, 201), twice.text
        sealed = twice.content
        assert sealed.startswith(once.content)
        assert once.content.startswith(document)

        # 验章、篡改
        def verify(content: bytes) -> dict[str, Any]:
            headers = {"Content-Type": "application/pdf"}
            return expect(200, public.post("/v1/verifications", content=content, headers=headers))

        report = verify(sealed)
        assert report["indication"] == "TOTAL_PASSED", json.dumps(report, ensure_ascii=False)
        applied = [one for one in report["signatures"] if one["kind"] == "pades"]
        assert [one["seal"]["code"] for one in applied] == [codes[OFFICE.name], codes[BUREAU.name]]
        assert all(one["time_source"] == "timestamp" for one in applied)
        (stamp,) = [one for one in report["signatures"] if one["kind"] == "document_timestamp"]
        assert "时间戳unit" in stamp["signer"]["subject"], "the time is the outside authority's"
        assert verify(tamper(sealed, within=len(document)))["indication"] == "TOTAL_FAILED"

        # 续期、挂失
        refused(409, "renewal-not-possible", office.post(f"/v1/seals/{codes[OFFICE.name]}/renewal", json={}))
        in_the_next_second()
        lost = office.post(f"/v1/seals/{codes[OFFICE.name]}/loss-report", json={"reason": "演示：口令遗失"})
        assert expect(200, lost)["state"] == "suspended"
        refused(403, "authorization-denied", use(office_system, OFFICE.name, document, "B-LT", "after the loss"))
        assert verify(sealed)["indication"] == "TOTAL_PASSED", "what was sealed before the loss stays valid"

        # 日志、溯源
        log = expect(200, auditor.get("/v1/log/entries", params={"seal_code": codes[OFFICE.name]}))
        kinds = [one["kind"] for one in log["items"]]
        assert {"seal.completed", "seal.denied", "sealmgmt.suspended"} <= set(kinds)
        digest = hashlib.sha256(sealed).hexdigest()
        story = expect(200, auditor.get("/v1/log/trace", params={"document_sha256": digest}))
        assert [one["seal"]["code"] for one in story["uses"]] == [codes[OFFICE.name], codes[BUREAU.name]]

        # Health: keys in the HSM, time and trust known.
        ready = expect(200, public.get("/readyz"))
        assert ready["ready"], ready
        doctor = production.seal("doctor")
        assert doctor["ready"], doctor
        held = production.seal("keys", "list", **operator)
        of_seals = [one for one in held["items"] if one["place"] == "pkcs11"]
        assert len(of_seals) >= len(seals) + 2, "seals, issuing CA and root lie in the HSM"

    qualified = tmp_path / "sealed.pdf"
    qualified.write_bytes(sealed)
    assert production.seal("db", "check")["schema"] == "current"

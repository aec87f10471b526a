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
from joserfc.jwk import ECKey

from seal_service.cli.demo_cast import BUREAU, OFFICE
from seal_service.cli.demo_document import tamper
from seal_service.formats.pem import certificates_of
from tests.live import DOCUMENT, EXAMPLES, expect, in_the_next_second, refused
from tests.machines import DpopAuth, asserted
from tests.outside_tsa import OutsideTsa, outside_tsa
from tests.postgresql import postgresql_settings
from tests.softhsm import softhsm_environment, softhsm_seal_settings, softhsm_settings

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

    def seal(self, *arguments: str, **more: str) -> Any:
        """What a command says, in JSON."""
        return json.loads(self._said(arguments, more, 0))

    def ask(self, *arguments: str, **more: str) -> None:
        """Ask for what another person has to confirm."""
        self._said(arguments, more, 1)

    def _said(self, arguments: tuple[str, ...], more: dict[str, str], answer: int) -> str:
        command = [sys.executable, "-m", "seal_service", *arguments, "--json"]
        done = subprocess.run(
            command, env={**os.environ, **self.environment, **more}, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == answer, f"seal {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def by(self, credentials: dict[str, Any]) -> dict[str, str]:
        """The environment of a command that somebody gives on the machine."""
        return {"SEAL_CLIENT_ID": credentials["id"], "SEAL_CLIENT_SECRET": credentials["client_secret"]}

    def client(self, auth: httpx.Auth | None = None) -> httpx.Client:
        """A client over HTTP."""
        client = httpx.Client(base_url=self.url, timeout=60, auth=auth)
        self.clients.append(client)
        return client

    def system(self, client_id: str, key: ECKey) -> httpx.Client:
        """A business system's client: logged in by private_key_jwt, its token bound by DPoP to another key."""
        dpop = ECKey.generate_key("P-256")
        asking = asserted(client_id, key, dpop, self.url)
        answer = expect(200, httpx.post(f"{self.url}/oauth2/token", timeout=60, **asking))
        assert answer["token_type"] == "DPoP"
        return self.client(DpopAuth(answer["access_token"], dpop, self.url))

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
            **softhsm_environment({**softhsm_settings(tmp_path / "hsm"), **softhsm_seal_settings(tmp_path / "hsm", 2)}),
        },
        port,
    )


def test_the_story_on_postgresql_with_an_hsm_two_processes_and_an_outside_tsa(
    production: Production, authority: OutsideTsa, tmp_path: Path
) -> None:
    """Articles 12 to 24, and articles 9, 10: the time and the keys are not this program's own."""
    first = production.seal("init")
    production.seal("log", "init")
    operator, security, second = (
        production.by({"id": one["client_id"], "client_secret": one["client_secret"]}) for one in first["accounts"]
    )

    # The operator trusts the outside authority's root for time-stamps, and its revocation list.
    root = authority.root
    production.ask(
        "trust", "add", str(root), "--for", "timestamps", "--note", "示例市时间戳服务中心 样章，摘要已电话核对",
        "--revocation-address", f"{authority.url}/", "--yes", **operator,
    )  # fmt: skip
    (waiting,) = production.seal("control", "list", **operator)["items"]
    production.seal("control", "confirm", waiting["id"], "--yes", **second)
    added = production.seal("trust", "list", **operator)
    (der,) = certificates_of(root.read_bytes())
    assert hashlib.sha256(der).hexdigest() in json.dumps(added)

    def account(name: str, role: str, unit_id: str | None = None) -> dict[str, Any]:
        of_unit = ("--unit", unit_id) if unit_id else ()
        made: dict[str, Any] = production.seal(
            "accounts", "create", "--name", name, "--role", role, *of_unit, **security
        )
        production.seal("control", "confirm", made["request_id"], "--yes", **second)
        return made

    maker = account("示例市印章制发部门", "seal_maker")
    auditor = account("示例市审计", "auditor")
    by_maker, by_auditor = production.by(maker), production.by(auditor)

    # 单位登记、开户; people act on the machine, where alone their client secrets let them in.
    registered: dict[str, dict[str, Any]] = {}
    for part, channel in ((OFFICE, None), (BUREAU, OFFICE.name)):
        through = ("--channel", registered[channel]["id"]) if channel else ()
        registered[part.name] = production.seal(
            "units", "register", "--name", part.name, "--type", part.unit_type.value, "--credit-code", part.credit_code,
            "--area", "999900", *through, **by_maker,
        )  # fmt: skip
    office_id, bureau_id = (registered[part.name]["id"] for part in (OFFICE, BUREAU))
    by_office = production.by(account("张三", "unit_administrator", office_id))
    by_bureau = production.by(account("李四", "unit_administrator", bureau_id))
    accounts = {
        OFFICE.name: account("政务服务平台", "business_system", office_id),
        BUREAU.name: account("市场监管审批系统", "business_system", bureau_id),
    }

    # 接入系统: registered by its unit, approved by the office, with a key of its own.
    keys = {name: ECKey.generate_key("P-256") for name in accounts}
    registrations: dict[str, str] = {}
    for name, by in ((OFFICE.name, by_office), (BUREAU.name, by_bureau)):
        made = production.seal(
            "systems", "register", "--name", accounts[name]["name"], "--address", "https://service.example/",
            "--network", "政务外网", "--department", "信息科", "--from", "127.0.0.0/8", "--contact", "样某",
            "--phone", "000-0000", **by,
        )  # fmt: skip
        registrations[name] = made["id"]
        production.seal("systems", "decide", made["id"], "--approve", **by_maker)
        production.seal("systems", "tie", made["id"], "--account", accounts[name]["id"], **by)
        public_key = tmp_path / "public.jwk"
        public_key.write_text(json.dumps(keys[name].as_dict(private=False)), encoding="utf-8")
        production.seal("systems", "credentials", "add", made["id"], "--key", str(public_key), **by)
    production.seal("units", "people", "add", "--unit", office_id, "--id", "U1001", "--name", "样某", **by_office)

    # 印章申请、审批、制章
    seals = {}
    for part, picture in ((OFFICE, "government-service-office"), (BUREAU, "market-supervision-bureau")):
        application = production.seal(
            "applications", "submit", "--unit-name", part.name, "--unit-type", part.unit_type.value, "--credit-code",
            part.credit_code, "--seal-name", part.name, "--seal-type", "01", "--picture",
            str(PICTURES / f"{picture}.png"), **by_office,
        )  # fmt: skip
        production.seal("applications", "decide", application["id"], "approve", **by_maker)
        seals[part.name] = production.seal("seals", "make", application["id"], **by_maker)
    codes = {name: str(seal["code"]) for name, seal in seals.items()}

    # 保管: the secret of each seal's keeper becomes the PIN of its token in the HSM.
    keepers = {
        name: production.by(account(f"{name}印章保管人", "seal_keeper", registered[name]["id"])) for name in codes
    }
    secret = tmp_path / "secret.txt"
    secret.write_text("correct horse battery staple\n", encoding="ascii")
    for name, code in codes.items():
        taken = production.seal("custody", "take", code, "--secret-file", str(secret), "--yes", **keepers[name])
        assert (taken["taken"], taken["active"]) == (True, False)

    # 用印场景、用印授权
    production.seal(
        "scenarios", "register", SCENARIO, "--name", "行政许可", "--waived-for", "政务服务平台审批流程",
        "--waiver-number", "示政办〔2026〕3号", **by_maker,
    )  # fmt: skip
    for name, by in ((OFFICE.name, by_office), (BUREAU.name, by_bureau)):
        production.seal(
            "grants", "make", "--seal", codes[name], "--to", accounts[name]["id"], "--scenario", SCENARIO,
            "--responsible", "样某", "--approval-number", "示政办授〔2026〕1号", "--maximum-uses", "100", **by,
        )  # fmt: skip

    with production.served():
        public = production.client()
        office_system = production.system(accounts[OFFICE.name]["id"], keys[OFFICE.name])
        bureau_system = production.system(accounts[BUREAU.name]["id"], keys[BUREAU.name])

        # What the production profile does not take over HTTP.
        form = {"grant_type": "client_credentials"}
        for secret_of in (accounts[OFFICE.name], maker, auditor):
            pair = (secret_of["id"], secret_of["client_secret"])
            told = expect(401, public.post("/oauth2/token", data=form, auth=pair))
            assert "In production" in told["error_description"]
        unbound = asserted(accounts[OFFICE.name]["id"], keys[OFFICE.name], None, production.url)
        assert "bound" in expect(401, public.post("/oauth2/token", **unbound))["error_description"]
        token = office_system.auth.token if isinstance(office_system.auth, DpopAuth) else ""
        refused(401, "proof-refused", public.get("/v1/seals", headers={"Authorization": f"Bearer {token}"}))

        # 用印
        def use(client: httpx.Client, name: str, document: bytes, level: str, key: str, **named: str) -> httpx.Response:
            return client.post(
                f"/v1/seals/{codes[name]}/uses",
                content=document,
                params={"scenario": SCENARIO, "level": level, **named},
                headers={"Content-Type": "application/pdf", "Idempotency-Key": key, "Accept": "*/*"},
            )

        document = DOCUMENT.read_bytes()
        stranger = {"operator_id": "U9999", "operator_name": "样某"}
        denied = use(office_system, OFFICE.name, document, "B-LT", "stranger", **stranger)
        refused(403, "operator-not-registered", denied)
        person = {"operator_id": "U1001", "operator_name": "样某"}
        refused(409, "seal-not-activated", use(office_system, OFFICE.name, document, "B-LT", "locked", **person))
        for name, code in codes.items():
            opening = ("--secret-file", str(secret), "--uses", "20")
            production.seal("custody", "activate", code, *opening, **keepers[name])
        once = use(office_system, OFFICE.name, document, "B-LT", "one", **person)
        assert once.status_code in (200, 201), once.text
        again = use(office_system, OFFICE.name, document, "B-LT", "one", **person)
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
        in_the_next_second()
        reason = ("--reason", "演示：口令遗失")
        lost = production.seal("seals", "report-loss", codes[OFFICE.name], *reason, **by_office)
        assert lost["state"] == "suspended"
        refused(403, "authorization-denied", use(office_system, OFFICE.name, document, "B-LT", "after the loss"))
        assert verify(sealed)["indication"] == "TOTAL_PASSED", "what was sealed before the loss stays valid"

        # 日志、溯源
        log = production.seal("log", "query", "--seal", codes[OFFICE.name], **by_auditor)
        kinds = [one["kind"] for one in log["items"]]
        assert {"seal.completed", "seal.denied", "sealmgmt.suspended"} <= set(kinds)
        story_file = tmp_path / "traced.pdf"
        story_file.write_bytes(sealed)
        story = production.seal("log", "trace", str(story_file), **by_auditor)
        assert [one["seal"]["code"] for one in story["uses"]] == [codes[OFFICE.name], codes[BUREAU.name]]

        # 吊销凭据: the system's token is worthless in every process at once.
        listed = production.seal("systems", "credentials", "list", registrations[OFFICE.name], **by_office)
        (credential,) = listed["items"]
        assert credential["last_used_at"] is not None
        expect(200, office_system.get("/v1/seals"))
        production.seal(
            "systems", "credentials", "revoke", registrations[OFFICE.name], credential["id"], "--yes", **by_office
        )
        for _ in range(4):
            refused(401, "unauthenticated", office_system.get("/v1/seals"))

        # Health: keys in the HSM, time and trust known.
        ready = expect(200, public.get("/readyz"))
        assert ready["ready"], ready
        doctor = production.seal("doctor")
        assert doctor["ready"], doctor
        held = production.seal("keys", "list", **operator)
        placed = [one["place"] for one in held["items"]]
        assert placed.count("partition") == len(seals), "each seal in a token of its own"
        assert placed.count("pkcs11") >= 2, "issuing CA and root lie in the HSM"

    qualified = tmp_path / "sealed.pdf"
    qualified.write_bytes(sealed)
    assert production.seal("db", "check")["schema"] == "current"

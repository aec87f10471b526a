"""What deploy/ hands to an operator, run for real: the proxy in front of the service, the roles of the database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import httpx

from tests.live import LiveOffice, live_city
from tests.postgresql import Cluster
from tests.proxy import DEPLOY, proxied, trusting
from tests.served import served

_SEAL = [sys.executable, "-m", "seal_service"]
PERSONAL = {"operator_id": "U-7788", "operator_name": "PERSONAL-NAME", "case_number": "PERSONAL-CASE"}


def test_the_proxy_that_is_shipped_hides_what_is_personal_and_lends_nobody_its_address(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with live_city(home) as city:
        office = LiveOffice(city)
        office.person(PERSONAL["operator_id"], PERSONAL["operator_name"])
        bearer = office.system.headers["Authorization"]
        code = office.code
    with (
        served(home, 1, trusted_proxies='["127.0.0.1"]') as server,
        proxied(tmp_path, httpx.URL(server.url).port or 0) as (plain, tls),
        httpx.Client(verify=trusting(tmp_path), timeout=60) as client,
    ):
        headers = {"Authorization": bearer, "Idempotency-Key": "through-1", "Content-Type": "application/pdf"}
        used = client.post(
            f"{tls}/v1/seals/{code}/uses",
            params={"scenario": "license.issue", **PERSONAL},
            content=(DEPLOY.parent / "examples" / "regulation.pdf").read_bytes(),
            headers=headers,
        )
        assert used.status_code == 201, used.text
        assert used.headers["strict-transport-security"].startswith("max-age=")
        assert client.get(f"{tls}/metrics").status_code == 404
        for lie in ("127.0.0.1", "::1"):
            assert client.get(f"{tls}/metrics", headers={"X-Forwarded-For": lie}).status_code == 404
            assert client.get(f"{tls}//metrics", headers={"X-Forwarded-For": lie}).status_code == 404
            assert client.get(f"{tls}/%6detrics", headers={"X-Forwarded-For": lie}).status_code == 404
        moved = client.get(f"{plain}/v1/units?case_number=PERSONAL-CASE")
        assert (moved.status_code, moved.headers["location"]) == (
            308, "https://localhost/v1/units?case_number=PERSONAL-CASE",
        )  # fmt: skip
        assert client.get(f"{plain}/pki/issuing.crl").status_code == 200, "signed, and asked for before TLS is judged"
        assert server.scrape().total("seal_http_request_seconds_count", route="/metrics", status="200") == 0
        request_id = used.headers["x-request-id"]
    logs = "".join(one.read_text() for one in sorted(tmp_path.glob("seal.*.log")))
    assert " 201 " in logs
    assert request_id in logs, "by it a line is found in the service's log"
    for personal in ("PERSONAL", code, "U-7788", "127.0.0.1"):
        assert personal not in logs


def test_the_roles_that_are_shipped_are_what_an_instance_needs(tmp_path: Path) -> None:
    """`seal init` by the owner, everything else by a role that cannot change the log; passwords in files alone."""
    cluster = Cluster()
    try:
        with cluster.superuser() as superuser:
            superuser.execute("DROP ROLE IF EXISTS seal_application, seal_owner")
        passwords = tmp_path / "roles.passwords"
        passwords.write_text("owner's-password\nservice's \"password\n")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SEAL_", "PG"))},
            "PATH": f"{cluster.programs}:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(cluster.port),
            "PGPASSWORD": cluster.password,
            "ROLES_PASSWORDS_FILE": str(passwords),
        }
        done = subprocess.run(
            ["sh", str(DEPLOY / "postgresql" / "roles.sh")],
            env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        passfile = tmp_path / "pgpass"
        passfile.touch(mode=0o600)
        passfile.write_text("*:*:*:seal_owner:owner's-password\n*:*:*:seal:service's \"password\n")
        address = f"@127.0.0.1:{cluster.port}/seal"
        environment = {name: value for name, value in environment.items() if not name.startswith(("PG", "ROLES"))} | {
            "SEAL_HOME": str(tmp_path / "home"),
            "SEAL_KEYS": str(tmp_path / "keys"),
            "SEAL_DATABASE_URL": f"postgresql+psycopg://seal{address}",
            "SEAL_DATABASE_OWNER_URL": f"postgresql+psycopg://seal_owner{address}",
            "PGPASSFILE": str(passfile),
            "PYTHONPATH": str(DEPLOY.parent),
        }
        for words in ("init", "log init", "doctor", "db check"):
            command = [*_SEAL, *words.split()]
            ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
            assert ran.returncode == 0, f"{words}: {ran.stdout}{ran.stderr}"
    finally:
        cluster.stop()

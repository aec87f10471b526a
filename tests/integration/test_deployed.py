"""What deploy/ hands to an operator, run for real: the proxy in front of the service, the roles of the database."""

from __future__ import annotations

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.live import LiveOffice, live_city
from tests.postgresql import Cluster
from tests.served import served

DEPLOY = Path(__file__).parents[2] / "deploy"
_SEAL = [sys.executable, "-m", "seal_service"]
PERSONAL = {"operator_id": "U-7788", "operator_name": "PERSONAL-NAME", "case_number": "PERSONAL-CASE"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def proxied(directory: Path, upstream: int) -> Iterator[tuple[str, str]]:
    """nginx with the site that is shipped, but for its places and ports; its addresses, plain and by TLS."""
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    openssl = shutil.which("openssl")
    if nginx is None or openssl is None:
        pytest.skip("nginx or openssl is not installed (Debian: apt-get install nginx-light openssl)")
    plain, tls = free_port(), free_port()
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"),
            *("-subj", "/CN=seal.example", "-addext", "subjectAltName=DNS:seal.example,DNS:localhost"),
            *("-keyout", str(directory / "key.pem"), "-out", str(directory / "certificate.pem")),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    site = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for shipped, here in (
        ("127.0.0.1:8000", f"127.0.0.1:{upstream}"),
        ("/etc/seal/tls/", f"{directory}/"),
        ("/var/log/nginx/", f"{directory}/"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{tls} ssl"),
    ):
        assert shipped in site, shipped
        site = site.replace(shipped, here)
    site = re.sub(r"listen \[::\]:.*\n", "", site)
    places = "".join(
        f"{kind}_temp_path {directory}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = directory / "nginx.conf"
    configuration.write_text(
        f"daemon off;\nmaster_process off;\npid {directory}/pid;\nerror_log stderr warn;\n"
        f"events {{}}\nhttp {{\n{places}{site}}}\n",
        encoding="utf-8",
    )
    command = [nginx, "-p", str(directory), "-c", str(configuration)]
    tested = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=60, check=False)
    assert tested.returncode == 0, tested.stderr
    assert "warn" not in tested.stderr, tested.stderr
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 30
            while True:
                try:
                    socket.create_connection(("127.0.0.1", tls), timeout=5).close()
                    break
                except ConnectionRefusedError:
                    assert time.monotonic() < until
                    assert process.poll() is None
                    time.sleep(0.02)
            yield f"http://localhost:{plain}", f"https://localhost:{tls}"
        finally:
            process.terminate()
            process.wait(30)


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
        httpx.Client(verify=ssl.create_default_context(cafile=str(tmp_path / "certificate.pem")), timeout=60) as client,
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
        for words in ("init", "doctor", "db check"):
            command = [*_SEAL, *words.split()]
            ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
            assert ran.returncode == 0, f"{words}: {ran.stdout}{ran.stderr}"
    finally:
        cluster.stop()

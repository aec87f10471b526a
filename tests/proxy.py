"""nginx as its own process, with the site that deploy/ hands to an operator."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[1] / "deploy"
ASKED_FOR = "ssl_verify_client optional_no_ca;"
"""The line of the site that docs/how-to/connect-a-system.md lets an operator take the comment sign from."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def proxied(directory: Path, upstream: int, *, client_certificates: bool = False) -> Iterator[tuple[str, str]]:
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
    changes = [
        ("127.0.0.1:8000", f"127.0.0.1:{upstream}"),
        ("/etc/seal/tls/", f"{directory}/"),
        ("/var/log/nginx/", f"{directory}/"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{tls} ssl"),
    ]
    if client_certificates:
        changes.append((f"# {ASKED_FOR}", ASKED_FOR))
    site = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    for shipped, here in changes:
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


def trusting(directory: Path) -> ssl.SSLContext:
    """A client's side of TLS that believes the proxy of this directory."""
    return ssl.create_default_context(cafile=str(directory / "certificate.pem"))

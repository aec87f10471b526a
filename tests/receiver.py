"""Who is told: a real HTTP receiver that checks signatures, and a real SMTP server process."""

from __future__ import annotations

import hashlib
import hmac
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SECRET = "样例-shared-secret-of-at-least-32-characters"
AGE_ALLOWED = 300


@dataclass
class Receiver:
    """Takes signed POSTs, each event once; `status` and `delay` make it misbehave."""

    url: str = ""
    status: int = 204
    delay: float = 0.0
    answer: bytes = b""
    now: Callable[[], datetime] | None = None
    taken: dict[str, bytes] = field(default_factory=dict)
    attempts: list[str] = field(default_factory=list)
    forged: list[str] = field(default_factory=list)

    def believes(self, headers: Any, body: bytes) -> bool:
        """As a receiver has to check it."""
        moment = headers.get("Seal-Timestamp", "")
        expected = hmac.new(SECRET.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
        given = headers.get("Seal-Signature", "")
        assert self.now is not None
        recent = abs(self.now().timestamp() - int(moment or 0)) < AGE_ALLOWED
        return recent and hmac.compare_digest(f"v1={expected}", given)


@contextmanager
def receiving(now: Callable[[], datetime]) -> Iterator[Receiver]:
    """On a free port of this machine."""
    receiver = Receiver(now=now)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            event = self.headers["Seal-Event-Id"]
            receiver.attempts.append(event)
            time.sleep(receiver.delay)
            if not receiver.believes(self.headers, body):
                receiver.forged.append(event)
                self.send_response(401)
                self.end_headers()
                return
            if receiver.status < 300:
                receiver.taken.setdefault(event, body)
            self.send_response(receiver.status)
            if receiver.status in (301, 302, 307):
                self.send_header("Location", receiver.url + "/elsewhere")
            self.send_header("Content-Length", str(len(receiver.answer)))
            self.end_headers()
            self.wfile.write(receiver.answer)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/seal-events"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


_SMTP = """
import socket, ssl, sys, time
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
directory, certificate, key = sys.argv[1:]
tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
tls.load_cert_chain(certificate, key)
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
controller = Controller(
    Mailbox(directory), hostname="127.0.0.1", port=port, tls_context=tls, require_starttls=True, ready_timeout=30
)
controller.start()
print(port, flush=True)
while True:
    time.sleep(60)
"""


@contextmanager
def mail_server(directory: Path, certificate: Path, key: Path) -> Iterator[int]:
    """An SMTP server process that takes nothing without STARTTLS; its port. Mail arrives in `directory` (Maildir)."""
    command = [sys.executable, "-W", "ignore", "-c", _SMTP, str(directory), str(certificate), str(key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def self_signed(directory: Path, now: datetime) -> tuple[Path, Path]:
    """A self-signed certificate of localhost, valid for a day, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = directory / "mail.pem", directory / "mail.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    private.write_bytes(key.private_bytes(*form))
    return certificate, private

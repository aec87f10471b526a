"""A time-stamping authority made by others: `openssl ts` behind HTTP in a process of its own, with its CA and CRL."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIGURATION = """\
[ req ]
distinguished_name = name
prompt = no
[ name ]
C = CN
O = 示例市时间戳服务中心 样章
CN = {name}
[ root ]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ unit ]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:{url}/crl
[ ca ]
default_ca = authority
[ authority ]
database = index.txt
crlnumber = crlnumber
default_md = sha256
default_crl_days = 1
certificate = root.pem
private_key = root.key
[ tsa ]
default_tsa = stamping
[ stamping ]
serial = serial
signer_cert = unit.pem
certs = root.pem
signer_key = unit.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def openssl(directory: Path, *arguments: str) -> None:
    """Run openssl there; its words are shown when it fails."""
    done = subprocess.run(["openssl", *arguments], cwd=directory, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"openssl {arguments[0]}: {done.stderr}"


def found(directory: Path, url: str) -> None:
    """Root and unit, made by openssl alone."""
    for name in ("root", "unit"):
        text = CONFIGURATION.format(name=f"时间戳{name}", url=url)
        (directory / f"{name}.cnf").write_text(text, encoding="utf-8")
        key = ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")
        openssl(directory, *key)
    request = ("req", "-utf8", "-new", "-sha256", "-config")
    openssl(directory, *request, "root.cnf", "-x509", "-extensions", "root", "-days", "3650", "-key", "root.key",
            "-out", "root.pem")  # fmt: skip
    openssl(directory, *request, "unit.cnf", "-key", "unit.key", "-out", "unit.csr")
    issue = ("x509", "-req", "-sha256", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "365")
    openssl(directory, *issue, "-extfile", "unit.cnf", "-extensions", "unit", "-in", "unit.csr", "-out", "unit.pem")
    (directory / "index.txt").touch()
    (directory / "crlnumber").write_text("01\n")
    (directory / "serial").write_text("01\n")


def serve(directory: Path) -> None:
    """Stamp (POST /tsr) and publish the root's list (GET /crl) until standard input ends."""
    turn = threading.Lock()

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with turn, tempfile.TemporaryDirectory() as waiting:
                query, reply = Path(waiting) / "query", Path(waiting) / "reply"
                query.write_bytes(body)
                stamp = ("ts", "-reply", "-config", "unit.cnf", "-section", "stamping")
                openssl(directory, *stamp, "-queryfile", str(query), "-out", str(reply))
                self.answer(reply.read_bytes(), "application/timestamp-reply")

        def do_GET(self) -> None:
            with turn:  # made for each: a list must not be older than the time-stamp that it vouches for
                openssl(directory, "ca", "-config", "root.cnf", "-gencrl", "-out", "crl.pem")
                openssl(directory, "crl", "-in", "crl.pem", "-outform", "DER", "-out", "crl.der")
                self.answer((directory / "crl.der").read_bytes(), "application/pkix-crl")

        def answer(self, content: bytes, media_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    found(directory, url)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(url, flush=True)
    sys.stdin.read()
    server.shutdown()


@dataclass(frozen=True)
class OutsideTsa:
    """Where it is reached, and its root."""

    url: str
    root: Path

    @property
    def tsr(self) -> str:
        """The address that stamps."""
        return f"{self.url}/tsr"


@contextmanager
def outside_tsa(directory: Path) -> Iterator[OutsideTsa]:
    """The authority in a process of its own, as long as the context is open."""
    directory.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, str(directory)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http"), "the authority did not start"
        try:
            yield OutsideTsa(url, directory / "root.pem")
        finally:
            process.stdin.close()
            process.wait(timeout=30)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))

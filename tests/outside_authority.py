"""An outside certificate authority: `openssl ca` in a directory, and its lists served over HTTP."""

from __future__ import annotations

import hashlib
import re
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

_CONFIGURATION = """
[ca]
default_ca = {name}_ca
[{name}_ca]
dir = {directory}
database = $dir/{name}.index
new_certs_dir = $dir/issued
certificate = $dir/{name}.pem
private_key = $dir/{name}.key
serial = $dir/{name}.serial
x509_extensions = seal
crlnumber = $dir/{name}.crlnumber
default_md = sha256
default_days = 700
default_crl_days = 7
policy = anything
unique_subject = no
string_mask = utf8only
utf8 = yes
copy_extensions = none
[anything]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[issuing]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:{url}/root.crl
[seal]
basicConstraints = CA:false
keyUsage = critical, digitalSignature, nonRepudiation
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:{url}/issuing.crl
[server]
basicConstraints = CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1
[encryption]
basicConstraints = CA:false
keyUsage = critical, keyEncipherment
crlDistributionPoints = URI:{url}/issuing.crl
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, digitalSignature, keyCertSign
crlDistributionPoints = URI:{url}/issuing.crl
"""


class OutsideAuthority:
    """Root and issuing CA of OpenSSL; each `openssl` is a process of its own."""

    def __init__(self, directory: Path, url: str, name: str = "外部样章") -> None:
        if shutil.which("openssl") is None:
            pytest.skip("openssl is not installed")
        self.directory = directory
        self.url = url
        self.publishes = True
        (directory / "issued").mkdir(parents=True, exist_ok=True)
        for one in ("root", "issuing"):
            (directory / f"{one}.index").write_text("")
            (directory / f"{one}.crlnumber").write_text("01\n")
            (directory / f"{one}.serial").write_text("1000\n")
            settings = _CONFIGURATION.format(name=one, directory=directory, url=url)
            (directory / f"{one}.cnf").write_text(settings, encoding="utf-8")
            self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{one}.key")
        subject = ("-utf8", "-subj", f"/C=CN/O={name}电子认证/CN={name}根证书")
        root = ("-key", "root.key", "-extensions", "root", "-days", "3650", "-out", "root.pem")
        self._openssl("req", "-x509", "-new", "-config", "root.cnf", *subject, *root)
        subject = ("-utf8", "-subj", f"/C=CN/O={name}电子认证/CN={name}签发机构")
        self._openssl(*("req", "-new", "-config", "root.cnf", *subject, "-key", "issuing.key", "-out", "issuing.csr"))
        self._sign("root", "issuing.csr", "issuing.pem", "issuing")

    @property
    def root(self) -> Path:
        return self.directory / "root.pem"

    @property
    def issuing(self) -> Path:
        return self.directory / "issuing.pem"

    @property
    def revocation_addresses(self) -> dict[str, tuple[str, ...]]:
        """As SEAL_REVOCATION_ADDRESSES has them."""
        ders = (ssl.PEM_cert_to_DER_cert(_pem_alone(one.read_text())) for one in (self.root, self.issuing))
        return {hashlib.sha256(der).hexdigest(): (f"{self.url}/",) for der in ders}

    def certify(
        self, request_pem: str | bytes, *options: str, extensions: str = "seal", subject: str | None = None
    ) -> bytes:
        """The certificate for a request, PEM, after OpenSSL has verified the request's own signature."""
        content = request_pem.encode() if isinstance(request_pem, str) else request_pem
        (self.directory / "request.pem").write_bytes(content)
        verified = self._openssl("req", "-in", "request.pem", "-noout", "-verify")
        assert "verify OK" in verified
        if subject is not None:
            options = (*options, "-subj", subject)
        self._sign("issuing", "request.pem", "certificate.pem", extensions, *options)
        return _pem_alone((self.directory / "certificate.pem").read_text()).encode()

    def cacerts(self) -> bytes:
        """Root and issuing certificate as PKCS#7 (certs-only), DER."""
        arguments = ("-nocrl", "-certfile", "root.pem", "-certfile", "issuing.pem", "-outform", "DER")
        self._openssl("crl2pkcs7", *arguments, "-out", "cacerts.p7")
        return (self.directory / "cacerts.p7").read_bytes()

    def self_signed(self, request_pem: str) -> bytes:
        """A certificate for the same key by nobody: `openssl x509 -req` with a key of its own."""
        (self.directory / "request.pem").write_text(request_pem)
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "stranger.key")
        self._openssl(
            *("req", "-x509", "-new", "-config", "root.cnf", "-subj", "/CN=stranger", "-key", "stranger.key"),
            *("-extensions", "root", "-out", "stranger.pem"),
        )
        self._openssl(
            *("x509", "-req", "-in", "request.pem", "-CA", "stranger.pem", "-CAkey", "stranger.key"),
            *("-CAcreateserial", "-extfile", "issuing.cnf", "-extensions", "seal", "-out", "certificate.pem"),
        )
        return (self.directory / "certificate.pem").read_bytes()

    def server_certificate(self) -> Path:
        """A TLS certificate for 127.0.0.1 with its key, one PEM file."""
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "server.key")
        self._openssl(
            *("req", "-new", "-config", "root.cnf", "-subj", "/CN=127.0.0.1", "-key", "server.key"),
            *("-out", "server.csr"),
        )
        self._sign("root", "server.csr", "server.pem", "server")
        both = self.directory / "server-with-key.pem"
        certificate = _pem_alone((self.directory / "server.pem").read_text())
        both.write_text(certificate + (self.directory / "server.key").read_text())
        return both

    def seal_key(self, subject: str, password: str) -> tuple[Path, bytes]:
        """A seal made here: its key with certificate and chain as PKCS#12, and the certificate, PEM."""
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "seal.key")
        self._openssl(
            *("req", "-new", "-config", "root.cnf", "-utf8", "-subj", subject, "-key", "seal.key"),
            *("-out", "seal.csr"),
        )
        certificate = self.certify((self.directory / "seal.csr").read_bytes())
        (self.directory / "seal.pem").write_bytes(certificate)
        self._openssl(
            *("pkcs12", "-export", "-inkey", "seal.key", "-in", "seal.pem", "-certfile", "issuing.pem"),
            *("-passout", f"pass:{password}", "-out", "seal.p12"),
        )
        return self.directory / "seal.p12", certificate

    def validity_days(self, days: int) -> None:
        """How long what is certified from now on is valid."""
        settings = self.directory / "issuing.cnf"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(re.sub(r"(?m)^default_days = .*$", f"default_days = {days}", text), encoding="utf-8")

    def subject_of(self, certificate: bytes) -> str:
        """The subject as OpenSSL reads it."""
        (self.directory / "looked-at.pem").write_bytes(certificate)
        return self._openssl("x509", "-in", "looked-at.pem", "-noout", "-subject", "-nameopt", "utf8")

    def revoke(self, certificate: bytes, reason: str = "keyCompromise") -> None:
        """Revoke: the lists that are asked for from now on say so."""
        (self.directory / "revoked.pem").write_bytes(certificate)
        self._openssl("ca", "-config", "issuing.cnf", "-revoke", "revoked.pem", "-crl_reason", reason)

    def revocation_list(self, authority: str) -> bytes:
        """The list of `root` or `issuing` as of now, DER."""
        self._openssl("ca", "-config", f"{authority}.cnf", "-gencrl", "-out", f"{authority}.crl.pem")
        self._openssl("crl", "-in", f"{authority}.crl.pem", "-outform", "DER", "-out", f"{authority}.crl")
        return (self.directory / f"{authority}.crl").read_bytes()

    def _sign(self, authority: str, request: str, certificate: str, extensions: str, *options: str) -> None:
        self._openssl(
            *("ca", "-batch", "-notext", "-rand_serial", "-utf8", "-config", f"{authority}.cnf", "-in", request),
            *("-extensions", extensions, "-out", certificate, *options),
        )

    def _openssl(self, *arguments: str) -> str:
        done = subprocess.run(
            ["openssl", *arguments], cwd=self.directory, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, f"openssl {' '.join(arguments)}: {done.stderr}"
        return done.stdout + done.stderr


def _pem_alone(text: str) -> str:
    return text[text.index("-----BEGIN CERTIFICATE") :]


@contextmanager
def outside_authority(directory: Path, name: str = "外部样章") -> Iterator[OutsideAuthority]:
    """The authority, and its lists served on a port of this machine, each made by OpenSSL when it is asked for.

    (What proves that a certificate was good when it sealed is not older than the time-stamp.)
    """
    made: list[OutsideAuthority] = []
    lock = threading.Lock()

    class Lists(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            one = self.path.removeprefix("/").removesuffix(".crl")
            if one not in ("root", "issuing") or not made or not made[0].publishes:
                self.send_error(404)
                return
            with lock:
                content = made[0].revocation_list(one)
            self.send_response(200)
            self.send_header("Content-Type", "application/pkix-crl")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    server = ThreadingHTTPServer(("127.0.0.1", 0), Lists)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        made.append(OutsideAuthority(directory, f"http://127.0.0.1:{server.server_port}", name))
        yield made[0]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

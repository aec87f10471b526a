"""双向 TLS through a real nginx with the site of deploy/: what the service believes is what the proxy has seen."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.live import LiveOffice, expect, live_city, refused
from tests.machines import RegisteredSystem, client_cert
from tests.person_authority import Key, PersonAuthority, UKey
from tests.proxy import proxied, trusting

SEALS, TOKEN = "/v1/seals", "/oauth2/token"
ELSEWHERE = "127.0.0.3"
"""A neighbour in the network of the service, who is no proxy."""
PASSWORD = "七月流火-九月授衣-一之日"


def self_signed(key: Key | None = None, padding: int = 0, days: int = 30) -> UKey:
    """A client certificate and its key; with `padding`, about as many bytes longer."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "示例市政务服务平台")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1 << 100)
    built = built.not_valid_before(now - timedelta(days=10)).not_valid_after(now + timedelta(days=days))
    filling = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"x" * padding)
    made = built.add_extension(filling, critical=False).sign(key, hashes.SHA256())
    return UKey(made.public_bytes(Encoding.DER), key)


def pem(held: UKey) -> str:
    return x509.load_der_x509_certificate(held.certificate).public_bytes(Encoding.PEM).decode()


@contextmanager
def connected(directory: Path, address: str, held: UKey | None = None) -> Iterator[httpx.Client]:
    """A client of the proxy, with a certificate or without, which shows no more than TLS makes it."""
    context = trusting(directory)
    if held is not None:
        file = directory / "client.pem"
        key = held.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(key + pem(held).encode())
        context.load_cert_chain(file)
    with httpx.Client(base_url=address, verify=context, timeout=60) as client:
        yield client


@contextmanager
def city_behind_nginx(directory: Path, **settings: Any) -> Iterator[tuple[Any, str]]:
    with (
        live_city(directory / "home", trusted_proxies=["127.0.0.1"], client_certificates=True, **settings) as city,
        proxied(directory, httpx.URL(city.url).port or 0, client_certificates=True) as (_, tls),
    ):
        yield city, tls


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 3072)])
def test_a_token_had_by_a_certificate_is_good_over_connections_with_it_alone(tmp_path: Path, key: Key) -> None:
    """RFC 8705, 2 and 3, and RFC 9440, 4: nobody gains by a field of their own, through the proxy or past it."""
    ours, other = self_signed(key), self_signed()
    forged = client_cert(ours.certificate)
    with city_behind_nginx(tmp_path) as (city, tls):
        registered = RegisteredSystem(LiveOffice(city))
        expect(201, registered.add(kind="certificate", certificate=pem(ours)))
        form = {"grant_type": "client_credentials", "client_id": registered.client_id}
        with connected(tmp_path, tls, ours) as client:
            answer = expect(200, client.post(TOKEN, data=form))
            assert answer["token_type"] == "Bearer"
            bearer = {"Authorization": f"Bearer {answer['access_token']}"}
            expect(200, client.get(SEALS, headers=bearer))
            expect(200, client.get(SEALS, headers=bearer | client_cert(other.certificate)))
        for held in (other, None):
            with connected(tmp_path, tls, held) as client:
                for more in ({}, forged):
                    refused(401, "proof-refused", client.get(SEALS, headers=bearer | more))
                    told = expect(401, client.post(TOKEN, data=form, headers=more))
                    assert told["error"] == "invalid_client"
        past_the_proxy = httpx.HTTPTransport(local_address=ELSEWHERE)
        with httpx.Client(base_url=city.url, transport=past_the_proxy, timeout=60) as client:
            refused(401, "proof-refused", client.get(SEALS, headers=bearer | forged))
            assert expect(401, client.post(TOKEN, data=form, headers=forged))["error"] == "invalid_client"


def test_a_person_signs_in_with_the_certificate_of_the_connection(tmp_path: Path) -> None:
    """第二因素: the person's certificate, of an authority that the service knows and the proxy need not."""
    authority = PersonAuthority()
    anchors = (authority.written(tmp_path / "people.pem"),)
    ukey, other = authority.ukey(), authority.ukey("李某")
    with city_behind_nginx(tmp_path, second_factor="certificate", person_anchors=anchors) as (city, tls):
        body = {"name": "审计人员", "roles": ["auditor"], "unit_id": None}
        account = expect(201, city.security.post("/v1/accounts", json=body))
        city.confirm(account["request_id"])
        given = expect(201, city.security.post(f"/v1/accounts/{account['id']}/password-reset", json={}))["password"]
        sign_in = {"account": account["id"], "password": given}
        with connected(tmp_path, tls, ukey) as client:
            session = expect(201, client.post("/v1/sessions", json=sign_in))
            client.headers["Authorization"] = f"Bearer {session['token']}"
            changed = {"present": given, "new": PASSWORD}
            assert client.put("/v1/sessions/current/password", json=changed).status_code == 204
            expect(201, client.post("/v1/sessions/current/second-factors", json={"kind": "certificate"}))
        challenge = {"challenge": _challenge(city, account["id"])}
        with connected(tmp_path, tls, other) as client:
            path, forged = "/v1/sessions/second-factor", client_cert(ukey.certificate)
            refused(401, "unauthenticated", client.post(path, json=challenge, headers=forged))
        with connected(tmp_path, tls, ukey) as client:
            assert expect(201, client.post(path, json=challenge))["must_first"] is None


def _challenge(city: Any, account_id: str) -> str:
    asked = expect(202, city.public.post("/v1/sessions", json={"account": account_id, "password": PASSWORD}))
    assert asked["kinds"] == ["certificate"]
    return str(asked["challenge"])


class Upstream(BaseHTTPRequestHandler):
    """Answers with the certificate fields that it was sent, one a line."""

    def do_GET(self) -> None:
        """As http.server names it."""
        fields = ("Client-Cert", "Client-Cert-Chain")
        told = "\n".join(f"{name}: {one}" for name in fields for one in self.headers.get_all(name, []))
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told.encode())

    def log_message(self, *_arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def upstream() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


CLAIMED = {"Client-Cert": ":QQ==:", "Client-Cert-Chain": ":QQ==:"}


def test_a_certificate_of_any_length_arrives_whole_in_the_one_field(tmp_path: Path, upstream: int) -> None:
    """RFC 9440, 2.2: base64 with every remainder and last line; of more than 64 lines it is none."""
    key = rsa.generate_private_key(65537, 2048)  # its signatures are all of one length
    longest = 1000 + 64 * 48 - len(self_signed(key, 1000).certificate)
    remainders = set()
    with proxied(tmp_path, upstream, client_certificates=True) as (_, tls):
        for padding in (*range(48), 1000, longest):
            held = self_signed(key, padding)
            remainders.add(len(held.certificate) % 48)
            with connected(tmp_path, tls, held) as client:
                sent = client.get("/", headers=CLAIMED).text
            assert sent == f"Client-Cert: :{base64.b64encode(held.certificate).decode()}:"
        assert len(held.certificate) == 64 * 48
        with connected(tmp_path, tls, self_signed(key, longest + 1)) as client:
            assert client.get("/", headers=CLAIMED).text == ""
        with connected(tmp_path, tls, self_signed(key, days=-1)) as client:
            assert client.get("/").status_code == 400, "nor does one that has expired get further than the proxy"
        with connected(tmp_path, tls) as client:
            assert client.get("/", headers=CLAIMED).text == ""
    assert remainders == set(range(48))


def test_the_site_as_it_is_shipped_asks_for_no_certificate_and_removes_what_is_claimed(
    tmp_path: Path, upstream: int
) -> None:
    with proxied(tmp_path, upstream) as (plain, tls), connected(tmp_path, tls, self_signed()) as client:
        assert client.get("/", headers=CLAIMED).text == ""
        assert client.get(f"{plain}/pki/issuing.crl", headers=CLAIMED).text == ""

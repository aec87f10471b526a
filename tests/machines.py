"""A machine's side of its login: private_key_jwt (RFC 7523), DPoP (RFC 9449), and an office whose system is registered.

Written from the RFCs, with joserfc, and sharing no code with the service.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.live import LiveOffice, expect

PUBLIC_URL = "http://127.0.0.1:8000"
"""The setting's default: what proofs name, wherever the test's server really listens."""
TOKEN_ADDRESS = f"{PUBLIC_URL}/oauth2/token"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Key = ECKey | RSAKey | OKPKey
_ALGORITHMS: dict[type[Key], str] = {ECKey: "ES256", RSAKey: "PS256", OKPKey: "Ed25519"}


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def signed(header: dict[str, Any], claims: dict[str, Any], key: Key) -> str:
    alg = _ALGORITHMS[type(key)]
    registry = jws.JWSRegistry(algorithms=[alg])
    registry.max_header_length = 4096
    return jws.serialize_compact({"alg": alg, **header}, json.dumps(claims), key, registry=registry)


def assertion(client_id: str, key: Key, **changes: Any) -> str:
    """A client assertion; `changes` replace or, with None, remove claims."""
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": TOKEN_ADDRESS, "iat": now, "exp": now + 60}
    claims |= {"jti": secrets.token_hex(16)} | changes
    return signed({"typ": "JWT"}, {name: value for name, value in claims.items() if value is not None}, key)


def proof(key: Key, method: str, url: str, token: str | None = None, **changes: Any) -> str:
    """A DPoP proof; `changes` replace or, with None, remove claims."""
    claims = {"jti": secrets.token_hex(16), "htm": method, "htu": url, "iat": int(time.time())}
    claims |= ({"ath": digest(token)} if token else {}) | changes
    header = {"typ": "dpop+jwt", "jwk": key.as_dict(private=False)}
    return signed(header, {name: value for name, value in claims.items() if value is not None}, key)


def certificate(name: str = "示例市政务服务平台", days: int = 30) -> bytes:
    """A self-signed TLS client certificate, DER. Its key is not needed: the proxy has seen it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=days))
    return built.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def client_cert(der: bytes) -> dict[str, str]:
    """The field by which a proxy hands a certificate on (RFC 9440)."""
    return {"Client-Cert": f":{base64.b64encode(der).decode()}:"}


class DpopAuth(httpx.Auth):
    """Every request with the token and a fresh proof."""

    def __init__(self, token: str, key: Key, public_url: str = PUBLIC_URL) -> None:
        self.token, self.key, self.public_url = token, key, public_url

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        url = self.public_url + urlsplit(str(request.url)).path
        request.headers["Authorization"] = f"DPoP {self.token}"
        request.headers["DPoP"] = proof(self.key, request.method, url, self.token)
        yield request


def asserted(client_id: str, key: Key, dpop: Key | None = None, public_url: str = PUBLIC_URL) -> dict[str, Any]:
    """What to post to the token endpoint."""
    url = f"{public_url}/oauth2/token"
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion(client_id, key, aud=public_url),
    }
    return {"data": form, "headers": {"DPoP": proof(dpop, "POST", url)} if dpop else {}}


REGISTRATION: dict[str, Any] = {
    "name": "示例市政务服务平台",
    "address": "https://service.example/",
    "network_environment": "政务外网",
    "department": "信息科",
    "source_networks": ["127.0.0.0/8"],
    "technical_contact": "样某技",
    "technical_phone": "000-4711",
}


@dataclass
class RegisteredSystem:
    """An office's business system, registered, approved and tied, with one key."""

    office: LiveOffice
    key: Key = field(default_factory=lambda: ECKey.generate_key("P-256"))
    changes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        keeper, maker = self.office.keeper, self.office.maker
        self.registered = expect(201, keeper.post("/v1/application-systems", json=REGISTRATION | self.changes))
        self.path = f"/v1/application-systems/{self.registered['id']}"
        expect(200, maker.post(f"{self.path}/decision", json={"approve": True}))
        self.client_id = self.office.system_id
        expect(200, keeper.post(f"{self.path}/account", json={"account_id": self.client_id}))
        self.credential = expect(201, self.add(kind="jwk", public_key=self.key.as_dict(private=False)))

    def add(self, **body: Any) -> httpx.Response:
        """Ask for one more credential."""
        return self.office.keeper.post(f"{self.path}/credentials", json=body)

    def ask(
        self, dpop: Key | None = None, key: Key | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Ask for a token by private_key_jwt."""
        asking = asserted(self.client_id, key or self.key, dpop)
        return self.office.city.public.post(
            "/oauth2/token", data=asking["data"], headers=asking["headers"] | (headers or {})
        )

    def token(self, dpop: Key | None = None, key: Key | None = None) -> str:
        """A token."""
        return str(expect(200, self.ask(dpop, key))["access_token"])

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Log entries of a kind."""
        found = self.office.auditor.get("/v1/log/entries", params={"kind": kind})
        return list(expect(200, found)["items"])

"""机器凭证: client assertions (RFC 7523), DPoP proofs (RFC 9449), client certificates (RFC 8705).

Algorithms are those of FAPI 2.0 (5.4.1): ES256, PS256 and Ed25519 (RFC 9864). RS256 is PKCS #1 v1.5 and left out, and
`none` and HMAC are never among them: what is checked is whether somebody holds a private key.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from seal_service.domain.errors import CredentialRefused, Unauthenticated
from seal_service.domain.machine import CredentialKind, SystemCredential
from seal_service.ports.machines import PresentedProof, PublicKeyFacts, Shown

ALGORITHMS = ("ES256", "PS256", "Ed25519")
TOKEN_PATH = "/oauth2/token"  # noqa: S105
LONGEST_ASSERTION_LIFE = timedelta(minutes=5)
PROOF_AGE = timedelta(seconds=60)
"""How far a proof's time may lie from ours, on either side: clocks of servers differ by less."""
SKEW = timedelta(seconds=30)
"""How far a client's clock may be ahead or behind for an assertion."""
_SMALLEST_RSA_BITS, _LARGEST_RSA_BITS = 2048, 4096
_LONGEST_JWS = 8192
_LONGEST_JWK = 2048
_LONGEST_JTI = 256
_LONGEST_CERTIFICATE = 16 * 1024
_KINDS: dict[str, type[ECKey | RSAKey | OKPKey]] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey}
_PUBLIC_MEMBERS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}
_ALGORITHM_OF = {("EC", "P-256"): "ES256", ("RSA", None): "PS256", ("OKP", "Ed25519"): "Ed25519"}
_Key = ECKey | RSAKey | OKPKey


class _Registry(jws.JWSRegistry):
    """Headers may be as long as one with the public key of RSA with 4096 bits is."""

    max_header_length = 2048


_REGISTRY = _Registry(algorithms=list(ALGORITHMS))


@dataclass(frozen=True)
class JoseMachineProofs:
    """The port MachineProofs, for a service that is reached under one address."""

    public_url: str
    """What proofs name (`htu`) and assertions are for (`aud`): the setting, never the request's own Host."""

    def client_of(self, assertion: str) -> str:
        """Whom a client assertion claims to be from."""
        return _text(_claims(_opened(assertion)), "sub")

    def check_assertion(
        self, assertion: str, client_id: str, credentials: Sequence[SystemCredential], now: datetime
    ) -> tuple[SystemCredential, Shown]:
        """The credential whose key signed it (RFC 7523, 3): issuer and subject are the client, for us, short-lived."""
        opened = _opened(assertion)
        claims = _claims(opened)
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        ours = (self.public_url, self.public_url.rstrip("/") + TOKEN_PATH)
        if _text(claims, "iss") != client_id or _text(claims, "sub") != client_id or not set(ours) & _texts(named):
            raise Unauthenticated
        ends = _moment(claims, "exp")
        if not now - SKEW < ends <= now + LONGEST_ASSERTION_LIFE + SKEW:
            raise Unauthenticated
        if any(name in claims and _moment(claims, name) > now + SKEW for name in ("nbf", "iat")):
            raise Unauthenticated
        jti = _text(claims, "jti")
        for credential in credentials:
            if credential.kind is CredentialKind.KEY and credential.public_key and credential.thumbprint:
                key, algorithm = _registered(credential.public_key)
                if _verifies(assertion, key, algorithm):
                    once = _once("assertion", credential.account_id, jti)
                    return credential, Shown(thumbprint=credential.thumbprint, once=once, until=ends + SKEW)
        raise Unauthenticated

    def check_proof(self, presented: PresentedProof, token: str | None, now: datetime) -> Shown:
        """The key that signed it (RFC 9449, 4.3): for this method and address, now, for this token if any."""
        opened = _opened(presented.proof)
        header = opened.headers()
        if header.get("typ") != "dpop+jwt":
            raise Unauthenticated
        try:
            key, algorithm, jwk = _key_of(header.get("jwk"))
        except CredentialRefused as error:
            raise Unauthenticated from error
        if not _verifies(presented.proof, key, algorithm):
            raise Unauthenticated
        claims = _claims(opened)
        at = _moment(claims, "iat")
        wanted = _address(self.public_url.rstrip("/") + presented.path)
        if _text(claims, "htm") != presented.method or _address(_text(claims, "htu")) != wanted:
            raise Unauthenticated
        if abs(now - at) > PROOF_AGE:
            raise Unauthenticated
        if token is not None and claims.get("ath") != _digest(token.encode("ascii", "replace")):
            raise Unauthenticated
        thumbprint = _digest(jwk.encode())
        return Shown(
            thumbprint=thumbprint,
            once=_once("proof", thumbprint, _text(claims, "jti")),
            until=at + PROOF_AGE + timedelta(seconds=1),
        )

    def read_key(self, jwk: str) -> PublicKeyFacts:
        """A public key to be registered."""
        if len(jwk) > _LONGEST_JWK:
            raise CredentialRefused("A public key (JWK) has at most 2048 characters", field="public_key")
        try:
            given = json.loads(jwk)
        except (ValueError, RecursionError) as error:
            raise CredentialRefused("The public key is no JSON Web Key (RFC 7517)", field="public_key") from error
        _, _, content = _key_of(given)
        return PublicKeyFacts(content=content, thumbprint=_digest(content.encode()))

    def read_certificate(self, certificate: bytes) -> PublicKeyFacts:
        """A certificate to be registered."""
        pem = certificate.lstrip().startswith(b"-----BEGIN")
        try:
            if len(certificate) > _LONGEST_CERTIFICATE:
                raise ValueError("too long")
            loaded = x509.load_pem_x509_certificate(certificate) if pem else x509.load_der_x509_certificate(certificate)
            return PublicKeyFacts(
                content=loaded.subject.rfc4514_string()[:500],
                thumbprint=self.thumbprint_of(loaded.public_bytes(Encoding.DER)),
                not_after=loaded.not_valid_after_utc,
            )
        except ValueError as error:
            raise CredentialRefused(
                "The certificate is no X.509 certificate, PEM or DER", field="certificate"
            ) from error

    def thumbprint_of(self, certificate: bytes) -> str:
        """x5t#S256 (RFC 8705, 3.1)."""
        return _digest(certificate)


def _opened(compact: str) -> jws.CompactSignature:
    if len(compact) > _LONGEST_JWS:
        raise Unauthenticated
    try:
        return jws.extract_compact(compact.encode("ascii"), registry=_REGISTRY)
    except (JoseError, ValueError, RecursionError) as error:
        raise Unauthenticated from error


def _claims(opened: jws.CompactSignature) -> Mapping[str, Any]:
    try:
        found = json.loads(opened.payload)
    except (ValueError, RecursionError) as error:
        raise Unauthenticated from error
    if not isinstance(found, dict):
        raise Unauthenticated
    return found


def _verifies(compact: str, key: _Key, algorithm: str) -> bool:
    try:
        return jws.deserialize_compact(compact, key, registry=_REGISTRY).headers().get("alg") == algorithm
    except (JoseError, ValueError):
        return False


@lru_cache(maxsize=1000)
def _registered(jwk: str) -> tuple[_Key, str]:
    key, algorithm, _ = _key_of(json.loads(jwk))
    return key, algorithm


def _key_of(jwk: object) -> tuple[_Key, str, str]:
    """A public key, its one algorithm, and its required members as canonical JSON (RFC 7638, 3)."""
    if not isinstance(jwk, dict):
        raise CredentialRefused("A public key is a JSON object (RFC 7517)", field="public_key")
    kind = str(jwk.get("kty"))
    if kind not in _KINDS:
        raise CredentialRefused("A key is EC (P-256), RSA (2048 to 4096 bits) or OKP (Ed25519)", field="public_key")
    if set(jwk) & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}:
        raise CredentialRefused("This is a private key: register its public half alone", field="public_key")
    members = {name: jwk.get(name) for name in _PUBLIC_MEMBERS[kind]}
    if not all(isinstance(one, str) for one in members.values()):
        raise CredentialRefused("A member of the key is missing", field="public_key")
    content = json.dumps(members, sort_keys=True, separators=(",", ":"))
    algorithm = _ALGORITHM_OF.get((kind, None if kind == "RSA" else str(jwk.get("crv"))))
    if algorithm is None or jwk.get("alg", algorithm) != algorithm:
        raise CredentialRefused(f"Algorithms are {', '.join(ALGORITHMS)}", field="public_key")
    return _imported(content, kind), algorithm, content


@lru_cache(maxsize=1000)
def _imported(content: str, kind: str) -> _Key:
    """Kept for the next call: to make a key of its numbers takes about as long as to check a signature."""
    members = json.loads(content)
    if kind == "RSA" and not _SMALLEST_RSA_BITS // 6 < len(members["n"]) <= _LARGEST_RSA_BITS // 6 + 2:
        raise CredentialRefused("An RSA key has 2048 to 4096 bits", field="public_key")
    try:
        key = _KINDS[kind].import_key(members)
        key.public_key  # noqa: B018 - made when it is first asked for
    except (JoseError, ValueError, TypeError) as error:
        raise CredentialRefused("The key's numbers make no key", field="public_key") from error
    return key


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    longest = _LONGEST_JTI if name == "jti" else 2048
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        raise Unauthenticated
    return value


def _texts(values: Sequence[object]) -> set[str]:
    return {one for one in values if isinstance(one, str)}


def _moment(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unauthenticated
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise Unauthenticated from error


def _address(url: str) -> tuple[str, str, int | None, str]:
    """A URL as RFC 9449, 4.3, compares it: normalised, without query and fragment."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme.lower())
        return parts.scheme.lower(), (parts.hostname or "").lower(), port, parts.path or "/"
    except ValueError as error:
        raise Unauthenticated from error


def _digest(content: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _once(kind: str, by: str, jti: str) -> str:
    return hashlib.sha256(json.dumps([kind, by, jti]).encode()).hexdigest()

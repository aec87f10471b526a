"""Ports of people's way in: password hashes, one-time codes, certificates, the identity provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from seal_service.domain.second_factor import KeyFamily


class Passwords(Protocol):
    """Password hashes (argon2id). Stateless; safe for threads; each call costs memory and time on purpose."""

    def hashed(self, password: str) -> str:
        """A fresh hash with its salt."""

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the hashed one; takes as long for None (an unknown account)."""


class OneTimeCodes(Protocol):
    """动态口令 (RFC 6238, HMAC-SHA-256). Stateless; safe for threads."""

    def address(self, key: bytes, account_name: str) -> str:
        """The `otpauth://` address by which an authenticator application takes in the key."""

    def counters(self, key: bytes, code: str, now: datetime) -> Sequence[int]:
        """The time steps around now whose code this is; empty when it is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCertificate:
    """A certificate by which a person signs in, as it was judged."""

    sha256: str
    family: KeyFamily
    subject: str


class PersonCertificates(Protocol):
    """Certificates of people, judged by the anchors that are set for them. Safe for threads."""

    def judged(self, certificate: bytes) -> PersonCertificate:
        """What it is; CertificateRefused with every reason, KeyFamilyUnsupported, InvalidInput for no certificate."""

    def is_signed(self, certificate: bytes, message: bytes, signature: bytes) -> bool:
        """Whether its key made the signature over the message (SHA-256; RSA PKCS #1 v1.5 or PSS, ECDSA as DER)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VouchedIdentity:
    """Whom an identity provider vouches for."""

    issuer: str
    subject: str
    roles: tuple[str, ...]
    """Values of the claim that roles are read from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRequest:
    """登录请求: with what a browser is sent to the provider (RFC 6749, 4.1.1; OpenID Connect Core, 3.1.2.1)."""

    redirect_uri: str
    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    """Of PKCE (RFC 7636): the browser carries its digest alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAnswer:
    """授权码 with which the browser came back, and whose it says to be (RFC 9207)."""

    code: str = field(repr=False)
    issuer: str | None


class IdentityProvider(Protocol):
    """身份提供方 (OpenID Connect). Safe for threads."""

    @property
    def issuer(self) -> str:
        """Whose tokens are taken."""

    def vouched(self, id_token: str, nonce: str | None, now: datetime) -> VouchedIdentity:
        """Whom the token is for; Unauthenticated for one that does not hold, IdentityProviderUnavailable."""

    def address_for(self, request: ProviderRequest, now: datetime) -> str:
        """Where a browser asks for a code; IdentityProviderUnavailable."""

    def id_token_for(self, answer: ProviderAnswer, request: ProviderRequest, now: datetime) -> str:
        """The id token for a code; Unauthenticated for one that is not taken, IdentityProviderUnavailable."""

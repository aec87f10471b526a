"""Ports by which a machine shows who it is: signed assertions, proofs of possession, certificates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from seal_service.domain.machine import SystemCredential


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedProof:
    """A DPoP proof as it came, and the request that it came with."""

    proof: str
    method: str
    path: str
    """As it stands in the request line, without its query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Something that was signed for one use: what it proves, and how long it has to be remembered."""

    thumbprint: str
    """base64url SHA-256 of the JWK (RFC 7638)."""
    once: str
    """What must never come again: 64 hexadecimal characters."""
    until: datetime
    """When it would be refused for its age anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKeyFacts:
    """A public key or certificate as it is kept."""

    content: str
    """Of a key its JWK as canonical JSON; of a certificate its subject."""
    thumbprint: str
    not_after: datetime | None = None
    """Of a certificate."""


class MachineProofs(Protocol):
    """Checks what machines sign. Stateless; safe for threads. Refusals are Unauthenticated, and never say why."""

    def client_of(self, assertion: str) -> str:
        """Whom a client assertion claims to be from: nothing is checked yet."""

    def check_assertion(
        self, assertion: str, client_id: str, credentials: Sequence[SystemCredential], now: datetime
    ) -> tuple[SystemCredential, Shown]:
        """The credential whose key signed a client assertion (RFC 7523, 3)."""

    def check_proof(self, presented: PresentedProof, token: str | None, now: datetime) -> Shown:
        """The key that signed a DPoP proof (RFC 9449, 4.3); with a token, for this token."""

    def read_key(self, jwk: str) -> PublicKeyFacts:
        """A public key to be registered; CredentialRefused for what cannot be one."""

    def read_certificate(self, certificate: bytes) -> PublicKeyFacts:
        """A certificate (PEM or DER) to be registered; CredentialRefused for what cannot be one."""

    def thumbprint_of(self, certificate: bytes) -> str:
        """x5t#S256 of a certificate in DER."""


class ReplayGuard(Protocol):
    """Remembers what may be shown once. Safe for threads and for all processes of the service."""

    def is_first(self, once: str, until: datetime, now: datetime) -> bool:
        """Whether this was never shown before: of any number at once, exactly one is told so. Kept until `until`."""

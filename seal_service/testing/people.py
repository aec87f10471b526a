"""Fakes of people's way in: passwords in the clear, certificates that say of themselves what they are."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from seal_service.domain.errors import CertificateRefused, Unauthenticated
from seal_service.domain.second_factor import KeyFamily
from seal_service.ports.people import PersonCertificate, ProviderAnswer, ProviderRequest, VouchedIdentity

STEP_SECONDS = 30


@dataclass
class PlainPasswords:
    """Passwords that are their own hashes, and how often one was compared."""

    compared: int = 0

    def hashed(self, password: str) -> str:
        """The password."""
        return f"plain:{password}"

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether they are equal."""
        self.compared += 1
        return password_hash == f"plain:{password}"


class PlainCodes:
    """Codes that are the number of their step."""

    def address(self, key: bytes, account_name: str) -> str:
        """With the key in hexadecimal."""
        return f"otpauth://totp/{account_name}?secret={key.hex()}"

    def counters(self, key: bytes, code: str, now: datetime) -> Sequence[int]:
        """The step itself, if it is now, one before or one after."""
        del key
        present = int(now.timestamp()) // STEP_SECONDS
        return [one for one in (present - 1, present, present + 1) if code == f"{one:06d}"[-6:]]


@dataclass
class TrustingPersonCertificates:
    """Takes every certificate but those that were revoked; signatures are HMACs under the certificate."""

    revoked: set[bytes] = field(default_factory=set)

    def judged(self, certificate: bytes) -> PersonCertificate:
        """As it is."""
        if certificate in self.revoked:
            raise CertificateRefused
        digest = hashlib.sha256(certificate).hexdigest()
        return PersonCertificate(sha256=digest, family=KeyFamily.ECDSA, subject=digest[:8])

    def is_signed(self, certificate: bytes, message: bytes, signature: bytes) -> bool:
        """Whether the signature is the HMAC."""
        return hmac.compare_digest(hmac.digest(certificate, message, "sha256"), signature)


@dataclass
class ListedIdentities:
    """An identity provider whose tokens are the names of those it knows."""

    known: Mapping[str, tuple[str, tuple[str, ...]]]
    """Token → subject, roles."""
    issuer: str = "https://identity.example"

    def vouched(self, id_token: str, nonce: str | None, now: datetime) -> VouchedIdentity:
        """Whom it lists; Unauthenticated."""
        del nonce, now
        if id_token not in self.known:
            raise Unauthenticated
        subject, roles = self.known[id_token]
        return VouchedIdentity(issuer=self.issuer, subject=subject, roles=roles)

    def address_for(self, request: ProviderRequest, now: datetime) -> str:
        """With the state alone."""
        del now
        return f"{self.issuer}/authorize?state={request.state}"

    def id_token_for(self, answer: ProviderAnswer, request: ProviderRequest, now: datetime) -> str:
        """The code, if it is one of the tokens; Unauthenticated."""
        del request, now
        if answer.code not in self.known or answer.issuer not in (None, self.issuer):
            raise Unauthenticated
        return answer.code

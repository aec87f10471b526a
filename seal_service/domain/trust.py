"""信任锚 and further certificates that operators entered (articles 7, 9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from seal_service.domain.errors import InvalidInput

LONGEST_NOTE = 500
MOST_ADDRESSES = 10
LONGEST_ADDRESS = 500
"""Characters; all that is entered stands in the log, whose entries are bounded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedCertificate:
    """信任锚: a certificate of another system that an operator entered; trusted for neither purpose, it is an
    intermediate that only helps to build chains."""

    id: str
    """SHA-256 of the certificate, lower-case hexadecimal."""
    certificate: bytes
    for_signatures: bool
    for_timestamps: bool
    note: str
    """Where it came from and how its digest was compared."""
    revocation_addresses: tuple[str, ...]
    """URL prefixes under which revocation data on what this certificate issued may be fetched."""
    added_by: str
    added_at: datetime
    confirmed_at: datetime
    """When someone last compared it with what its owner publishes."""
    removed_at: datetime | None = None

    @property
    def is_anchor(self) -> bool:
        """Whether a chain may end here."""
        return self.for_signatures or self.for_timestamps


def overdue(trusted: TrustedCertificate, now: datetime, allowed: timedelta) -> bool:
    """Whether an anchor was last confirmed longer ago than allowed."""
    return trusted.removed_at is None and trusted.is_anchor and now - trusted.confirmed_at > allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityCertificate:
    """What the certificate of another authority says of itself."""

    sha256: str
    """Of the certificate (DER), lower-case hexadecimal."""
    subject: str
    issuer: str
    serial: str
    """Lower-case hexadecimal."""
    not_before: datetime
    not_after: datetime
    key: str
    """Kind and size of its key, in words."""
    signature: str
    """How it is signed, in words."""
    is_authority: bool
    """Basic constraints: cA (RFC 5280, 4.2.1.9)."""
    may_sign_certificates: bool
    """Key usage: keyCertSign, or no such extension (RFC 5280, 4.2.1.3)."""
    is_self_signed: bool
    """Issuer and subject are the same, and its own key made its signature."""
    weakness: str | None
    """Why its key or signature is not strong enough, or not known here."""


def reasons_against(found: AuthorityCertificate, now: datetime, *, root_expected: bool) -> Iterator[str]:
    """Every reason for which a certificate is not taken in; none: it may be.

    `root_expected`: a chain is to end here, so it has to be self-signed.
    """
    if found.not_after <= now:
        yield f"it ended {found.not_after.isoformat()}"
    if found.not_before > now:
        yield f"it begins only {found.not_before.isoformat()}"
    if not found.is_authority:
        yield "it is not a certificate authority's (basic constraints)"
    if not found.may_sign_certificates:
        yield "its key is not for signing certificates (key usage without keyCertSign)"
    if found.weakness is not None:
        yield found.weakness
    if root_expected and not found.is_self_signed:
        yield "it is not self-signed: enter the root, or say that chains may end at an issuer below it"


def checked_note(note: str) -> str:
    """The note without spaces around it; InvalidInput for none or one of more than 500 characters."""
    text = note.strip()
    if not 0 < len(text) <= LONGEST_NOTE or not text.isprintable():
        raise InvalidInput(
            f"The note is 1 to {LONGEST_NOTE} characters: where the certificate came from, how its digest was compared",
            field="note",
        )
    return text

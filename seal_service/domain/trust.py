"""信任锚 and further certificates that operators entered (articles 7, 9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


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

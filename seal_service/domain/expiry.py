"""到期提醒: what ends soon, whatever it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

THRESHOLDS = (90, 30, 7, 1)
"""Days before the end at which it is told, each once."""


class ExpiringKind(StrEnum):
    """What can end."""

    SEAL = "seal"
    CERTIFICATE = "certificate"  # of a seal
    AUTHORITY = "authority"  # the service's own certificates
    CREDENTIAL = "credential"  # with which the service or someone here identifies itself
    GRANT = "grant"
    TRUST_ANCHOR = "trust_anchor"
    CRL = "crl"  # revocation data of outside authorities


OF_UNITS = frozenset({ExpiringKind.SEAL, ExpiringKind.CERTIFICATE, ExpiringKind.GRANT})
"""Kinds that belong to a unit; its staff see their own of these, and no other kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiring:
    """到期事项: one thing that ends."""

    kind: ExpiringKind
    id: str
    ends_at: datetime
    name: str
    unit_id: str | None = None
    seal_code: str | None = None
    what_to_do: str = ""

    @property
    def place(self) -> tuple[datetime, str, str]:
        """Its place in the list: what ends first stands first."""
        return self.ends_at, self.kind.value, self.id


def threshold(ends_at: datetime, now: datetime) -> int | None:
    """The narrowest threshold that has been reached, in days; None while the end is farther away than all."""
    left = ends_at - now
    return min((days for days in THRESHOLDS if left <= timedelta(days=days)), default=None)

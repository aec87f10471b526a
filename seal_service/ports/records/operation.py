"""What operators enter and scheduled tasks see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from seal_service.domain.trust import TrustedCertificate


class TrustRecords(Protocol):
    """信任锚 that operators entered."""

    def add(self, trusted: TrustedCertificate) -> None:
        """Insert; AlreadyRegistered when the certificate is there and not removed."""

    def lock(self, trusted_id: str) -> TrustedCertificate:
        """Read, locked until the transaction ends, removed ones too; TrustAnchorNotFound."""

    def replace(self, trusted: TrustedCertificate) -> None:
        """Write its present form."""

    def all(self) -> Sequence[TrustedCertificate]:
        """All that are not removed, by time of entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """观测: what a scheduled task last saw of something outside; every process reads it."""

    name: str
    at: datetime
    well: bool
    detail: str


class ObservationRecords(Protocol):
    """观测: the newest of each name."""

    def put(self, observation: Observation) -> None:
        """Write it in the place of the last one of its name."""

    def all(self) -> Sequence[Observation]:
        """All, by name."""

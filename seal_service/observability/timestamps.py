"""Time-stamping authorities that are measured."""

from __future__ import annotations

from urllib.parse import urlsplit

from seal_service.observability.metrics import PrometheusMeasurements
from seal_service.ports.crypto import TimestampAuthority


class MeasuredTimestampAuthority:
    """An authority whose answers are timed and counted, under the name of its host alone. Safe for threads."""

    def __init__(self, authority: TimestampAuthority, measurements: PrometheusMeasurements) -> None:
        self.name = authority.name
        self._host = urlsplit(authority.name).hostname or authority.name
        self._authority = authority
        self._measurements = measurements

    def timestamp(self, sha256: bytes) -> bytes:
        """A token over the digest; TimestampUnavailable."""
        with self._measurements.timestamping(self._host):
            return self._authority.timestamp(sha256)

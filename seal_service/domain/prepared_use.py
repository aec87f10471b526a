"""待签用印: a use in two steps, between what is to be signed and its signature (article 20: 分散式)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from seal_service.domain.algorithms import Suite

MOST_ATTEMPTS = 5
"""Wrong signatures after which a prepared use has failed: one may come of a wrong medium, five come of trying."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedUse:
    """待签用印: what is to be signed, by which certificate, until when; beside a use that is reserved."""

    use_id: str
    seal_code: str
    to_be_signed: bytes
    """DER of the signed attributes as a SET (RFC 5652, 5.4): what is hashed and signed, byte for byte."""
    suite: Suite
    certificate_serial: str
    kept: str
    """Digest of what completes it, kept encrypted: the request, the document, the revision with its gap."""
    prepared_at: datetime
    expires_at: datetime
    attempts: int = 0
    """How many signatures were refused."""
    signature_sha256: str | None = None
    """Of the first good signature, which alone can complete it; None as long as none came."""
    released_at: datetime | None = None
    """When what completes it was removed."""

    def expired(self, now: datetime) -> bool:
        """Whether it can no longer be completed; its time is over when it is over."""
        return now >= self.expires_at

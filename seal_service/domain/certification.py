"""证书申请: a key that waits for its certificate from an outside authority (article 9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from seal_service.domain.algorithms import Suite


class CertificateRequestState(StrEnum):
    """证书申请状态."""

    PENDING = "pending"
    ISSUED = "issued"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest:
    """证书申请: key and request (PKCS#10) for a seal to be made or renewed, until its certificate is in."""

    id: str
    seal_code: str
    """Of the seal to be renewed, or the code reserved for the one to be made."""
    application_id: str | None
    """The approved application of a seal to be made; None for a renewal."""
    suite: Suite
    key_reference: str
    request: bytes
    """CertificationRequest (RFC 2986), DER."""
    state: CertificateRequestState
    requested_by: str
    requested_at: datetime
    ended_at: datetime | None = None
    certificate_serial: str | None = None

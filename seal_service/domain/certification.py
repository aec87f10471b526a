"""证书申请: a key that waits for its certificate from an outside authority (article 9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from seal_service.domain.algorithms import Suite
from seal_service.domain.issuance import CertificateStatus, IssuedCertificate


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedCertificate:
    """A certificate as it came from outside, DER, with what came along and may lead to its issuer."""

    certificate: bytes
    further: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCertificate:
    """What a certificate from outside has to say so that a seal can be made with it."""

    public_key_info: bytes
    """SubjectPublicKeyInfo, DER."""
    organizations: frozenset[str]
    """One of them is the subject's O, as it was asked for."""
    common_name: str
    mentioned: frozenset[str]
    """Of a subject that is accepted as its authority made it: one of these stands somewhere in it."""
    any_subject: bool = False
    """Whether the maker looked at the subject and accepts another one than was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCertificate:
    """A certificate from outside that may be a seal's."""

    issued: IssuedCertificate
    suite: Suite
    chain: tuple[bytes, ...]
    """DER, from its issuer to the trust anchor."""
    subject: str
    issuer: str
    subject_as_asked: bool
    revocation_known: bool
    """Whether every certificate's revocation could be asked for; none is known to be revoked either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideCertificate:
    """外部机构证书: a seal's certificate whose status here only its own authority can tell the world."""

    seal_code: str
    serial: str
    subject: str
    issuer: str
    not_after: datetime
    status: CertificateStatus
    """As our records have it."""
    status_since: datetime | None
    reason: str | None
    revoked_by_issuer: bool | None
    """What its authority publishes now (a hold counts); None: nothing could be fetched."""

    @property
    def to_revoke(self) -> bool:
        """Whether its authority still has to be asked to put it on hold or to revoke it."""
        return self.status is not CertificateStatus.GOOD and self.revoked_by_issuer is not True

"""证书: what is asked of a certificate authority, and the state of what it issued (article 9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CertificateStatus(StrEnum):
    """证书状态, as CRL and OCSP say it."""

    GOOD = "good"
    ON_HOLD = "on_hold"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateSubject:
    """C=CN, O=统一社会信用代码+单位名称, CN=印章编码: the convention of the provinces' seals."""

    organization: str
    common_name: str
    country: str = "CN"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCertificate:
    """A certificate that our authority issued, with its status."""

    serial: str
    """Lower-case hexadecimal."""
    certificate: bytes
    not_before: datetime
    not_after: datetime
    status: CertificateStatus = CertificateStatus.GOOD
    status_since: datetime | None = None
    reason: str | None = None
    """RFC 5280, 5.3.1 name: certificate_hold, cessation_of_operation, key_compromise, …"""
    invalidity_date: datetime | None = None
    """RFC 5280, 5.3.2: from when on it is known or suspected to have been invalid, before it was revoked."""


class AuthorityRole(StrEnum):
    """The service's own keys with a certificate, in the embedded public-key infrastructure."""

    ROOT = "root"
    ISSUING = "issuing"
    OCSP = "ocsp"
    TIMESTAMP = "timestamp"
    STATUS = "status"
    REPORT = "report"
    """日志报告: signs what auditors take out of the log."""
    CROSS = "cross"
    """交叉证书: the root of the same version, certified by the root before it (RFC 4210, 4.4: new with old); its key is
    that root's, so it has none of its own and is rotated with the root alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityCredential:
    """A key of the service itself and its certificate; the newest version of a role is the one that signs."""

    role: AuthorityRole
    version: int
    key_reference: str
    certificate: bytes
    not_before: datetime
    not_after: datetime

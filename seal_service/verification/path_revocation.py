"""吊销检查 of a whole path: from what the document carries, and only if that does not suffice from the source."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from asn1crypto import x509
from pyhanko_certvalidator.path import ValidationPath

from seal_service.domain.errors import RevocationUnavailable
from seal_service.domain.verdict import Check, Outcome
from seal_service.formats.der import known_certificate
from seal_service.ports.crypto import RevocationSource
from seal_service.verification.findings import Revocation, check
from seal_service.verification.revocation import KEY_COMPROMISE, Evidence, Status, StatusFinding, status_of

_HOLD = "certificate_hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathStatus:
    """What is known of a path's certificates, and the evidence that decided."""

    revocation: Revocation
    check: Check
    used: frozenset[bytes] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationChecker:
    """Asks about every certificate of a path but its anchor."""

    embedded: Evidence
    certificates: tuple[x509.Certificate, ...]
    """That may have signed the evidence."""
    source: RevocationSource | None
    """None: offline."""
    most_items: int

    def check_path(self, path: ValidationPath, at: datetime, *, timestamp: bool) -> PathStatus:
        """The status of a path at a moment.

        For a time-stamping unit the moment is when it stamped; a revocation later than that counts only when the key
        was compromised (RFC 3161, 4).
        """
        used: set[bytes] = set()
        for position, certificate in enumerate(reversed(list(path.iter_certs(include_root=False)))):
            finding = self._status(certificate, path, at)
            if finding.item is not None:
                used.add(finding.item)
            if finding.status is Status.UNKNOWN:
                return _unknown(certificate, finding, used)
            if finding.status is Status.REVOKED and _counts(finding, at, timestamp=timestamp):
                return _revoked(certificate, finding, used, signer=position == 0)
        return PathStatus(
            revocation=Revocation.GOOD,
            check=check("revocation", Outcome.PASS, "证书链未被吊销", "no certificate of the chain was revoked"),
            used=frozenset(used),
        )

    def _status(self, certificate: x509.Certificate, path: ValidationPath, at: datetime) -> StatusFinding:
        """What the document carries, unless the source knows something newer that counts."""
        carried = status_of(certificate, path, self.embedded, self.certificates, at, self.most_items)
        newer_than_needed = carried.status is Status.GOOD and carried.made is not None and carried.made >= at
        for_good = carried.status is Status.REVOKED and carried.reason != _HOLD
        if self.source is None or newer_than_needed or for_good:
            return carried
        try:
            issuer = path.find_issuing_authority(certificate).certificate
            answer = self.source.evidence(certificate.dump(), issuer.dump(), None)
        except (RevocationUnavailable, LookupError, AttributeError):
            return carried
        others = [*self.certificates, *map(known_certificate, answer.further_certificates)]
        fetched = Evidence(ocsp_responses=answer.ocsp_responses, crls=answer.crls)
        together = status_of(certificate, path, self.embedded | fetched, others, at, self.most_items)
        return carried if together.status is carried.status is Status.GOOD else together


def _counts(finding: StatusFinding, at: datetime, *, timestamp: bool) -> bool:
    if finding.revoked_at is None or finding.revoked_at <= at:
        return True
    return timestamp and finding.reason in KEY_COMPROMISE


def _named(certificate: x509.Certificate) -> str:
    return str(certificate.subject.human_friendly)


def _unknown(certificate: x509.Certificate, finding: StatusFinding, used: set[bytes]) -> PathStatus:
    en = f"the status of {_named(certificate)} is not known: {finding.reason}"
    return PathStatus(
        revocation=Revocation.UNKNOWN,
        check=check("revocation", Outcome.UNKNOWN, "证书吊销状态未知", en),
        used=frozenset(used),
    )


def _revoked(certificate: x509.Certificate, finding: StatusFinding, used: set[bytes], *, signer: bool) -> PathStatus:
    when = finding.revoked_at.isoformat() if finding.revoked_at else "an unknown time"
    return PathStatus(
        revocation=Revocation.REVOKED if signer else Revocation.ISSUER_REVOKED,
        check=check(
            "revocation",
            Outcome.FAIL,
            f"证书已于 {when} 吊销",
            f"{_named(certificate)} was revoked at {when} ({finding.reason})",
        ),
        used=frozenset(used),
    )

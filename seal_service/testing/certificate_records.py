"""Fakes of the records of certificates: what our authority issued, and the service's own credentials."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from seal_service.domain import errors
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole, CertificateStatus, IssuedCertificate


class CertificateState(Protocol):
    """The part of the state that these fakes keep."""

    certificates: dict[str, IssuedCertificate]
    authorities: dict[tuple[AuthorityRole, int], AuthorityCredential]


@dataclass
class MemoryCertificates:
    """Certificates."""

    state: CertificateState

    def add(self, issued: IssuedCertificate) -> None:
        """Insert."""
        self.state.certificates[issued.serial] = issued

    def find(self, serial: str) -> IssuedCertificate | None:
        """Read."""
        return self.state.certificates.get(serial)

    def set_status(self, serial: str, status: CertificateStatus, at: datetime, reason: str | None) -> None:
        """Write."""
        if serial not in self.state.certificates:
            raise errors.CertificateNotFound
        issued = self.state.certificates[serial]
        self.state.certificates[serial] = replace(issued, status=status, status_since=at, reason=reason)

    def set_invalidity(self, serial: str, since: datetime) -> None:
        """Write."""
        if serial not in self.state.certificates:
            raise errors.CertificateNotFound
        self.state.certificates[serial] = replace(self.state.certificates[serial], invalidity_date=since)

    def not_good(self) -> Sequence[IssuedCertificate]:
        """By serial."""
        bad = (one for one in self.state.certificates.values() if one.status is not CertificateStatus.GOOD)
        return sorted(bad, key=lambda one: one.serial)

    def unexpired(self, now: datetime) -> Generator[IssuedCertificate, None, None]:
        """In the order of issue."""
        return (one for one in self.state.certificates.values() if one.not_after > now)


@dataclass
class MemoryAuthorities:
    """The service's own credentials."""

    state: CertificateState

    def add(self, credential: AuthorityCredential) -> None:
        """Insert."""
        self.state.authorities[credential.role, credential.version] = credential

    def newest(self, role: AuthorityRole) -> AuthorityCredential | None:
        """The highest version."""
        return max((one for one in self.all() if one.role is role), key=lambda one: one.version, default=None)

    def all(self) -> Sequence[AuthorityCredential]:
        """By role and version."""
        return sorted(self.state.authorities.values(), key=lambda one: (one.role.value, one.version))

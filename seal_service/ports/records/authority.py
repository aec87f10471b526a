"""Certificates, issued and asked for."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from typing import Protocol

from seal_service.domain.certification import CertificateRequest, CertificateRequestState
from seal_service.domain.issuance import (
    AuthorityCredential,
    AuthorityRole,
    CertificateStatus,
    IssuedCertificate,
)


class CertificateRecords(Protocol):
    """Certificates that our authority issued."""

    def add(self, issued: IssuedCertificate) -> None:
        """Insert."""

    def find(self, serial: str) -> IssuedCertificate | None:
        """Read by serial number (lower-case hex), or None."""

    def set_status(self, serial: str, status: CertificateStatus, at: datetime, reason: str | None) -> None:
        """Write a status; CertificateNotFound."""

    def set_invalidity(self, serial: str, since: datetime) -> None:
        """Write from when on it was invalid; CertificateNotFound."""

    def not_good(self) -> Sequence[IssuedCertificate]:
        """All that are on hold or revoked, by serial."""

    def unexpired(self, now: datetime) -> Generator[IssuedCertificate, None, None]:
        """All whose time has not ended, in no order, read as they are asked for: there may be very many.

        Who leaves off before the end closes it.
        """


class AuthorityRecords(Protocol):
    """The service's own credentials."""

    def add(self, credential: AuthorityCredential) -> None:
        """Insert."""

    def newest(self, role: AuthorityRole) -> AuthorityCredential | None:
        """The newest version for a role, or None."""

    def all(self) -> Sequence[AuthorityCredential]:
        """Every version of every role, by role and version."""


class CertificateRequestRecords(Protocol):
    """证书申请."""

    def add(self, request: CertificateRequest) -> None:
        """Insert; AlreadyRegistered."""

    def lock(self, request_id: str) -> CertificateRequest:
        """Read, locked until the transaction ends; CertificateRequestNotFound."""

    def replace(self, request: CertificateRequest) -> None:
        """Write the request's present form."""

    def chosen(
        self,
        state: CertificateRequestState | None = None,
        *,
        seal_code: str | None = None,
        application_id: str | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> Sequence[CertificateRequest]:
        """Requests in a state, of a seal, of an application and after an id, if they are named, by id: oldest first."""

    def names_key(self, key_reference: str) -> bool:
        """Whether any request names this key."""

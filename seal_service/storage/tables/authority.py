"""Tables of certificates, issued and asked for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Index,
)
from sqlalchemy.orm import Mapped, mapped_column

from seal_service.storage.tables.base import StoredRow


class IssuedCertificateRow(StoredRow):
    """A certificate that our authority issued."""

    __tablename__ = "issued_certificate"

    serial: Mapped[str] = mapped_column(primary_key=True)
    certificate: Mapped[bytes]
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    status: Mapped[str] = mapped_column(index=True)
    status_since: Mapped[datetime | None]
    reason: Mapped[str | None]
    invalidity_date: Mapped[datetime | None]


class AuthorityCredentialRow(StoredRow):
    """A credential of the service itself."""

    __tablename__ = "authority_credential"

    role: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key_reference: Mapped[str]
    certificate: Mapped[bytes]
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]


class CertificateRequestRow(StoredRow):
    """证书申请."""

    __tablename__ = "certificate_request"
    __table_args__ = (Index(None, "state", "requested_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    seal_code: Mapped[str] = mapped_column(index=True)
    application_id: Mapped[str | None] = mapped_column(ForeignKey("application.id"))
    suite: Mapped[str]
    key_reference: Mapped[str] = mapped_column(unique=True)
    request: Mapped[bytes]
    state: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    certificate_serial: Mapped[str | None]

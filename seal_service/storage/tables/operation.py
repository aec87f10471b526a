"""Tables that operators fill."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from seal_service.storage.tables.base import StoredRow


class TrustedCertificateRow(StoredRow):
    """信任锚."""

    __tablename__ = "trusted_certificate"

    id: Mapped[str] = mapped_column(primary_key=True)
    certificate: Mapped[bytes]
    for_signatures: Mapped[bool]
    for_timestamps: Mapped[bool]
    note: Mapped[str]
    revocation_addresses: Mapped[str]
    """One a line."""
    added_by: Mapped[str]
    added_at: Mapped[datetime]
    confirmed_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class ObservationRow(StoredRow):
    """观测."""

    __tablename__ = "observation"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    well: Mapped[bool]
    detail: Mapped[str]

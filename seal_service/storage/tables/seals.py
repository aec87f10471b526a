"""Tables of seals."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
)
from sqlalchemy.orm import Mapped, mapped_column

from seal_service.storage.tables.base import StoredRow


class SealRow(StoredRow):
    """电子印章."""

    __tablename__ = "seal"
    __table_args__ = (Index(None, "made_at"), Index(None, "unit_id", "made_at"))

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    seal_type: Mapped[str]
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"))
    application_id: Mapped[str] = mapped_column(ForeignKey("application.id"))
    impression_digest: Mapped[str]
    impression_width_mm: Mapped[float]
    impression_height_mm: Mapped[float]
    impression_dpi: Mapped[int]
    impression_ink_rgb: Mapped[str]
    state: Mapped[str]
    version: Mapped[int]
    epoch: Mapped[int]
    not_after: Mapped[datetime] = mapped_column(index=True)
    """Copied from the credentials of the newest version, so that lists can ask for expired seals."""
    made_at: Mapped[datetime]
    replaces_seal_code: Mapped[str | None]
    state_reason: Mapped[str | None]
    document_number: Mapped[str | None]
    history_note: Mapped[str | None]
    invalid_from: Mapped[datetime | None]
    medium_returned_on: Mapped[datetime | None]
    medium_destroyed_on: Mapped[datetime | None]
    keeper_id: Mapped[str | None]


class SealCredentialRow(StoredRow):
    """签章凭据."""

    __tablename__ = "seal_credential"

    id: Mapped[str] = mapped_column(primary_key=True)
    seal_code: Mapped[str] = mapped_column(ForeignKey("seal.code"), index=True)
    position: Mapped[int]
    """The place among the seal's credentials, from 0."""
    version: Mapped[int]
    suite: Mapped[str]
    purpose: Mapped[str]
    custody: Mapped[str]
    key_reference: Mapped[str]
    certificate: Mapped[bytes]
    serial: Mapped[str] = mapped_column(unique=True)
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]


class SealCodeSequenceRow(StoredRow):
    """印章编码序列: the last serial number given in an area."""

    __tablename__ = "seal_code_sequence"

    area_code: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)

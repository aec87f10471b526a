"""Tables of units, accounts and applications."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ForeignKey,
    Index,
)
from sqlalchemy.orm import Mapped, mapped_column

from seal_service.storage.tables.base import StoredRow


class UnitRow(StoredRow):
    """单位."""

    __tablename__ = "unit"
    __table_args__ = (Index(None, "registered_at"), Index(None, "area_code", "registered_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    unit_type: Mapped[str]
    credit_code: Mapped[str] = mapped_column(unique=True)
    area_code: Mapped[str]
    channel_unit_id: Mapped[str | None] = mapped_column(ForeignKey("unit.id"), index=True)
    registered_at: Mapped[datetime]


class AccountRow(StoredRow):
    """账户."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    roles: Mapped[str]
    """Sorted, separated by commas."""
    unit_id: Mapped[str | None] = mapped_column(ForeignKey("unit.id"))
    secret_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
    disabled_at: Mapped[datetime | None]


class ApplicationRow(StoredRow):
    """印章申请."""

    __tablename__ = "application"
    __table_args__ = (
        Index(None, "applied_at"),
        Index(None, "state", "applied_at"),
        Index(None, "unit_id", "applied_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"))
    seal_name: Mapped[str]
    seal_type: Mapped[str]
    impression_digest: Mapped[str]
    impression_width_mm: Mapped[float]
    impression_height_mm: Mapped[float]
    impression_dpi: Mapped[int]
    impression_ink_rgb: Mapped[str]
    replaces_seal_code: Mapped[str | None]
    state: Mapped[str]
    applied_by: Mapped[str]
    applied_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None]
    seal_code: Mapped[str | None]
    kind: Mapped[str] = mapped_column(server_default="new")
    changes_seal_code: Mapped[str | None]
    keeper_id: Mapped[str | None]
    channel_unit_id: Mapped[str | None]

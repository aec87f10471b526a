"""Tables of custody: uses in two steps, and the media that seals' keys are on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from seal_service.storage.tables.base import StoredRow


class PreparedUseRow(StoredRow):
    """待签用印."""

    __tablename__ = "prepared_use"
    __table_args__ = (Index(None, "released_at", "expires_at"),)

    use_id: Mapped[str] = mapped_column(ForeignKey("seal_use.id"), primary_key=True)
    seal_code: Mapped[str] = mapped_column(ForeignKey("seal.code"))
    to_be_signed: Mapped[bytes]
    suite: Mapped[str]
    certificate_serial: Mapped[str]
    kept: Mapped[str]
    prepared_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    attempts: Mapped[int]
    signature_sha256: Mapped[str | None]
    released_at: Mapped[datetime | None]


class MediumEventRow(StoredRow):
    """介质交接记录. Append-only."""

    __tablename__ = "medium_event"
    __table_args__ = (UniqueConstraint("seal_code", "position"), Index(None, "serial_number"))

    id: Mapped[str] = mapped_column(primary_key=True)
    seal_code: Mapped[str] = mapped_column(ForeignKey("seal.code"))
    position: Mapped[int]
    serial_number: Mapped[str]
    version: Mapped[int]
    act: Mapped[str]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    keeper: Mapped[str]
    giver: Mapped[str | None]
    witness: Mapped[str | None]


class SealActivationRow(StoredRow):
    """激活口令: who took a seal's key into custody, and wrong secrets since. The secret is nowhere."""

    __tablename__ = "seal_activation"

    seal_code: Mapped[str] = mapped_column(ForeignKey("seal.code"), primary_key=True)
    version: Mapped[int]
    taken_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    taken_at: Mapped[datetime]
    failures: Mapped[int]
    blocked_until: Mapped[datetime | None]


class SealConveyanceRow(StoredRow):
    """导入记录."""

    __tablename__ = "seal_conveyance"
    __table_args__ = (Index(None, "seal_code", "system_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    seal_code: Mapped[str] = mapped_column(ForeignKey("seal.code"))
    system_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    handle_sha256: Mapped[str]
    conveyed_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    conveyed_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]

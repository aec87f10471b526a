"""Tables of application systems, their credentials, units' persons, and proofs that were shown."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from seal_service.storage.tables.base import StoredRow


class ApplicationSystemRow(StoredRow):
    """接入系统."""

    __tablename__ = "application_system"

    id: Mapped[str] = mapped_column(primary_key=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"), index=True)
    name: Mapped[str]
    address: Mapped[str]
    network_environment: Mapped[str]
    department: Mapped[str]
    source_networks: Mapped[str]
    """In lines."""
    contacts: Mapped[bytes]
    state: Mapped[str]
    applied_by: Mapped[str]
    applied_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None]
    account_id: Mapped[str | None] = mapped_column(ForeignKey("account.id"), unique=True)
    change_id: Mapped[str | None]
    """None: no change was ever asked for; else the last one, in what follows."""
    change_address: Mapped[str | None]
    change_network_environment: Mapped[str | None]
    change_department: Mapped[str | None]
    change_source_networks: Mapped[str | None]
    change_contacts: Mapped[bytes | None]
    change_asked_by: Mapped[str | None]
    change_asked_at: Mapped[datetime | None]
    change_state: Mapped[str | None]
    change_decided_by: Mapped[str | None]
    change_decided_at: Mapped[datetime | None]
    change_decision_reason: Mapped[str | None]


class SystemCredentialRow(StoredRow):
    """系统凭据."""

    __tablename__ = "system_credential"

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    kind: Mapped[str]
    secret_hash: Mapped[str | None]
    public_key: Mapped[str | None]
    thumbprint: Mapped[str | None] = mapped_column(unique=True)
    subject: Mapped[str | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class UnitPersonRow(StoredRow):
    """人员."""

    __tablename__ = "unit_person"

    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    reference: Mapped[str] = mapped_column(primary_key=True)
    name_reference: Mapped[str]
    content: Mapped[bytes]
    registered_by: Mapped[str]
    registered_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class PresentedProofRow(StoredRow):
    """What was signed for one use, until it is refused for its age anyway; on PostgreSQL alone.

    There it is unlogged: what a crash loses was signed before it, and is refused for its age soon after. On SQLite,
    where one transaction writes at a time, files stand for it (`storage/replay.py`).
    """

    __tablename__ = "presented_proof"

    once: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[datetime] = mapped_column(index=True)

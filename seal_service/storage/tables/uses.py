"""Tables of grants and uses."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from seal_service.storage.tables.base import StoredRow


class GrantRow(StoredRow):
    """用印授权."""

    __tablename__ = "use_grant"
    __table_args__ = (
        Index(None, "granted_at"),
        Index(None, "seal_code", "grantee_id", "scenario", "granted_at"),
        Index(None, "grantee_id", "granted_at"),
        Index(None, "seal_code", "grantee_id", "scenario", "standing", "valid_until"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    seal_code: Mapped[str] = mapped_column(ForeignKey("seal.code"))
    grantee_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    scenario: Mapped[str]
    scenario_kind: Mapped[str]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    maximum_uses: Mapped[int | None] = mapped_column(BigInteger)
    responsible_person: Mapped[str]
    approval_number: Mapped[str]
    granted_by: Mapped[str]
    granted_at: Mapped[datetime]
    epoch: Mapped[int]
    revoked_at: Mapped[datetime | None]
    media_types: Mapped[str] = mapped_column(server_default="")
    """One a line, as `digests`."""
    most_pages: Mapped[int | None]
    digests: Mapped[str] = mapped_column(server_default="")
    uses_counted: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Uses that count against it, kept with every reservation and every end."""
    standing: Mapped[str] = mapped_column(server_default="open")
    """How a use finds it: `open`, `listed` (for the documents that it lists), `closed` (revoked or used up)."""


class SealUseRow(StoredRow):
    """用印."""

    __tablename__ = "seal_use"
    __table_args__ = (
        UniqueConstraint("account_id", "idempotency_key"),
        Index(None, "seal_code", "reserved_at"),
        Index(None, "grant_id", "state"),
        Index(None, "state", "reserved_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    idempotency_key: Mapped[str]
    request_digest: Mapped[str]
    seal_code: Mapped[str] = mapped_column(ForeignKey("seal.code"))
    seal_epoch: Mapped[int]
    grant_id: Mapped[str] = mapped_column(ForeignKey("use_grant.id"))
    grant_epoch: Mapped[int]
    scenario: Mapped[str]
    state: Mapped[str]
    document_sha256: Mapped[str] = mapped_column(index=True)
    document_sm3: Mapped[str]
    intent_entry_id: Mapped[str]
    intent_leaf_hash: Mapped[bytes] = mapped_column(index=True)
    reserved_at: Mapped[datetime]
    level_asked: Mapped[str]
    level_reached: Mapped[str | None]
    repaired_sha256: Mapped[str | None]
    sealed_sha256: Mapped[str | None] = mapped_column(index=True)
    terminal_entry_id: Mapped[str | None]
    terminal_leaf_hash: Mapped[bytes | None]
    ended_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    document_kept_until: Mapped[datetime | None] = mapped_column(index=True)
    approval_id: Mapped[str | None]
    approval_epoch: Mapped[int | None]


class IdempotencyRow(StoredRow):
    """Which request an idempotency key stood for, and what it made."""

    __tablename__ = "idempotency"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    made: Mapped[str]
    at: Mapped[datetime]

"""Tables of the signing log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    Integer,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from seal_service.storage.tables.base import StoredRow


class SignLogRow(StoredRow):
    """签章日志: an entry; `canon` is the truth, the other columns are projected from it. Append-only."""

    __tablename__ = "sign_log"
    __table_args__ = (
        UniqueConstraint("seal_code", "seq"),
        Index(None, "at"),
        Index(None, "seal_code", "at"),
        Index(None, "unit_id", "at"),
        Index(None, "account_id", "at"),
        Index(None, "operator_ref", "at"),
        Index(None, "document_sha256", "at"),
        Index(None, "scenario", "at"),
        Index(None, "kind", "at"),
        Index(None, "use_id"),
    )

    entry_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    seq: Mapped[int | None] = mapped_column(BigInteger)
    intent_id: Mapped[str | None]
    use_id: Mapped[str | None]
    seal_code: Mapped[str | None]
    unit_id: Mapped[str | None]
    account_id: Mapped[str | None]
    operator_ref: Mapped[str | None]
    scenario: Mapped[str | None]
    document_sha256: Mapped[str | None]
    result: Mapped[str]
    at: Mapped[datetime]
    canon: Mapped[bytes]
    leaf_hash: Mapped[bytes]


class LogTerminalRow(StoredRow):
    """The one entry that ends an intent. Append-only."""

    __tablename__ = "log_terminal"

    intent_id: Mapped[str] = mapped_column(ForeignKey("sign_log.entry_id"), primary_key=True)
    entry_id: Mapped[str] = mapped_column(ForeignKey("sign_log.entry_id"), unique=True)


class LogPendingRow(StoredRow):
    """Entries that wait for their place in the tree, in the order in which they were written."""

    __tablename__ = "log_pending"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    q: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), Identity(always=True), primary_key=True
    )
    entry_id: Mapped[str] = mapped_column(ForeignKey("sign_log.entry_id"), unique=True)


class PrivateFieldRow(StoredRow):
    """A personal field of an entry, encrypted. Append-only until retention has ended."""

    __tablename__ = "private_field"

    entry_id: Mapped[str] = mapped_column(ForeignKey("sign_log.entry_id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    ciphertext: Mapped[bytes]


APPEND_ONLY = frozenset({"sign_log", "log_terminal", "private_field", "medium_event"})
"""Tables whose rows never change: by triggers (the first migration) and by the authorizer of every connection."""

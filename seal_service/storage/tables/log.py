"""Tables of the signing log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from seal_service.storage.tables.base import StoredRow

_PLACE = BigInteger().with_variant(Integer, "sqlite")
"""On SQLite the row's own number."""


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

    q: Mapped[int] = mapped_column(_PLACE, Identity(always=True), primary_key=True)
    entry_id: Mapped[str] = mapped_column(ForeignKey("sign_log.entry_id"), unique=True)


class PrivateFieldRow(StoredRow):
    """A personal field of an entry, encrypted. Append-only until retention has ended."""

    __tablename__ = "private_field"

    entry_id: Mapped[str] = mapped_column(ForeignKey("sign_log.entry_id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    ciphertext: Mapped[bytes]


class LogLeafRow(StoredRow):
    """An entry's place in the tree. Append-only; no reference to `sign_log`, whose rows that would lock: audits ask."""

    __tablename__ = "log_leaf"

    idx: Mapped[int] = mapped_column(_PLACE, primary_key=True, autoincrement=False)
    entry_id: Mapped[str] = mapped_column(unique=True)
    leaf_hash: Mapped[bytes]


class LogHeadRow(StoredRow):
    """How far the log is sequenced, in one row: who locks it is the sequencer."""

    __tablename__ = "log_head"
    __table_args__ = (CheckConstraint("id = 1", name="ck_log_head_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(BigInteger)
    hashes: Mapped[bytes]
    """Of the complete subtrees, the largest first, 32 bytes each."""
    epoch: Mapped[int] = mapped_column(BigInteger)
    """How often it moved."""


class LogCheckpointRow(StoredRow):
    """A checkpoint as it was signed. Append-only."""

    __tablename__ = "log_checkpoint"

    size: Mapped[int] = mapped_column(_PLACE, primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    note: Mapped[bytes]
    at: Mapped[datetime]


class LogCosignatureRow(StoredRow):
    """A witness's signature line under a checkpoint. Append-only."""

    __tablename__ = "log_cosignature"

    size: Mapped[int] = mapped_column(_PLACE, ForeignKey("log_checkpoint.size"), primary_key=True, autoincrement=False)
    line: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class LogStatRow(StoredRow):
    """How many entries of the tree say the same, a row a day; empty text is what an entry does not say (no NULL: the
    key is one that an upsert finds)."""

    __tablename__ = "log_stat"

    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Of Asia/Shanghai, since 1970-01-01."""
    unit_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(primary_key=True)
    seal_code: Mapped[str] = mapped_column(primary_key=True)
    scenario: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    result: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


APPEND_ONLY = frozenset(
    {"sign_log", "log_terminal", "log_leaf", "log_checkpoint", "log_cosignature", "private_field", "medium_event"}
)
"""Tables whose rows never change: by triggers (of the migrations) and by the authorizer of every connection."""
QUEUES = frozenset({"log_pending"})
"""Tables that a row leaves when its entry has its place in the tree, never before, and that change in no other way: by
triggers too."""

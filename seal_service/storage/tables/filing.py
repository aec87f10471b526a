"""Table of what is filed with the province."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from seal_service.storage.tables.base import StoredRow

_OPEN = text("acknowledged_at IS NULL")


class FilingRow(StoredRow):
    """备案: written with its entry, in the acting transaction; never deleted."""

    __tablename__ = "filing"
    __table_args__ = (
        # With the condition's own column, or SQLite would look at every row to count what is open.
        Index(
            "ix_filing_open", "seal_code", "seq", "task", "acknowledged_at", sqlite_where=_OPEN, postgresql_where=_OPEN
        ),
        Index(None, "seal_code", "id"),
        Index(None, "area_code", "id"),
        {"sqlite_with_rowid": False},  # its key is text: a row number beside it would be one more tree to write
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[str] = mapped_column(ForeignKey("sign_log.entry_id"))
    task: Mapped[str]
    seal_code: Mapped[str]
    area_code: Mapped[str]
    seq: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    state: Mapped[str]
    attempts: Mapped[int]
    due_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    failure: Mapped[str | None]
    receipt: Mapped[str | None]
    acknowledged_at: Mapped[datetime | None]

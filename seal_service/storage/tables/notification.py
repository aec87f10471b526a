"""Table of what someone outside is told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from seal_service.storage.tables.base import StoredRow


class NotificationRow(StoredRow):
    """通知."""

    __tablename__ = "notification"
    __table_args__ = (Index(None, "state", "next_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    once: Mapped[str] = mapped_column(unique=True)
    event_id: Mapped[str]
    kind: Mapped[str]
    subject: Mapped[str]
    payload: Mapped[str]
    channel: Mapped[str]
    target: Mapped[str]
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    attempts: Mapped[int]
    state: Mapped[str]
    last_error: Mapped[str | None]
    ended_at: Mapped[datetime | None]

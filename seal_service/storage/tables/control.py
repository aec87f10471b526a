"""Table of the acts that take two people."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from seal_service.storage.tables.base import StoredRow


class ControlledRequestRow(StoredRow):
    """双人控制请求."""

    __tablename__ = "controlled_request"

    id: Mapped[str] = mapped_column(primary_key=True)
    act: Mapped[str]
    command: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(ForeignKey("account.id"))
    requested_at: Mapped[datetime]
    state: Mapped[str]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None]

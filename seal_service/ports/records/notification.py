"""What someone outside is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from seal_service.domain.notification import Notification, NotificationState


class NotificationRecords(Protocol):
    """通知."""

    def add(self, notification: Notification) -> None:
        """Insert; nothing when there is one with the same `once`."""

    def lock(self, notification_id: str) -> Notification:
        """Read, locked until the transaction ends; NotificationNotFound."""

    def replace(self, notification: Notification) -> None:
        """Write its present form."""

    def due(self, now: datetime, limit: int) -> Sequence[Notification]:
        """Those that wait and whose time has come, oldest first, locked; what others hold is left out."""

    def chosen(
        self, state: NotificationState | None = None, *, before: str | None = None, limit: int = 100
    ) -> Sequence[Notification]:
        """Newest first: in a state, and with a smaller id than one, if they are named."""

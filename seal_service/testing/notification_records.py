"""Fake of the records of notifications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seal_service.domain import errors
from seal_service.domain.notification import Notification, NotificationState


@dataclass
class MemoryNotifications:
    """通知."""

    kept: dict[str, Notification]

    def add(self, notification: Notification) -> None:
        """Insert."""
        if all(one.once != notification.once for one in self.kept.values()):
            self.kept[notification.id] = notification

    def lock(self, notification_id: str) -> Notification:
        """Read."""
        if notification_id not in self.kept:
            raise errors.NotificationNotFound
        return self.kept[notification_id]

    def replace(self, notification: Notification) -> None:
        """Write."""
        self.lock(notification.id)
        self.kept[notification.id] = notification

    def due(self, now: datetime, limit: int) -> Sequence[Notification]:
        """Oldest first."""
        waiting = (one for one in self.kept.values() if one.state is NotificationState.WAITING and one.next_at <= now)
        return sorted(waiting, key=lambda one: (one.next_at, one.id))[:limit]

    def chosen(
        self, state: NotificationState | None = None, *, before: str | None = None, limit: int = 100
    ) -> Sequence[Notification]:
        """Newest first."""
        found = (
            one for one in self.kept.values() if state in (None, one.state) and (before is None or one.id < before)
        )
        return sorted(found, key=lambda one: one.id, reverse=True)[:limit]

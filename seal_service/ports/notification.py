"""Port to whoever is told."""

from __future__ import annotations

from typing import Protocol

from seal_service.domain.notification import Notification


class NotificationSender(Protocol):
    """One channel. Safe for threads; bounded in time and size."""

    def send(self, notification: Notification) -> None:
        """Deliver; DeliveryFailed when it was not taken, or that cannot be told."""

"""通知."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from seal_service.domain.errors import NotificationNotFound
from seal_service.domain.notification import Notification, NotificationState
from seal_service.storage.locking import locked
from seal_service.storage.mapping.notifications import notification_of, notification_values
from seal_service.storage.tables import NotificationRow
from seal_service.storage.upsert import upsert

_ONE = locked(select(NotificationRow).where(NotificationRow.id == bindparam("notification_id")))


@dataclass(frozen=True, slots=True)
class SqlNotifications:
    """What someone outside is told."""

    connection: Connection

    def add(self, notification: Notification) -> None:
        """Insert; nothing when there is one with the same `once`."""
        values = notification_values(notification)
        first = upsert(self.connection, NotificationRow).values(**values)
        self.connection.execute(first.on_conflict_do_nothing(index_elements=["once"]))

    def lock(self, notification_id: str) -> Notification:
        """Read, locked; NotificationNotFound."""
        row = _ONE.on(self.connection).one(self.connection, notification_id=notification_id)
        if row is None:
            raise NotificationNotFound(notification_id=notification_id)
        return notification_of(row)

    def replace(self, notification: Notification) -> None:
        """Write the present form; NotificationNotFound."""
        changed = update(NotificationRow).where(NotificationRow.id == notification.id)
        if self.connection.execute(changed, notification_values(notification)).rowcount == 0:
            raise NotificationNotFound(notification_id=notification.id)

    def due(self, now: datetime, limit: int) -> Sequence[Notification]:
        """Oldest first, locked, without those that others hold (SQLite: there is nobody else)."""
        row = NotificationRow
        wanted = select(row).where(row.state == NotificationState.WAITING.value, row.next_at <= now)
        wanted = wanted.order_by(row.next_at, row.id).limit(limit)
        if self.connection.dialect.name == "postgresql":
            wanted = wanted.with_for_update(skip_locked=True)
        return [notification_of(one) for one in self.connection.execute(wanted)]

    def chosen(
        self, state: NotificationState | None = None, *, before: str | None = None, limit: int = 100
    ) -> Sequence[Notification]:
        """Newest first."""
        row = NotificationRow
        wanted = select(row).order_by(row.id.desc()).limit(limit)
        if state is not None:
            wanted = wanted.where(row.state == state.value)
        if before is not None:
            wanted = wanted.where(row.id < before)
        return [notification_of(one) for one in self.connection.execute(wanted)]

"""Notifications as rows, and back."""

from __future__ import annotations

from seal_service.domain.notification import Channel, Notification, NotificationState
from seal_service.storage.mapping.values import Values
from seal_service.storage.statement import Row


def notification_values(one: Notification) -> Values:
    """Columns of `notification`."""
    return {
        "id": one.id,
        "once": one.once,
        "event_id": one.event_id,
        "kind": one.kind,
        "subject": one.subject,
        "payload": one.payload,
        "channel": one.channel.value,
        "target": one.target,
        "created_at": one.created_at,
        "next_at": one.next_at,
        "attempts": one.attempts,
        "state": one.state.value,
        "last_error": one.last_error,
        "ended_at": one.ended_at,
    }


def notification_of(row: Row) -> Notification:
    """通知 of a row."""
    return Notification(
        id=row.id,
        once=row.once,
        event_id=row.event_id,
        kind=row.kind,
        subject=row.subject,
        payload=row.payload,
        channel=Channel(row.channel),
        target=row.target,
        created_at=row.created_at,
        next_at=row.next_at,
        attempts=row.attempts,
        state=NotificationState(row.state),
        last_error=row.last_error,
        ended_at=row.ended_at,
    )

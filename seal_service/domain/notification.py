"""通知: what someone outside is told of, from the acting transaction to its delivery or its end (article 24)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

MOST_ATTEMPTS = 12
FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)
LEASE = timedelta(minutes=2)
"""How long a process has for one delivery, before another one tries it."""


class Channel(StrEnum):
    """通知渠道."""

    WEBHOOK = "webhook"
    MAIL = "mail"


class NotificationState(StrEnum):
    """通知状态: `dead` was given up after the last attempt, and waits for a person."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom to tell, and how."""

    channel: Channel
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """通知: one message for one target; at least once, its event's id tells doubles."""

    id: str
    once: str
    """What it is about and for whom: there is never a second one with the same."""
    event_id: str
    """The log entry that it tells of, or what stands for it."""
    kind: str
    subject: str
    payload: str
    """JSON."""
    channel: Channel
    target: str
    created_at: datetime
    next_at: datetime
    attempts: int = 0
    state: NotificationState = NotificationState.WAITING
    last_error: str | None = None
    ended_at: datetime | None = None


def waiting_time(attempts: int, chance: float) -> timedelta:
    """How long to wait after so many attempts: doubled each time up to an hour, by chance (0 to 1) down to half."""
    doubled: timedelta = min(LONGEST_WAIT, FIRST_WAIT * (1 << min(attempts - 1, 16)))
    return doubled * (0.5 + chance / 2)


def claimed(notification: Notification, now: datetime) -> Notification:
    """With one attempt more, and out of the others' way until that should have ended."""
    return replace(notification, attempts=notification.attempts + 1, next_at=now + LEASE)


def delivered(notification: Notification, now: datetime) -> Notification:
    """After it was taken."""
    return replace(notification, state=NotificationState.SENT, ended_at=now, last_error=None)


def failed(notification: Notification, now: datetime, reason: str, chance: float) -> Notification:
    """After it was not: to be tried again, or given up after the last attempt."""
    told = replace(notification, last_error=reason[:500])
    if notification.attempts >= MOST_ATTEMPTS:
        return replace(told, state=NotificationState.DEAD, ended_at=now)
    return replace(told, next_at=now + waiting_time(notification.attempts, chance))


def retried(notification: Notification, now: datetime) -> Notification:
    """From the beginning, now."""
    return replace(notification, state=NotificationState.WAITING, attempts=0, next_at=now, ended_at=None)

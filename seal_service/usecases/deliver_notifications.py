"""通知投递: what waits is delivered, at least once, with back-off; what cannot be is given up visibly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import Conflict, DeliveryFailed
from seal_service.domain.events import Event, EventKind, Result, Scalar, act_of
from seal_service.domain.notification import (
    Channel,
    Notification,
    NotificationState,
    claimed,
    delivered,
    failed,
    retried,
)
from seal_service.domain.paging import Page, PageRequest
from seal_service.ports.notification import NotificationSender
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock, Entropy

AT_ONCE = 100
"""Deliveries of one run; what is left waits for the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverNotifications:
    """通知投递, once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What came of it."""

    sent: int = 0
    failed: int = 0
    dead: int = 0


@dataclass(frozen=True)
class DeliverNotificationsUseCase:
    """通知投递. No lock is held while somebody is spoken to; a process that dies leaves its message to the next."""

    permission: ClassVar[Permission] = Permission.RECONCILE
    records: Records
    log: SigningLog
    senders: Mapping[Channel, NotificationSender]
    clock: Clock
    entropy: Entropy

    def __call__(self, caller: Caller, _command: DeliverNotifications) -> Delivered:
        """How many were taken, were not, and were given up."""
        ended: list[Notification] = []
        while len(ended) < AT_ONCE:
            mine = self._claimed()
            if mine is None:
                break
            ended.append(self._settled(caller, mine, self._failure(mine)))
        states = [one.state for one in ended]
        return Delivered(
            sent=states.count(NotificationState.SENT),
            failed=states.count(NotificationState.WAITING),
            dead=states.count(NotificationState.DEAD),
        )

    def _claimed(self) -> Notification | None:
        with self.records.write() as transaction:
            now = self.clock.now()
            due = transaction.notifications.due(now, 1)
            if not due:
                return None
            mine = claimed(due[0], now)
            transaction.notifications.replace(mine)
            transaction.commit()
        return mine

    def _failure(self, notification: Notification) -> str | None:
        sender = self.senders.get(notification.channel)
        if sender is None:
            return f"the channel {notification.channel.value} is not set up"
        try:
            sender.send(notification)
        except DeliveryFailed as error:
            return error.message
        return None

    def _settled(self, caller: Caller, mine: Notification, failure: str | None) -> Notification:
        with self.records.write() as transaction:
            now = self.clock.now()
            current = transaction.notifications.lock(mine.id)
            if current != mine:  # it took so long that another process has it, or it was ended by a person
                return current
            chance = self.entropy.token(1)[0] / 255
            ended = delivered(mine, now) if failure is None else failed(mine, now, failure, chance)
            transaction.notifications.replace(ended)
            if ended.state is NotificationState.DEAD:
                event = Event(
                    kind=EventKind.NOTIFICATION_DEAD, result=Result.FAILURE, reason=failure, facts=_facts(ended)
                )
                self.log.append(transaction, act_of(caller, event))
            transaction.commit()
        return ended


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNotifications:
    """通知列表."""

    state: NotificationState | None = None
    page: PageRequest = PageRequest()


@dataclass(frozen=True)
class ListNotificationsUseCase:
    """通知列表, newest first; the dead ones wait for someone who looks."""

    permission: ClassVar[Permission] = Permission.READ_NOTIFICATIONS
    records: Records

    def __call__(self, _caller: Caller, command: ListNotifications) -> Page[Notification]:
        """A page; its cursor is the last id on it."""
        limit = command.page.limit
        with self.records.read() as transaction:
            found = transaction.notifications.chosen(command.state, before=command.page.cursor, limit=limit + 1)
        return Page(items=tuple(found[:limit]), next_cursor=found[limit - 1].id if len(found) > limit else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryNotification:
    """Which one."""

    notification_id: str


@dataclass(frozen=True)
class RetryNotificationUseCase:
    """重发: a message that was given up is tried anew. Raises NotificationNotFound, Conflict (it was not given up)."""

    permission: ClassVar[Permission] = Permission.RETRY_NOTIFICATION
    records: Records
    log: SigningLog
    clock: Clock

    def __call__(self, caller: Caller, command: RetryNotification) -> Notification:
        """The message, waiting."""
        with self.records.write() as transaction:
            one = transaction.notifications.lock(command.notification_id)
            if one.state is not NotificationState.DEAD:
                raise Conflict(f"The notification is {one.state.value}: only one that was given up is retried")
            again = retried(one, self.clock.now())
            transaction.notifications.replace(again)
            event = Event(kind=EventKind.NOTIFICATION_RETRIED, facts=_facts(again))
            self.log.append(transaction, act_of(caller, event))
            transaction.commit()
        return again


def _facts(one: Notification) -> dict[str, Scalar]:
    return {
        "notification_id": one.id,
        "notification_kind": one.kind,
        "channel": one.channel.value,
        "event_id": one.event_id,
        "attempts": one.attempts,
    }

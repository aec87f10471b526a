"""Article 24: the making office is told at once, by signed webhook and by mail, and what fails stays visible."""

from __future__ import annotations

import email
import email.policy
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from seal_service.bootstrap import build
from seal_service.domain.errors import Conflict, InvalidInput, NotificationNotFound
from seal_service.domain.notification import MOST_ATTEMPTS, NotificationState
from seal_service.domain.paging import PageRequest
from seal_service.jobs.maintenance import MACHINE
from seal_service.ports.reading import LogFilter
from seal_service.usecases.change_status import CancelSeal, ReportLoss, ResumeSeal
from seal_service.usecases.deliver_notifications import (
    Delivered,
    DeliverNotifications,
    ListNotifications,
    RetryNotification,
)
from seal_service.usecases.list_expiring import TellExpiring
from seal_service.usecases.read_log import QueryLog
from tests.instance import RealOffice
from tests.receiver import SECRET, Receiver, mail_server, receiving, self_signed


class World:
    """An office whose making office listens."""

    def __init__(self, home: Path, receiver: Receiver, **changes: Any) -> None:
        given = {
            "notify_webhook_url": receiver.url,
            "notify_webhook_secret": SECRET,
            "network_timeout_seconds": 1.0,
            **changes,
        }
        self.receiver = receiver
        self.office = RealOffice(home, changes=given)
        receiver.now = self.office.clock.now

    def lose(self) -> None:
        command = ReportLoss(seal_code=self.office.made.code, reason="介质遗失")
        self.office.service.report_loss(self.office.keeper, command)

    def deliver(self) -> Delivered:
        return self.office.service.life.deliver_notifications(MACHINE, DeliverNotifications())

    def listed(self, state: NotificationState | None = None) -> Any:
        return self.office.service.life.list_notifications(self.office.maker, ListNotifications(state=state)).items


@pytest.fixture
def world(tmp_path: Path, on_engine: dict[str, object]) -> Iterator[World]:
    with receiving(lambda: datetime.now(UTC)) as receiver:
        made = World(tmp_path / "var", receiver, **on_engine)
        yield made
        made.office.service.close()


def test_article_24_the_maker_hears_of_loss_decision_and_end_in_signed_messages(world: World) -> None:
    office, code = world.office, world.office.made.code
    world.lose()
    assert world.receiver.taken == {}, "nothing is sent within the act"
    assert world.deliver() == Delivered(sent=1)
    office.service.resume_seal(office.maker, ResumeSeal(seal_code=code, reason="已找回"))
    office.clock.forward(timedelta(seconds=1))
    office.service.cancel_seal(
        office.maker, CancelSeal(seal_code=code, reason="撤并", document_number="示例〔2026〕9号")
    )
    assert world.deliver() == Delivered(sent=2)
    told = [json.loads(body) for body in world.receiver.taken.values()]
    assert [one["kind"] for one in told] == ["sealmgmt.suspended", "sealmgmt.resumed", "sealmgmt.cancelled"]
    assert {one["seal_code"] for one in told} == {code}
    assert [one["state"] for one in told] == ["suspended", "active", "cancelled"]
    assert world.receiver.forged == []
    logged = office.service.query_log(office.auditor, QueryLog(chosen=LogFilter(seal_code=code))).page.items
    assert set(world.receiver.taken) <= {row.entry_id for row in logged}, "an event is its entry in the log"
    assert world.deliver() == Delivered()


def test_a_message_of_an_act_that_was_refused_is_never_sent(world: World) -> None:
    world.lose()
    with pytest.raises(Conflict):
        world.lose()
    assert len(world.listed()) == 1


@pytest.mark.parametrize(
    ("status", "delay", "answer"), [(500, 0.0, b""), (302, 0.0, b""), (204, 1.5, b""), (200, 0.0, b"x" * 100_000)]
)
def test_what_is_not_taken_is_tried_again_with_back_off(world: World, status: int, delay: float, answer: bytes) -> None:
    world.receiver.status, world.receiver.delay, world.receiver.answer = status, delay, answer
    world.lose()
    assert world.deliver() == Delivered(failed=1)
    assert world.deliver() == Delivered(), "it waits its time"
    (waiting,) = world.listed(NotificationState.WAITING)
    assert (waiting.attempts, bool(waiting.last_error)) == (1, True)
    assert timedelta(seconds=4) < waiting.next_at - world.office.clock.now() <= timedelta(seconds=10)
    world.receiver.status, world.receiver.delay, world.receiver.answer = 204, 0.0, b""
    world.office.clock.forward(timedelta(seconds=11))
    assert world.deliver() == Delivered(sent=1)
    assert all("elsewhere" not in one for one in world.receiver.attempts), "no redirection is followed"


def test_what_is_never_taken_is_given_up_visibly_and_can_be_retried(world: World) -> None:
    office = world.office
    world.receiver.status = 503
    world.lose()
    for attempt in range(1, MOST_ATTEMPTS + 1):
        done = world.deliver()
        assert done == (Delivered(dead=1) if attempt == MOST_ATTEMPTS else Delivered(failed=1))
        office.clock.forward(timedelta(hours=1))
    assert world.deliver() == Delivered()
    assert len(world.receiver.attempts) == MOST_ATTEMPTS
    (dead,) = world.listed(NotificationState.DEAD)
    assert dead.last_error == "HTTP status 503"
    again = RetryNotification(notification_id=dead.id)
    world.receiver.status = 200
    office.service.life.retry_notification(office.maker, again)
    assert world.deliver() == Delivered(sent=1)
    with pytest.raises(Conflict):
        office.service.life.retry_notification(office.maker, again)
    with pytest.raises(NotificationNotFound):
        office.service.life.retry_notification(office.maker, RetryNotification(notification_id="nothing"))
    page = office.service.query_log(office.auditor, QueryLog(page=PageRequest(limit=500))).page
    kinds = [row.kind.value for row in page.items]
    assert ("notification.dead" in kinds, "notification.retried" in kinds) == (True, True)


def test_a_receiver_that_is_down_costs_the_act_nothing(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        target = f"http://127.0.0.1:{taken.getsockname()[1]}/down"
        changes = {**world.office.changes, "notify_webhook_url": target}
        settings = type(world.office.settings)(**{**world.office.settings.model_dump(), **changes})
        service = build(settings, clock=world.office.clock)
        service.report_loss(world.office.keeper, ReportLoss(seal_code=world.office.made.code, reason="介质遗失"))
        done = service.life.deliver_notifications(MACHINE, DeliverNotifications())
        service.close()
    assert done == Delivered(failed=1)


def test_two_replicas_deliver_each_message_once(world: World) -> None:
    """At least once; while both live, exactly once."""
    other = build(world.office.settings, clock=world.office.clock)
    for number in range(6):
        world.lose()
        command = ResumeSeal(seal_code=world.office.made.code, reason=f"找回 {number}")
        world.office.service.resume_seal(world.office.maker, command)
    services = [world.office.service, other]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda one: one.life.deliver_notifications(MACHINE, DeliverNotifications()), services))
    other.close()
    assert sum(one.sent for one in done) == 12
    assert len(world.receiver.attempts) == len(set(world.receiver.attempts)) == 12


@pytest.mark.parametrize(
    "changes",
    [
        {"notify_webhook_url": "http://receiver.example/hook"},
        {"notify_webhook_url": "https://user@receiver.example/hook"},
        {"notify_webhook_url": "ftp://127.0.0.1/hook"},
        {"notify_webhook_secret": "short"},
        {"notify_webhook_secret": None},
        {"notify_mail_to": ("zhang@example.org",)},
        {
            "notify_mail_to": ("zhang@example.org",),
            "smtp_host": "mail.example",
            "smtp_from": "seal@example.org",
            "smtp_protection": "none",
        },
    ],
)
def test_what_would_be_told_unprotected_or_to_nobody_is_refused_at_the_start(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    receiver = Receiver(url="http://127.0.0.1:1/hook")
    with pytest.raises(InvalidInput):
        World(tmp_path / "var", receiver, **changes)


def test_the_maker_hears_of_a_loss_by_mail_over_starttls(tmp_path: Path) -> None:
    """RFC 3207: a server that is not the one of its certificate gets nothing."""
    certificate, key = self_signed(tmp_path, datetime.now(UTC))
    with mail_server(tmp_path / "mail", certificate, key) as port:
        changes: dict[str, Any] = {
            "notify_mail_to": ("maker@example.org", "duty@example.org"),
            "smtp_host": "localhost",
            "smtp_port": port,
            "smtp_from": "seal@example.org",
            "notify_trust": certificate,
        }
        office = RealOffice(tmp_path / "var", changes=changes)
        office.service.report_loss(office.keeper, ReportLoss(seal_code=office.made.code, reason="介质遗失\n伪造: 头"))
        assert office.service.life.deliver_notifications(MACHINE, DeliverNotifications()) == Delivered(sent=2)
        office.service.close()
        distrusting = build(
            type(office.settings)(**{**office.settings.model_dump(), "notify_trust": None}), clock=office.clock
        )
        distrusting.resume_seal(office.maker, ResumeSeal(seal_code=office.made.code, reason="已找回"))
        done = distrusting.life.deliver_notifications(MACHINE, DeliverNotifications())
        assert done == Delivered(failed=2)
        distrusting.close()
    received = [_mail(one) for one in sorted((tmp_path / "mail" / "new").iterdir())]
    assert {one["To"] for one in received} == {"maker@example.org", "duty@example.org"}
    assert {one["Subject"] for one in received} == {f"电子印章通知 sealmgmt.suspended {office.made.code}"}
    body = received[0].get_content()
    assert office.made.code in body
    assert "介质遗失" in body
    assert received[0]["伪造"] is None


def _mail(path: Path) -> EmailMessage:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_what_ends_soon_is_told_once_at_each_threshold(world: World) -> None:
    """到期提醒: 90, 30, 7 and 1 days before."""
    office = world.office
    told: list[tuple[int, int]] = []
    for days in (200, 90, 60, 30, 8, 7, 1):
        office.clock.moment = office.made.not_after - timedelta(days=days, minutes=-1)
        for _ in range(2):
            office.service.life.tell_expiring(MACHINE, TellExpiring())
        world.deliver()
        bodies = [json.loads(body) for body in world.receiver.taken.values()]
        ours = [one for one in bodies if (one["expiring_kind"], one["id"]) == ("seal", office.made.code)]
        told.append((days, len(ours)))
    assert told == [(200, 0), (90, 1), (60, 1), (30, 2), (8, 2), (7, 3), (1, 4)]

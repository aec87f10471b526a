"""What `ports.records` promises of notifications, media and the status of seals, on every engine."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from seal_service.domain.application import ApplicationKind
from seal_service.domain.errors import CertificateNotFound, NotificationNotFound, UnitNotFound
from seal_service.domain.events import EventKind
from seal_service.domain.issuance import CertificateStatus, IssuedCertificate
from seal_service.domain.notification import Channel, Notification, NotificationState
from seal_service.domain.seal import SealState
from seal_service.ports.records import Records, Transaction
from tests.storage_samples import CODE, NOW, application, later, log_row, seal, unit


def notification(number: int = 1, **fields: object) -> Notification:
    one = Notification(
        id=f"n-{number}",
        once=f"event-{number} webhook https://receiver.example",
        event_id=f"event-{number}",
        kind="sealmgmt.suspended",
        subject="挂失",
        payload='{"a": 1}',
        channel=Channel.WEBHOOK,
        target="https://receiver.example",
        created_at=NOW,
        next_at=NOW,
    )
    return replace(one, **fields)  # type: ignore[arg-type]


def test_a_notification_is_kept_once_and_read_back_as_it_was(written: Transaction) -> None:
    one = notification(last_error="503", ended_at=later(hours=1), attempts=3, state=NotificationState.DEAD)
    written.notifications.add(one)
    written.notifications.add(replace(one, id="n-2"))
    assert written.notifications.chosen() == [one]
    assert written.notifications.lock("n-1") == one
    written.notifications.replace(replace(one, attempts=4))
    assert written.notifications.lock("n-1").attempts == 4
    for act in (written.notifications.lock, lambda _: written.notifications.replace(notification(9))):
        with pytest.raises(NotificationNotFound):
            act("n-9")


def test_what_is_due_comes_oldest_first_and_lists_newest_first(written: Transaction) -> None:
    times = {1: 2, 2: 1, 3: 99, 4: 0}
    for number, minutes in times.items():
        written.notifications.add(notification(number, next_at=NOW + timedelta(minutes=minutes)))
    written.notifications.replace(notification(4, state=NotificationState.SENT))
    due = written.notifications.due(later(minutes=5), 10)
    assert [one.id for one in due] == ["n-2", "n-1"]
    assert [one.id for one in written.notifications.due(later(minutes=5), 1)] == ["n-2"]
    assert [one.id for one in written.notifications.chosen(limit=2)] == ["n-4", "n-3"]
    waiting = written.notifications.chosen(NotificationState.WAITING, before="n-3")
    assert [one.id for one in waiting] == ["n-2", "n-1"]


def test_a_change_application_and_a_void_seal_are_read_back_as_they_were(written: Transaction) -> None:
    change = replace(
        application("application-2"),
        kind=ApplicationKind.CHANGE,
        changes_seal_code=CODE,
        keeper_id="system-1",
        channel_unit_id="unit-1",
    )
    written.applications.add(change)
    assert written.applications.lock("application-2") == change
    void = replace(
        seal(),
        state=SealState.CANCELLED,
        invalid_from=NOW,
        medium_returned_on=later(days=1),
        medium_destroyed_on=later(days=2),
        keeper_id="system-1",
    )
    assert written.seals.standing("unit-1") == [CODE]
    written.seals.replace(void)
    assert written.seals.find(CODE) == void
    assert written.seals.standing("unit-1") == []


def test_a_unit_is_renamed_in_the_same_transaction_for_who_has_read_it(written: Transaction) -> None:
    renamed = replace(written.units.get("unit-1"), name="示例市数据局")
    written.units.replace(renamed)
    assert written.units.get("unit-1") == renamed
    with pytest.raises(UnitNotFound):
        written.units.replace(unit("nothing"))


def test_since_when_a_certificate_was_invalid_is_kept_beside_its_status(written: Transaction) -> None:
    issued = IssuedCertificate(serial="0c", certificate=b"c", not_before=NOW, not_after=later(days=1))
    written.certificates.add(issued)
    written.certificates.set_invalidity("0c", NOW)
    written.certificates.set_status("0c", CertificateStatus.REVOKED, later(hours=1), "privilege_withdrawn")
    found = written.certificates.find("0c")
    assert found is not None
    assert (found.invalidity_date, found.reason) == (NOW, "privilege_withdrawn")
    with pytest.raises(CertificateNotFound):
        written.certificates.set_invalidity("0d", NOW)


def test_the_log_tells_who_made_a_seal_and_which_were_ever_stopped(records: Records) -> None:
    kinds = (EventKind.SEAL_MADE, EventKind.SEAL_ACTIVATED, EventKind.SEAL_SUSPENDED, EventKind.SEAL_RESUMED)
    with records.write() as transaction:
        assert transaction.log.maker_of(CODE) is None
        assert transaction.log.status_changes_counted() == 0
        for seq, kind in enumerate(kinds, 1):
            row = replace(log_row(f"e-{seq}", seq=seq, seal_code=CODE), kind=kind, account_id="maker")
            transaction.log.insert(row)
        other = replace(log_row("e-9", seq=1, seal_code="99990000000002"), kind=EventKind.SEAL_MADE)
        transaction.log.insert(other)
        assert transaction.log.maker_of(CODE) == "maker"
        assert transaction.log.seals_stopped() == [CODE]
        assert transaction.log.status_changes_counted() == 2

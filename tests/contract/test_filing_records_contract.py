"""What filings' rows do, on the fake and on every engine alike."""

from __future__ import annotations

from datetime import timedelta

import pytest

from seal_service.domain.errors import InvalidCursor
from seal_service.domain.events import EventKind
from seal_service.domain.filing import Backlog, FilingState
from seal_service.domain.paging import PageRequest
from seal_service.ports.filing import FilingFilter
from seal_service.ports.records import Records, Transaction
from seal_service.storage.engine import Database
from seal_service.storage.filing_queries import SqlFilingQueries
from seal_service.storage.unit_of_work import SqlRecords
from tests.storage_samples import CODE, NOW, add_seal_with_grant, later, log_row, seal

OTHER = "99990100000002"
SECOND = timedelta(seconds=1)


def _logged(written: Transaction, entry_id: str, kind: EventKind, seq: int, code: str = CODE) -> None:
    written.log.insert(log_row(entry_id, kind, at=later(seconds=seq), seq=seq, seal_code=code))


@pytest.fixture
def filed(written: Transaction) -> Transaction:
    """Two seals of two areas: one made and suspended, one made; an intent in between, which is not filed."""
    _logged(written, "e1", EventKind.SEAL_MADE, 1)
    _logged(written, "e2", EventKind.SEAL_INTENT, 2)
    _logged(written, "e3", EventKind.SEAL_SUSPENDED, 3)
    _logged(written, "f1", EventKind.SEAL_MADE, 1, OTHER)
    return written


def test_a_filing_is_there_as_soon_as_its_entry_is(filed: Transaction) -> None:
    found = filed.filings.find("e1-207")
    assert found is not None
    assert (found.entry_id, found.seal_code, found.seq, found.at, found.due_at) == (
        "e1",
        CODE,
        1,
        later(seconds=1),
        later(seconds=1),
    )
    assert (found.state, found.attempts, found.area_code) == (FilingState.WAITING, 0, "999900")
    assert filed.filings.find("e2-log") is None


def test_due_is_of_each_seal_the_first_that_is_open(filed: Transaction) -> None:
    now = later(seconds=10)
    assert [one.id for one in filed.filings.due(now, 10)] == ["e1-207", "f1-207"]
    assert [one.id for one in filed.filings.due(now, 1)] == ["e1-207"]
    assert filed.filings.due(NOW, 10) == []
    assert filed.filings.acknowledge("e1-207", "receipt", now)
    assert [one.id for one in filed.filings.due(now, 10)] == ["e1-log", "f1-207"]


def test_what_follows_is_the_seals_own_in_its_order(filed: Transaction) -> None:
    head = filed.filings.due(later(seconds=10), 1)[0]
    assert [one.id for one in filed.filings.following(head, 10)] == ["e1-207", "e1-log", "e3-209", "e3-log"]
    assert [one.id for one in filed.filings.following(head, 2)] == ["e1-207", "e1-log"]


def test_a_claim_keeps_others_away_until_it_ends(filed: Transaction) -> None:
    now = later(seconds=10)
    assert filed.filings.claim("e1-207", now, now + SECOND)
    assert not filed.filings.claim("e1-207", now, now + SECOND)
    assert [one.id for one in filed.filings.due(now, 10)] == ["f1-207"]
    assert filed.filings.claim("e1-207", now + SECOND, now + 2 * SECOND)
    filed.filings.acknowledge("e1-207", "receipt", now)
    assert not filed.filings.claim("e1-207", now + 9 * SECOND, now + 10 * SECOND)
    assert not filed.filings.claim("f1-207", NOW, now)  # not due


def test_a_receipt_is_kept_once(filed: Transaction) -> None:
    now = later(seconds=10)
    assert filed.filings.acknowledge("e1-207", "first", now)
    assert not filed.filings.acknowledge("e1-207", "second", now + SECOND)
    found = filed.filings.find("e1-207")
    assert found is not None
    assert (found.state, found.receipt, found.acknowledged_at) == (FilingState.ACKNOWLEDGED, "first", now)


def test_a_failure_is_noted_unless_another_attempt_was_noted_first(filed: Transaction) -> None:
    now = later(seconds=10)
    head = filed.filings.due(now, 1)[0]
    filed.filings.claim(head.id, now, now + SECOND)
    assert filed.filings.fail(head, FilingState.REFUSED, "why", now + 5 * SECOND)
    assert not filed.filings.fail(head, FilingState.WAITING, "late", now + 9 * SECOND)
    found = filed.filings.find(head.id)
    assert found is not None
    assert (found.state, found.failure, found.attempts, found.claimed_until) == (FilingState.REFUSED, "why", 1, None)
    assert [one.id for one in filed.filings.due(now, 10)] == ["f1-207"]
    assert [one.id for one in filed.filings.due(now + 5 * SECOND, 10)] == ["e1-207", "f1-207"]
    assert filed.filings.acknowledge(head.id, "receipt", now)
    assert not filed.filings.fail(found, FilingState.WAITING, "late", now)


def test_hurrying_makes_the_next_due(filed: Transaction) -> None:
    now = later(seconds=10)
    for head in filed.filings.due(now, 2):
        state = FilingState.REFUSED if head.seal_code == CODE else FilingState.WAITING
        filed.filings.fail(head, state, "why", now + timedelta(hours=1))
    assert filed.filings.due(now, 10) == []
    assert filed.filings.hurry_waiting(now, ["f1-207"]) == 0
    assert filed.filings.hurry_waiting(now, []) == 1
    assert [one.id for one in filed.filings.due(now, 10)] == ["f1-207"]
    hurried = filed.filings.hurry(CODE, now)
    assert hurried is not None
    assert (hurried.id, hurried.due_at, hurried.state) == ("e1-207", now, FilingState.REFUSED)
    assert filed.filings.hurry("99990000000009", now) is None


def test_the_backlog_is_told_for_all_or_for_an_area(filed: Transaction) -> None:
    assert filed.filings.backlog() == Backlog(waiting=6, refused=0, oldest_at=later(seconds=1))
    head = filed.filings.due(later(seconds=10), 1)[0]
    filed.filings.fail(head, FilingState.REFUSED, "why", later(hours=1))
    assert filed.filings.backlog() == Backlog(waiting=6, refused=1, oldest_at=later(seconds=1))
    assert filed.filings.backlog("999901") == Backlog(waiting=2, refused=0, oldest_at=later(seconds=1))
    assert filed.filings.backlog("000000") == Backlog(waiting=0, refused=0, oldest_at=None)
    assert filed.filings.counts() == {FilingState.WAITING: 5, FilingState.REFUSED: 1, FilingState.ACKNOWLEDGED: 0}


def test_what_a_report_counts(filed: Transaction) -> None:
    now = later(seconds=10)
    filed.seals.add(seal(OTHER))
    assert filed.filings.settled_seals("", 10) == []
    assert filed.filings.missing(NOW, 10) == []
    for filing in ("f1-207", "f1-log"):
        filed.filings.acknowledge(filing, "receipt", now)
    assert filed.filings.settled_seals("", 10) == [OTHER]
    assert filed.filings.settled_seals(OTHER, 10) == []
    assert filed.filings.acknowledged_between(now, now + SECOND) == 2
    assert filed.filings.acknowledged_between(NOW, now) == 0


def test_what_is_rolled_back_with_its_entry_is_not_filed(records: Records) -> None:
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        _logged(transaction, "e1", EventKind.SEAL_MADE, 1)
    with records.read() as transaction:
        assert transaction.filings.backlog().waiting == 0


def test_lists_lead_through_all_newest_first(database: Database) -> None:
    with SqlRecords(database).write() as transaction:
        add_seal_with_grant(transaction)
        for number in range(1, 6):
            code = CODE if number % 2 else OTHER
            _logged(transaction, f"e{number}", EventKind.SEAL_DENIED, number, code)
        transaction.filings.acknowledge("e1-log", "receipt", NOW)
        transaction.commit()
    queries = SqlFilingQueries(database)

    def all_of(chosen: FilingFilter) -> list[str]:
        found, cursor = list[str](), None
        while True:
            page = queries.filings(PageRequest(limit=2, cursor=cursor), chosen)
            found += [one.entry_id for one in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return found

    assert all_of(FilingFilter()) == ["e5", "e4", "e3", "e2", "e1"]
    assert all_of(FilingFilter(seal_code=CODE)) == ["e5", "e3", "e1"]
    assert all_of(FilingFilter(area_code="999901")) == ["e4", "e2"]
    assert all_of(FilingFilter(state=FilingState.ACKNOWLEDGED)) == ["e1"]
    with SqlRecords(database).write() as transaction:
        for head in transaction.filings.due(later(days=1), 10):
            transaction.filings.fail(head, FilingState.REFUSED, "why", NOW)
        transaction.commit()
    assert all_of(FilingFilter(state=FilingState.REFUSED)) == ["e3", "e2"]
    assert all_of(FilingFilter(state=FilingState.WAITING)) == ["e5", "e4"]
    with pytest.raises(InvalidCursor):
        queries.filings(PageRequest(cursor="nonsense"), FilingFilter())

"""What `ports.reading` promises of the log's pages, in the order of the tree, on every engine."""

from __future__ import annotations

import pytest

from seal_service.jobs.maintenance import MACHINE
from seal_service.log.growth import grown
from seal_service.ports.reading import LogFilter, Queries
from seal_service.ports.records import LogRow, Records
from seal_service.storage.engine import Database
from seal_service.storage.queries import SqlQueries
from seal_service.storage.unit_of_work import SqlRecords
from seal_service.usecases.sequence_log import SequenceLog, SequenceLogUseCase
from tests.storage_samples import CODE, later, log_row

OTHER = "99990000000002"


@pytest.fixture
def records(database: Database) -> Records:
    return SqlRecords(database)


@pytest.fixture
def queries(database: Database) -> Queries:
    return SqlQueries(database)


def add_log(records: Records, *rows: LogRow) -> None:
    with records.write() as transaction:
        for row in rows:
            transaction.log.insert(row)
        transaction.commit()


def test_an_export_goes_through_the_tree_whatever_the_clock_said(records: Records, queries: Queries) -> None:
    assert not queries.log_placed(0, 0, LogFilter(), 3)
    rows = [log_row(f"entry-{number}", at=later(minutes=9 - number // 3)) for number in range(8)]
    add_log(records, *rows)
    assert not queries.log_placed(0, 8, LogFilter(), 3), "they wait for their places"
    sequence = SequenceLogUseCase(records, grown)
    assert sequence(MACHINE, SequenceLog()).size == 8
    late = log_row("late", at=later(minutes=0))  # its clock was behind, or its commit slow
    add_log(records, late)
    sequence(MACHINE, SequenceLog())
    found: list[tuple[int, LogRow]] = []
    while page := queries.log_placed(len(found), 8, LogFilter(), 3):
        assert len(page) <= 3
        found += page
    assert found == list(enumerate(rows))
    assert queries.log_placed(8, 9, LogFilter(), 3) == [(8, late)]
    period = LogFilter(at_from=later(minutes=8), at_until=later(minutes=9))
    assert [place for place, _ in queries.log_placed(0, 9, period, 9)] == [3, 4, 5]


def test_what_was_done_to_a_seal_is_found_apart_from_its_uses(records: Records, queries: Queries) -> None:
    add_log(
        records,
        log_row("made", at=later(minutes=1), seal_code=CODE, seq=1),
        log_row("used", at=later(minutes=2), seal_code=CODE, seq=2, use_id="use-1"),
        log_row("of another", at=later(minutes=3), seal_code=OTHER, seq=1),
        log_row("lost", at=later(minutes=4), seal_code=CODE, seq=3),
        log_row("early", at=later(minutes=4), seal_code=CODE, seq=4),
    )
    assert [row.entry_id for row in queries.log_of_seal(CODE, 9)] == ["made", "lost", "early"]
    assert [row.entry_id for row in queries.log_of_seal(CODE, 2)] == ["lost", "early"], "the newest ones"

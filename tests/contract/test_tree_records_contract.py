"""What `ports.records.tree` promises, and the sequencer on it, on every engine."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from seal_service.domain.errors import LogDamaged
from seal_service.domain.events import EventKind, Result
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.jobs.maintenance import MACHINE
from seal_service.log.growth import grown
from seal_service.log.merkle import CompactRange, root_of
from seal_service.ports.records import (
    LogRow,
    PlacedEntry,
    Records,
    StatisticsBucket,
    StoredCheckpoint,
    TreeHead,
)
from seal_service.storage.engine import Database
from seal_service.storage.unit_of_work import SqlRecords
from seal_service.usecases.sequence_log import Sequenced, SequenceLog, SequenceLogUseCase, counted_again
from tests.behind_the_triggers import change_behind_the_triggers
from tests.storage_samples import NOW, later, log_row


def write(records: Records, *rows: LogRow) -> None:
    with records.write() as transaction:
        for row in rows:
            transaction.log.insert(row)
        transaction.commit()


def sequence(records: Records, limit: int = 2000) -> Sequenced:
    return SequenceLogUseCase(records, grown)(MACHINE, SequenceLog(limit=limit))


def placed(records: Records) -> list[str]:
    """The entries of the tree in their order, everything that is kept of them checked."""
    with records.read() as transaction:
        head = transaction.tree.head()
        leaves = transaction.tree.leaves(0, 1 << 20)
        entries = transaction.tree.entries(0, 1 << 20)
        assert [one.place for one in leaves] == list(range(head.size))
        assert [leaf_hash(one) for one in entries] == [one.leaf_hash for one in leaves]
        assert CompactRange(head.size, head.hashes).root() == root_of(one.leaf_hash for one in leaves)
        rows = [transaction.log.find(one.entry_id) for one in leaves]
        assert transaction.tree.statistics() == Counter(bucket_of(row) for row in rows if row is not None)
        for one in leaves[:3]:
            assert transaction.tree.index_of(one.entry_id) == one.place
            assert transaction.tree.entry_at(one.place) == one.entry_id
    return [one.entry_id for one in leaves]


def bucket_of(row: LogRow) -> StatisticsBucket:
    return StatisticsBucket(
        day=(row.at + timedelta(hours=8)).date(),
        kind=row.kind,
        result=row.result,
        account_id=row.account_id,
        unit_id=row.unit_id,
        seal_code=row.seal_code,
        scenario=row.scenario,
    )


def test_entries_get_their_places_in_the_order_of_the_queue_and_are_counted(records: Records) -> None:
    write(records, *(log_row(f"e{number}", seal_code="s" if number % 3 else None) for number in (3, 1, 2)))
    write(records, log_row("e0", EventKind.GRANT_MADE, account_id="a", result=Result.REFUSED))
    with records.read() as transaction:
        assert transaction.tree.pending_count() == 4
        assert transaction.tree.oldest_pending() == NOW
        assert transaction.tree.index_of("e3") is None
    assert sequence(records, limit=3) == Sequenced(placed=3, size=3)
    assert placed(records) == ["e3", "e1", "e2"]
    assert sequence(records) == Sequenced(placed=1, size=4)
    assert sequence(records) == Sequenced(placed=0, size=4)
    assert placed(records) == ["e3", "e1", "e2", "e0"]
    with records.read() as transaction:
        assert transaction.tree.oldest_pending() is None


def test_a_day_is_one_of_shanghai(records: Records) -> None:
    at = NOW.replace(hour=15, minute=59, second=59)
    write(records, log_row("e1", at=at), log_row("e2", at=at + timedelta(seconds=1)))
    sequence(records)
    with records.read() as transaction:
        days = {bucket.day for bucket in transaction.tree.statistics()}
    today = date(at.year, at.month, at.day)
    assert days == {today, today + timedelta(days=1)}


def test_what_is_not_committed_has_no_place(records: Records) -> None:
    write(records, log_row("e1"))
    with records.write() as transaction:
        head = transaction.tree.lock_head()
        (waiting,) = transaction.tree.pending(10)
        entry = PlacedEntry(place=0, entry_id="e1", leaf_hash=waiting.leaf_hash)
        transaction.tree.place([entry], [waiting.position], grown(head, [waiting.leaf_hash]), {})
    assert placed(records) == []
    assert sequence(records) == Sequenced(placed=1, size=1)


@pytest.mark.parametrize("wrong", ["index", "position", "head", "again"])
def test_a_place_is_taken_once_and_in_its_turn(records: Records, wrong: str) -> None:
    write(records, log_row("e1"))
    sequence(records)
    write(records, log_row("e2"))
    with records.write() as transaction:
        (waiting,) = transaction.tree.pending(10)
        index = 2 if wrong == "index" else 1
        entry = PlacedEntry(place=index, entry_id="e1" if wrong == "again" else "e2", leaf_hash=waiting.leaf_hash)
        position = waiting.position + (wrong == "position")
        hashes = (b"h" * 32,)
        head = TreeHead(size=4, hashes=hashes) if wrong == "head" else TreeHead(size=2, hashes=hashes)
        with pytest.raises(LogDamaged):
            transaction.tree.place([entry], [position], head, {})
    assert placed(records) == ["e1"]


def test_entries_of_the_published_log_come_back_with_their_places_and_others_still_wait(records: Records) -> None:
    """Also those that wait here; and one that was written here since then gets its place after them."""
    names = [f"e{number}" for number in range(5)]
    rows = [log_row(name, EventKind.DOCUMENT_VERIFIED) for name in names]
    write(records, rows[0])
    sequence(records)
    write(records, rows[2], log_row("later", EventKind.DOCUMENT_VERIFIED))
    with records.write() as transaction:
        head = grown(transaction.tree.lock_head(), [row.leaf_hash for row in rows[1:]])
        transaction.tree.replay(rows[1:], head, counted_again(rows[1:]))
        transaction.commit()
    assert placed(records) == names
    assert sequence(records) == Sequenced(placed=1, size=6)
    assert placed(records) == [*names, "later"]


@pytest.mark.parametrize("wrong", ["other bytes", "not where it begins"])
def test_entries_that_contradict_what_is_here_do_not_come_back(records: Records, wrong: str) -> None:
    row = log_row("e", EventKind.DOCUMENT_VERIFIED)
    write(records, row)
    other = replace(row, leaf_hash=b"x" * 32) if wrong == "other bytes" else row
    before = TreeHead(size=0 if wrong == "other bytes" else 1, hashes=() if wrong == "other bytes" else (b"y" * 32,))
    with records.write() as transaction, pytest.raises(LogDamaged):
        transaction.tree.replay([other], grown(before, [other.leaf_hash]), counted_again([other]))
    assert placed(records) == []


def test_a_size_has_one_root_for_good(records: Records) -> None:
    first = StoredCheckpoint(size=5, root=b"r" * 32, note=b"note", at=NOW)
    with records.write() as transaction:
        assert transaction.tree.latest_checkpoint() is None
        transaction.tree.insert_checkpoint(first)
        transaction.tree.insert_checkpoint(StoredCheckpoint(size=9, root=b"s" * 32, note=b"later", at=later(minutes=2)))
        transaction.tree.insert_checkpoint(StoredCheckpoint(size=5, root=b"r" * 32, note=b"again", at=later(minutes=3)))
        transaction.tree.insert_cosignature(5, "- b\n", later(minutes=2))
        transaction.tree.insert_cosignature(5, "- a\n", later(minutes=3))
        transaction.tree.insert_cosignature(5, "- b\n", later(minutes=4))
        transaction.commit()
    with records.write() as transaction, pytest.raises(LogDamaged, match="another root"):
        transaction.tree.insert_checkpoint(StoredCheckpoint(size=5, root=b"x" * 32, note=b"fork", at=NOW))
    with records.read() as transaction:
        assert transaction.tree.checkpoint_of(5) == first
        assert transaction.tree.checkpoint_of(6) is None
        latest = transaction.tree.latest_checkpoint()
        assert latest is not None
        assert latest.size == 9
        assert transaction.tree.cosignatures(5) == ["- b\n", "- a\n"]
        assert transaction.tree.cosignatures(9) == []


def test_an_entry_that_is_committed_late_comes_later_and_is_not_lost(database: Database) -> None:
    """Its position in the queue is the lower one: nothing may take the higher for a watermark."""
    if database.writer.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer at a time: nothing is committed out of order")
    records = SqlRecords(database)
    with records.write() as slow:
        slow.log.insert(log_row("slow"))
        write(records, log_row("quick"))
        assert sequence(records) == Sequenced(placed=1, size=1)
        slow.commit()
    assert sequence(records) == Sequenced(placed=1, size=2)
    assert placed(records) == ["quick", "slow"]


def test_any_number_of_sequencers_place_each_entry_once_while_others_write(database: Database) -> None:
    records = SqlRecords(database)
    written = [[f"w{writer}-{number}" for number in range(15)] for writer in range(2)]

    def append(names: list[str]) -> None:
        for name in names:
            write(records, log_row(name, at=later(minutes=2)))

    def work() -> int:
        count = 0
        for _ in range(12):
            count += sequence(records, limit=7).placed
        return count

    with ThreadPoolExecutor(5) as pool:
        writers = [pool.submit(append, names) for names in written]
        counts = [one.result() for one in [pool.submit(work) for _ in range(3)]]
        for one in writers:
            one.result()
    rest = sequence(records).placed
    found = placed(records)
    assert sorted(found) == sorted(name for names in written for name in names)
    assert sum(counts) + rest == len(found)
    for names in written:  # a writer's own entries keep their order
        assert [name for name in found if name in names] == names


def test_a_flipped_bit_does_not_enter_the_tree_and_nothing_passes_it(database: Database) -> None:
    records = SqlRecords(database)
    write(records, *(log_row(f"e{number}") for number in range(4)))
    as_bytes = "x'{}'" if database.writer.dialect.name == "sqlite" else "'\\x{}'"
    flipped = bytes([log_row("e2").canon[0] ^ 1, *log_row("e2").canon[1:]])
    canon = as_bytes.format(flipped.hex())
    change_behind_the_triggers(database.owner, f"UPDATE sign_log SET canon = {canon} WHERE entry_id = 'e2'")
    for _ in range(2):
        with pytest.raises(LogDamaged, match=r"entry e2 .* stands still at 2 entries"):
            sequence(records)
        assert placed(records) == ["e0", "e1"]
    write(records, log_row("e4"))
    with pytest.raises(LogDamaged):
        sequence(records)
    with records.read() as transaction:
        assert [one.entry_id for one in transaction.tree.pending(9)] == ["e2", "e3", "e4"]


def test_an_entry_that_is_put_into_the_queue_again_is_noticed(database: Database) -> None:
    records = SqlRecords(database)
    write(records, log_row("e1"))
    sequence(records)
    with database.writer.begin() as connection:
        connection.exec_driver_sql("INSERT INTO log_pending (entry_id) VALUES ('e1')")
    with pytest.raises(LogDamaged, match="already"):
        sequence(records)
    assert placed(records) == ["e1"]


def test_a_place_that_has_lost_its_entry_is_noticed(database: Database) -> None:
    records = SqlRecords(database)
    write(records, log_row("e1"), log_row("e2"))
    sequence(records)
    change_behind_the_triggers(database.owner, "DELETE FROM sign_log WHERE entry_id = 'e1'")
    with records.read() as transaction, pytest.raises(LogDamaged, match="without its entry"):
        transaction.tree.entries(0, 2)


def test_an_entry_leaves_the_queue_only_when_it_has_its_place(database: Database) -> None:
    records = SqlRecords(database)
    write(records, log_row("e1"))
    for sql in (
        "DELETE FROM log_pending",
        "UPDATE log_pending SET entry_id = 'e1'",
        "DELETE FROM log_leaf",
        "UPDATE log_checkpoint SET note = note",
    ):
        with database.writer.connect() as connection, pytest.raises(DBAPIError, match=r"append-only|denied|authorized"):
            connection.exec_driver_sql(sql)
    assert sequence(records).placed == 1


ROWS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([EventKind.DOCUMENT_VERIFIED, EventKind.GRANT_MADE]),
        "result": st.sampled_from(Result),
        "seal_code": st.sampled_from([None, "99990000000001", "99990000000002"]),
        "account_id": st.sampled_from([None, "a1", "a2"]),
        "at": st.integers(0, 40).map(lambda hours: NOW + timedelta(hours=hours)),
    }
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, max_size=12), limit=st.integers(2, 5))
def test_statistics_equal_a_recount_however_the_work_is_divided(
    database: Database, rows: list[dict[str, Any]], limit: int
) -> None:
    records = SqlRecords(database)
    with records.read() as transaction:
        before = transaction.tree.head().size
    write(records, *(log_row(f"e{before + number}", **row) for number, row in enumerate(rows)))
    while sequence(records, limit).placed:
        pass
    assert len(placed(records)) == before + len(rows)

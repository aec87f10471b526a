"""What `ports.reading` promises, on every engine."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

import pytest

from seal_service.domain.application import ApplicationState
from seal_service.domain.errors import InvalidCursor, InvalidInput
from seal_service.domain.events import EventKind, Result
from seal_service.domain.issuance import IssuedCertificate
from seal_service.domain.paging import Page, PageRequest
from seal_service.domain.seal import SealState
from seal_service.jobs.maintenance import MACHINE
from seal_service.log.growth import grown
from seal_service.ports.reading import LogFilter, LogStatistics, Queries, SealFilter, StatisticsKey, StatisticsRow
from seal_service.ports.records import LogRow, PrivateField, Records
from seal_service.storage.engine import Database
from seal_service.storage.queries import SqlQueries
from seal_service.storage.tables import EPOCH
from seal_service.storage.unit_of_work import SqlRecords
from seal_service.usecases.sequence_log import SequenceLog, SequenceLogUseCase
from tests.storage_samples import (
    CODE,
    NOW,
    account,
    add_seal_with_grant,
    application,
    completed,
    credential,
    digest_of,
    grant,
    later,
    log_row,
    seal,
    unit,
    use,
)

Item = TypeVar("Item")


@pytest.fixture
def records(database: Database) -> Records:
    return SqlRecords(database)


@pytest.fixture
def queries(database: Database) -> Queries:
    return SqlQueries(database)


def all_pages(ask: Callable[[PageRequest], Page[Item]], limit: int) -> list[Item]:
    """Every item, page by page."""
    found: list[Item] = []
    cursor = None
    for _ in range(100):
        page = ask(PageRequest(limit=limit, cursor=cursor))
        assert len(page.items) <= limit
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found
        assert page.items, "a page before the last is not empty"
    raise AssertionError("the pages have no end")


def add_log(records: Records, *rows: LogRow) -> None:
    with records.write() as transaction:
        for row in rows:
            transaction.log.insert(row)
        transaction.commit()
    SequenceLogUseCase(records, grown)(MACHINE, SequenceLog())


def test_an_empty_database_has_empty_lists(queries: Queries) -> None:
    assert queries.units(PageRequest()) == Page(items=())
    assert queries.seals(PageRequest(), SealFilter(now=NOW)) == Page(items=())
    assert queries.log(PageRequest(), LogFilter()) == Page(items=())
    assert queries.statistics([StatisticsKey.KIND], LogFilter()) == LogStatistics(rows=(), upto_size=0)
    assert queries.log_size() == 0
    assert queries.schema_is_current()


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_pages_give_everything_once_newest_first_also_at_equal_moments(
    records: Records, queries: Queries, limit: int
) -> None:
    units = [unit(f"unit-{number}", at=later(minutes=number // 3)) for number in range(7)]
    with records.write() as transaction:
        for one in units:
            transaction.units.add(one)
        transaction.commit()
    expected = sorted(units, key=lambda one: (one.registered_at, one.id), reverse=True)
    assert all_pages(queries.units, limit) == expected


def test_a_page_is_not_moved_by_what_is_written_meanwhile(records: Records, queries: Queries) -> None:
    def add(number: int) -> None:
        with records.write() as transaction:
            transaction.units.add(unit(f"unit-{number}", at=later(minutes=number)))
            transaction.commit()

    for number in range(4):
        add(number)
    first = queries.units(PageRequest(limit=2))
    add(9)
    second = queries.units(PageRequest(limit=2, cursor=first.next_cursor))
    assert [one.id for one in (*first.items, *second.items)] == ["unit-3", "unit-2", "unit-1", "unit-0"]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "====",
        "bnVsbA",
        "W10",
        "WyJ1bml0LnJlZ2lzdGVyZWRfYXQiLDEsMl0",
        "é",
        "A" * 600,
        "\ud800",
        "WyI\n",
        "Ww" * 200,
    ],
)
def test_a_cursor_that_was_not_given_out_is_refused(queries: Queries, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        queries.units(PageRequest(cursor=cursor))


def test_a_cursor_of_another_list_is_refused(records: Records, queries: Queries) -> None:
    with records.write() as transaction:
        transaction.units.add(unit())
        transaction.units.add(unit("unit-2"))
        transaction.commit()
    cursor = queries.units(PageRequest(limit=1)).next_cursor
    assert cursor is not None
    assert cursor.replace("-", "").replace("_", "").isalnum()
    with pytest.raises(InvalidCursor):
        queries.accounts(PageRequest(cursor=cursor))


def test_units_of_an_area_and_of_a_channel(records: Records, queries: Queries) -> None:
    with records.write() as transaction:
        transaction.units.add(unit("channel"))
        transaction.units.add(unit("bureau", channel="channel"))
        transaction.units.add(unit("elsewhere", area="999901"))
        transaction.accounts.add(account())
        transaction.commit()
    assert [one.id for one in queries.units(PageRequest(), area_code="999901").items] == ["elsewhere"]
    assert sorted(queries.units_of_channel("channel")) == ["bureau", "channel"]
    assert list(queries.units_of_channel("bureau")) == ["bureau"]
    assert queries.accounts(PageRequest()).items == (account(),)


def test_applications_by_state_and_unit(records: Records, queries: Queries) -> None:
    with records.write() as transaction:
        for number in (1, 2, 3):
            transaction.units.add(unit(f"unit-{number}"))
            transaction.applications.add(
                application(f"application-{number}", unit_id=f"unit-{number}", at=later(minutes=number))
            )
        approved = replace(application("application-4", at=later(minutes=4)), state=ApplicationState.APPROVED)
        transaction.applications.add(approved)
        transaction.commit()

    def ids(page: Page[Item]) -> list[str]:
        return [getattr(one, "id") for one in page.items]  # noqa: B009

    assert queries.applications(PageRequest(), state=ApplicationState.APPROVED).items == (approved,)
    assert ids(queries.applications(PageRequest(), unit_ids=["unit-1", "unit-3"])) == [
        "application-4", "application-3", "application-1"
    ]  # fmt: skip
    assert ids(queries.applications(PageRequest(), unit_ids=[])) == []


@pytest.fixture
def five_seals(records: Records) -> None:
    """Active, active but expired, suspended, cancelled but expired, and active by renewal of an expired credential."""
    states = (SealState.ACTIVE, SealState.ACTIVE, SealState.SUSPENDED, SealState.CANCELLED, SealState.ACTIVE)
    days = (100, -1, 30, -1, -1)
    with records.write() as transaction:
        transaction.units.add(unit())
        transaction.units.add(unit("unit-2"))
        for number, (state, until) in enumerate(zip(states, days, strict=True), start=1):
            of_unit = "unit-2" if number == 3 else "unit-1"
            transaction.applications.add(application(f"application-{number}", unit_id=of_unit))
            made = seal(
                f"9999000000000{number}",
                unit_id=of_unit,
                application_id=f"application-{number}",
                state=state,
                until=later(days=until),
                at=later(minutes=number),
            )
            transaction.seals.add(made)
        renewed = credential("0f", version=2, until=later(days=400))
        transaction.seals.replace(replace(made, version=2, credentials=(*made.credentials, renewed)))
        transaction.commit()


@pytest.mark.usefixtures("five_seals")
@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [
        (SealFilter(now=NOW), "54321"),
        (SealFilter(now=NOW, state=SealState.ACTIVE), "51"),
        (SealFilter(now=NOW, state=SealState.EXPIRED), "2"),
        (SealFilter(now=NOW, state=SealState.CANCELLED), "4"),
        (SealFilter(now=NOW, state=SealState.SUSPENDED), "3"),
        (SealFilter(now=NOW, state=SealState.MADE), ""),
        (SealFilter(now=later(days=30), state=SealState.SUSPENDED), ""),
        (SealFilter(now=later(days=30), state=SealState.EXPIRED), "32"),
        (SealFilter(now=NOW, unit_id="unit-2"), "3"),
        (SealFilter(now=NOW, expiring_before=later(days=90)), "3"),
        (SealFilter(now=NOW, expiring_before=later(days=500)), "531"),
    ],
)
def test_seals_by_what_is_asked_of_them(queries: Queries, chosen: SealFilter, numbers: str) -> None:
    found = all_pages(lambda page: queries.seals(page, chosen), 2)
    assert "".join(one.code[-1] for one in found) == numbers
    assert all(one.credentials for one in found)


def test_grants_of_a_seal_a_grantee_or_the_seals_of_a_unit(records: Records, queries: Queries) -> None:
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        transaction.accounts.add(account("system-2"))
        transaction.grants.add(grant("grant-2", grantee_id="system-2", at=later(days=1)))
        transaction.commit()
    assert [one.id for one in queries.grants(PageRequest(), seal_code=CODE).items] == ["grant-2", "grant-1"]
    assert queries.grants(PageRequest(), grantee_id="system-1").items == (grant(),)
    assert len(queries.grants(PageRequest(), unit_id="unit-1").items) == 2
    assert queries.grants(PageRequest(), unit_id="unit-2").items == ()
    assert queries.grants(PageRequest(), seal_code=CODE, unit_id="unit-2").items == ()


def test_uses_of_a_seal_and_of_a_document_before_or_after_sealing(records: Records, queries: Queries) -> None:
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        transaction.accounts.add(account("system-2"))
        for number in (1, 2, 3):
            system = "system-2" if number == 2 else "system-1"
            reserved = use(f"use-{number}", account_id=system, document=f"document {number}", at=later(minutes=-number))
            transaction.uses.add(reserved)
            transaction.uses.end(completed(reserved, sealed=f"document {number + 1}"))
        transaction.commit()
    assert [one.id for one in queries.uses(PageRequest(), seal_code=CODE).items] == ["use-1", "use-2", "use-3"]
    assert [one.id for one in queries.uses(PageRequest(), seal_code=CODE, account_id="system-2").items] == ["use-2"]
    assert [one.id for one in queries.uses_of_document(digest_of("document 2"), 9)] == ["use-2", "use-1"]
    assert queries.uses_of_document(digest_of("unknown"), 9) == []
    assert [one.id for one in queries.uses_of_document(digest_of("document 2"), 1)] == ["use-2"]
    assert [one.id for one in queries.uses_of_grant("grant-1", 9)] == ["use-3", "use-2", "use-1"]
    assert [one.id for one in queries.uses_of_grant("grant-1", 2)] == ["use-2", "use-1"], "the newest ones"
    assert queries.uses_of_grant("grant-9", 9) == []


def entries() -> list[LogRow]:
    """Eight entries, two minutes apart, that differ in every column that is asked for."""
    kinds = (EventKind.SEAL_INTENT, EventKind.SEAL_COMPLETED)
    return [
        log_row(
            f"e{number}",
            kinds[number % 2],
            at=later(minutes=2 * number),
            seq=number + 1,
            seal_code=CODE if number < 6 else "99990000000002",
            unit_id="unit-1" if number < 5 else None,
            account_id="system-1" if number % 4 else "system-2",
            scenario="permit" if number % 3 else "licence",
            operator_ref="f" * 32 if number == 4 else None,
            document_sha256=digest_of("document") if number in (2, 3) else None,
            use_id=f"use-{number // 2}",
            intent_id=f"e{number - 1}" if number % 2 else None,
            result=Result.FAILURE if number == 7 else Result.SUCCESS,
        )
        for number in range(8)
    ]


@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [
        (LogFilter(), "76543210"),
        (LogFilter(seal_code=CODE), "543210"),
        (LogFilter(unit_id="unit-1"), "43210"),
        (LogFilter(account_id="system-2"), "40"),
        (LogFilter(operator_ref="f" * 32), "4"),
        (LogFilter(scenario="licence"), "630"),
        (LogFilter(document_sha256=digest_of("document")), "32"),
        (LogFilter(use_id="use-3"), "76"),
        (LogFilter(kind=EventKind.SEAL_COMPLETED), "7531"),
        (LogFilter(result=Result.FAILURE), "7"),
        (LogFilter(at_from=later(minutes=4), at_until=later(minutes=8)), "32"),
        (LogFilter(seal_code=CODE, kind=EventKind.SEAL_INTENT, at_from=later(minutes=1)), "42"),
    ],
)
def test_log_entries_by_what_is_asked_of_them(
    records: Records, queries: Queries, chosen: LogFilter, numbers: str
) -> None:
    written = entries()
    add_log(records, *written)
    found = all_pages(lambda page: queries.log(page, chosen), 3)
    assert found == [written[int(number)] for number in numbers]


def test_the_log_is_listed_without_private_fields_and_counted(records: Records, queries: Queries) -> None:
    private = (PrivateField(name="operator_name", ciphertext=b"secret"),)
    add_log(records, log_row("e1", private=private), log_row("e2"))
    assert [one.private for one in queries.log(PageRequest(), LogFilter()).items] == [(), ()]
    assert queries.log_size() == 2


def test_the_entries_of_many_uses_come_oldest_first(records: Records, queries: Queries) -> None:
    written = entries()
    add_log(records, *written)
    assert queries.log_of_uses([]) == []
    names = ["use-2", "use-0", *(f"unknown-{number}" for number in range(1200))]
    assert queries.log_of_uses(names) == [*written[0:2], *written[4:6]]


def test_statistics_count_by_keys_most_first(records: Records, queries: Queries) -> None:
    add_log(records, *entries())

    def by(keys: list[StatisticsKey], chosen: LogFilter) -> tuple[StatisticsRow, ...]:
        """The same from the counts that are kept as from a recount, which a filter that says nothing asks for."""
        answer = queries.statistics(keys, chosen)
        assert queries.statistics(keys, replace(chosen, at_from=EPOCH)) == answer
        assert answer.upto_size == 8
        return answer.rows

    assert [(one.key, one.count) for one in by([StatisticsKey.SEAL], LogFilter())] == [
        ((CODE,), 6),
        (("99990000000002",), 2),
    ]
    assert [(one.key, one.count) for one in by([StatisticsKey.RESULT, StatisticsKey.KIND], LogFilter())] == [
        (("success", "seal.intent"), 4),
        (("success", "seal.completed"), 3),
        (("failure", "seal.completed"), 1),
    ]
    assert [(one.key, one.count) for one in by([StatisticsKey.UNIT], LogFilter(account_id="system-2"))] == [
        (("unit-1",), 2)
    ]
    assert {one.key: one.count for one in by([StatisticsKey.UNIT], LogFilter())} == {("unit-1",): 5, (None,): 3}
    assert {one.key[0] for one in by([StatisticsKey.SYSTEM], LogFilter())} == {"system-1", "system-2"}
    assert {one.key[0] for one in by([StatisticsKey.SCENARIO], LogFilter())} == {"permit", "licence"}


def test_statistics_are_paged_in_an_order_that_stays(records: Records, queries: Queries) -> None:
    """Ties by their values, what has none first; kept counts and a recount alike, on both engines."""
    kinds = [EventKind.SEAL_MADE, EventKind.SEAL_DENIED, EventKind.DOCUMENT_VERIFIED]
    add_log(
        records,
        *(
            log_row(f"e{at}", unit_id=(None, "unit-1", "unit-2")[at % 3], kind=kinds[at // 3 % 3], at=later(minutes=at))
            for at in range(15)
        ),
    )
    keys = [StatisticsKey.UNIT, StatisticsKey.KIND, StatisticsKey.MONTH, StatisticsKey.DAY]
    for chosen in (LogFilter(), LogFilter(at_from=EPOCH), LogFilter(at_until=later(minutes=999))):
        whole = queries.statistics(keys, chosen)
        assert whole.next_cursor is None
        assert [(one.count, one.key[1], one.key[0] or "") for one in whole.rows] == [
            (count, kind, unit)
            for count, kind, unit in sorted(
                ((one.count, one.key[1], one.key[0] or "") for one in whole.rows),
                key=lambda one: (-one[0], one[2], one[1]),
            )
        ]
        paged: list[StatisticsRow] = []
        cursor = None
        while True:
            page = queries.statistics(keys, chosen, PageRequest(limit=2, cursor=cursor))
            paged += page.rows
            cursor = page.next_cursor
            if cursor is None:
                break
        assert tuple(paged) == whole.rows
    first = queries.statistics(keys, LogFilter(), PageRequest(limit=2))
    for other in ([StatisticsKey.UNIT], list(reversed(keys))):
        with pytest.raises(InvalidCursor):
            queries.statistics(other, LogFilter(), PageRequest(cursor=first.next_cursor))
    forged = (["count unit", True, "a"], ["count unit", 1], ["count unit", 1, 2], ["count unit", 1 << 63, "a"], 5)
    for place in forged:
        cursor = base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")
        with pytest.raises(InvalidCursor):
            queries.statistics([StatisticsKey.UNIT], LogFilter(), PageRequest(cursor=cursor))


def test_statistics_tell_what_things_are_called(records: Records, queries: Queries) -> None:
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        found = transaction.seals.lock(CODE)
        holder = transaction.units.get(found.unit_id)
        transaction.commit()
    add_log(records, log_row("e1", unit_id=holder.id, seal_code=CODE, account_id="nobody"))
    keys = [StatisticsKey.SEAL, StatisticsKey.DAY, StatisticsKey.SYSTEM, StatisticsKey.UNIT]
    (row,) = queries.statistics(keys, LogFilter(kind=log_row("e1").kind)).rows
    assert row.names == (found.name, None, None, holder.name)


def test_a_month_is_one_of_days_in_shanghai(records: Records, queries: Queries) -> None:
    """By the database's own arithmetic, for the first and the last day of months until 2100."""
    written: list[LogRow] = []
    expected: Counter[str] = Counter()
    for year in (1972, 1999, 2000, 2026, 2028, 2099):
        for month in range(1, 13):
            begins = datetime(year, month, 1, tzinfo=UTC) - timedelta(hours=8)
            written += [
                log_row(f"{year}-{month}-last", at=begins - timedelta(microseconds=1)),
                log_row(f"{year}-{month}-first", at=begins),
            ]
            before = (date(year, month, 1) - timedelta(days=1)).isoformat()[:7]
            expected.update([f"{year}-{month:02}", before])
    add_log(records, *written)
    for chosen in (LogFilter(), LogFilter(at_from=EPOCH + timedelta(microseconds=1))):
        found = queries.statistics([StatisticsKey.MONTH], chosen, PageRequest(limit=500)).rows
        assert {one.key[0]: one.count for one in found} == dict(expected)
    both = queries.statistics([StatisticsKey.MONTH, StatisticsKey.DAY], LogFilter(), PageRequest(limit=500)).rows
    assert all(str(day).startswith(str(month)) for month, day in (one.key for one in both))


def test_statistics_need_a_key(queries: Queries) -> None:
    with pytest.raises(InvalidInput):
        queries.statistics([], LogFilter())


def test_a_day_is_a_day_in_shanghai(records: Records, queries: Queries) -> None:
    midnight = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)  # 2026-03-02 00:00 in Shanghai
    add_log(
        records,
        log_row("before", at=midnight - timedelta(microseconds=1)),
        log_row("after", at=midnight),
        log_row("late", at=midnight + timedelta(hours=23, minutes=59)),
    )
    found = queries.statistics([StatisticsKey.DAY], LogFilter()).rows
    since = queries.statistics([StatisticsKey.DAY], LogFilter(at_from=midnight, at_until=midnight + timedelta(days=1)))
    assert [(one.key, one.count) for one in since.rows] == [(("2026-03-02",), 2)]
    later_on = queries.statistics([StatisticsKey.DAY], LogFilter(at_from=midnight + timedelta(microseconds=1)))
    assert [(one.key, one.count) for one in later_on.rows] == [(("2026-03-02",), 1)]
    assert [(one.key, one.count) for one in found] == [(("2026-03-02",), 2), (("2026-03-01",), 1)]


def test_certificates_from_outside_are_those_of_active_seals_that_were_not_issued_here(
    records: Records, queries: Queries
) -> None:
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        (first,) = transaction.seals.lock(CODE).credentials
        transaction.commit()
    assert queries.certificates_from_outside(NOW) == [first.certificate]
    assert queries.certificates_from_outside(later(days=4000)) == [], "an expired seal needs no revocation data"
    with records.write() as transaction:
        found = transaction.seals.lock(CODE)
        newer = replace(credential(), id="newer", version=2, serial="ee", certificate=b"newer")
        transaction.seals.replace(replace(found, version=2, credentials=(*found.credentials, newer)))
        transaction.commit()
    assert queries.certificates_from_outside(NOW) == [b"newer"]
    with records.write() as transaction:
        issued = IssuedCertificate(
            serial="ee", certificate=b"newer", not_before=newer.not_before, not_after=newer.not_after
        )
        transaction.certificates.add(issued)
        transaction.commit()
    assert queries.certificates_from_outside(NOW) == []


def test_the_databases_clock_is_the_machines_where_it_has_one(queries: Queries) -> None:
    """On one machine: a server's clock is this one's, and SQLite has none of its own."""
    moment = queries.database_time()
    assert moment is None or abs(moment - datetime.now(UTC)) < timedelta(seconds=5)


def test_registers_are_counted(records: Records, queries: Queries) -> None:
    assert set(queries.counts().values()) == {0}
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        transaction.commit()
    counts = queries.counts()
    assert (counts["seals"], counts["grants"], counts["uses"], counts["log_entries"]) == (1, 1, 0, 0)

"""Filing with the province (articles 8, 22): at least once, in order, through every way in which a registry fails."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from seal_service.domain.access import Caller, Role
from seal_service.domain.events import Event, EventKind
from seal_service.domain.filing import Filing, FilingState
from seal_service.domain.paging import PageRequest
from seal_service.domain.seal import Seal
from seal_service.domain.use import SignatureLevel
from seal_service.ports.filing import FiledSource, Receipt
from seal_service.ports.filing import ProvincialRegistry as Province
from seal_service.ports.reading import LogFilter
from seal_service.usecases.change_status import CancelSeal, ReportLoss, ResumeSeal
from seal_service.usecases.check_readiness import CheckReadiness
from seal_service.usecases.make_filing_key import MakeFilingKey
from seal_service.usecases.read_filings import ListFilings, ReadFilingState
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.reconcile_filings import ReconcileFilings
from seal_service.usecases.relay_filings import Relayed, RelayFilings, RelayFilingsUseCase
from seal_service.usecases.retry_filing import RetryFiling
from tests.instance import RealOffice
from tests.provincial_registry import SYSTEM_ID, ProvincialRegistry, provincial_registry

MACHINE = Caller(account_id=None, name="maintenance", roles=frozenset({Role.SYSTEM_OPERATOR}))


class FilingOffice:
    """An office whose instance files with a registry."""

    def __init__(self, office: RealOffice, registry: ProvincialRegistry) -> None:
        self.office, self.registry, self.service = office, registry, office.service
        self.code = office.made.code
        registry.public_key_info = office.service.filing.make_key(office.operator, MakeFilingKey()).public_key_info

    def relay(self) -> Relayed:
        return self.service.filing.relay(MACHINE, RelayFilings())

    def use(self, key: str) -> None:
        self.office.use(key, level=SignatureLevel.B_B)

    def filings(self, state: FilingState | None = None) -> list[Filing]:
        command = ListFilings(state=state, page=PageRequest(limit=500))
        return list(self.service.filing.list_all(self.office.auditor, command).items)

    def waiting(self) -> int:
        return self.service.filing.read_state(self.office.auditor, ReadFilingState()).backlog.waiting

    def expected(self, seal: Seal | None = None) -> list[tuple[str, str]]:
        """Task and serial of all filings of a seal, in the order in which they must be at the province."""
        code = self.code if seal is None else seal.code
        of_seal = sorted((one for one in self.filings() if one.seal_code == code), key=lambda one: (one.seq, one.task))
        return [(one.task.value.upper(), one.entry_id.replace("-", "")) for one in of_seal]

    def forward(self, by: timedelta) -> None:
        self.office.clock.forward(by)

    def entries(self, kind: EventKind) -> list[str]:
        command = QueryLog(chosen=LogFilter(kind=kind), page=PageRequest(limit=500))
        return [one.canon.decode() for one in self.service.query_log(self.office.auditor, command).page.items]


@pytest.fixture
def registry() -> Iterator[ProvincialRegistry]:
    with provincial_registry() as served:
        yield served


@pytest.fixture
def filing(tmp_path: Path, on_engine: dict[str, object], registry: ProvincialRegistry) -> Iterator[FilingOffice]:
    changes = {**on_engine, "filing_url": registry.url, "filing_system_id": SYSTEM_ID, "network_timeout_seconds": 2.0}
    office = RealOffice(tmp_path / "var", changes=changes)
    yield FilingOffice(office, registry)
    office.service.close()
    assert registry.faults == []


def test_making_loss_release_and_cancellation_and_every_record_are_filed_in_order(filing: FilingOffice) -> None:
    """Articles 8, 22: 207 made, 209 lost, 207 valid again, 209 cancelled, and the records of the log between them."""
    office, service = filing.office, filing.service
    filing.use("k1")
    service.report_loss(office.keeper, ReportLoss(seal_code=filing.code, reason="遗失|介质"))
    service.resume_seal(office.maker, ResumeSeal(seal_code=filing.code, reason="找回"))
    command = CancelSeal(seal_code=filing.code, reason="机构调整", document_number="示政办〔2026〕9号")
    service.cancel_seal(office.maker, command)
    done = filing.relay()
    assert (done.refused, done.unreached) == (0, 0)
    assert filing.waiting() == 0
    assert filing.registry.of_seal(filing.code) == filing.expected()
    tasks = [(one.task, one.fields.get("logType"), one.fields.get("invalidType")) for one in filing.registry.taken]
    assert tasks == [
        ("207", None, None),
        ("LOG", "1", None),
        ("LOG", "2", None),
        ("209", None, "2"),
        ("LOG", "5", None),
        ("207", None, None),
        ("209", None, "1"),
        ("LOG", "6", None),
    ]
    record = filing.registry.taken[2].fields
    assert record["operatorName"] == "样某"
    assert record["docName"] == "示例文件.pdf"
    assert (record["result"], record["sealZone"], record["provincePubSysId"]) == ("0", "999900", SYSTEM_ID)
    assert filing.registry.taken[3].fields["cancelReason"] == "遗失｜介质"
    assert filing.registry.taken[6].fields["cancelDescribe"] == "示政办〔2026〕9号"
    published = filing.registry.taken[0].fields
    assert published["requestParam"] == filing.registry.taken[0].serial
    assert published["validEndTime"] == published["certEndTime"] > published["certStartTime"]


def test_receipts_are_in_the_log_and_are_not_filed_themselves(filing: FilingOffice) -> None:
    filing.use("k1")
    filing.relay()
    (acknowledged,) = filing.entries(EventKind.FILING_ACKNOWLEDGED)
    assert "省备000001" in acknowledged
    assert all(one.id in acknowledged for one in filing.filings())
    assert {one.receipt for one in filing.filings()} == {"省备000001", "省备000002", "省备000003"}
    assert filing.relay() == Relayed()
    assert len(filing.entries(EventKind.FILING_ACKNOWLEDGED)) == 1


def test_a_province_that_is_away_for_a_week_only_lets_the_table_grow(filing: FilingOffice) -> None:
    other = filing.office.seal(filing.office.holder, filing.office.keeper)
    filing.registry.down = True
    for day in range(7):
        filing.use(f"day {day}")
        for _ in range(4):
            assert filing.relay().unreached > 0
            filing.forward(timedelta(hours=6))
    assert filing.registry.taken == []
    assert filing.waiting() == 2 + 2 + 7
    ready = {one.name: one for one in filing.service.check_readiness(MACHINE, CheckReadiness())}["filing"]
    assert ready.ready
    assert ready.warning
    filing.registry.down = False
    assert filing.relay().acknowledged == 11
    assert filing.waiting() == 0
    assert filing.registry.of_seal(filing.code) == filing.expected()
    assert filing.registry.of_seal(other.code) == filing.expected(other)
    assert len(filing.registry.arrivals) == 11


def test_as_soon_as_one_gets_through_the_others_wait_no_longer(filing: FilingOffice) -> None:
    seals = [filing.office.seal(filing.office.holder, filing.office.keeper) for _ in range(5)]
    filing.registry.down = True
    for _ in range(12):
        filing.relay()
        filing.forward(timedelta(minutes=20))
    filing.relay()
    filing.registry.down = False
    filing.service.filing.retry(filing.office.maker, RetryFiling(filing_id=filing.filings()[0].id))
    filing.relay()
    filing.relay()
    assert filing.waiting() == 0
    assert all(filing.registry.of_seal(one.code) == filing.expected(one) for one in seals)


@pytest.mark.parametrize("how", ["drop", "garbage", "error page", "no code"])
def test_what_is_no_answer_is_sent_again(filing: FilingOffice, how: str) -> None:
    filing.registry.misbehaviour = [how]
    assert filing.relay().unreached == 1
    assert filing.registry.taken == []
    failed = filing.filings()[-1]
    assert (failed.state, failed.attempts) == (FilingState.WAITING, 1)
    assert failed.failure
    assert filing.relay() == Relayed()  # not yet due
    filing.forward(timedelta(seconds=10))
    assert filing.relay().acknowledged == 2
    assert filing.registry.of_seal(filing.code) == filing.expected()


def test_what_was_stored_though_no_answer_came_is_there_already(filing: FilingOffice) -> None:
    """Time-out but stored: the second attempt is told that the serial is known, and that is success."""
    filing.registry.misbehaviour = ["store and drop"]
    assert filing.relay().unreached == 1
    assert len(filing.registry.taken) == 1
    filing.forward(timedelta(seconds=10))
    assert filing.relay().acknowledged == 2
    assert filing.registry.of_seal(filing.code) == filing.expected()
    assert filing.filings()[-1].receipt == "流水号已存在"
    assert '"already_there":1' in filing.entries(EventKind.FILING_ACKNOWLEDGED)[0]


def test_a_registry_that_is_slower_than_the_time_limit_is_asked_again(filing: FilingOffice) -> None:
    filing.registry.slow_seconds = 2.5
    assert filing.relay().unreached == 1
    filing.registry.slow_seconds = 0.3
    filing.forward(timedelta(seconds=10))
    assert filing.relay().acknowledged == 2
    assert filing.registry.of_seal(filing.code) == filing.expected()


def test_a_refusal_holds_its_seal_back_raises_the_alarm_and_is_never_dropped(filing: FilingOffice) -> None:
    other = filing.office.seal(filing.office.holder, filing.office.keeper)
    filing.registry.refused_seals = {filing.code}
    for attempt in range(1, 6):
        done = filing.relay()
        assert done.refused == 1
        assert filing.registry.of_seal(filing.code) == []
        assert filing.filings(FilingState.REFUSED)[0].attempts == attempt
        filing.forward(timedelta(hours=1))
    assert filing.registry.of_seal(other.code) == filing.expected(other)
    (refused,) = filing.filings(FilingState.REFUSED)
    assert refused.failure == "Code 30007: 印章上级编码｜不存在"
    ready = {one.name: one for one in filing.service.check_readiness(MACHINE, CheckReadiness())}["filing"]
    assert ready.ready
    assert ready.warning
    filing.use("the seal is applied all the same")
    filing.registry.refused_seals = set()
    assert filing.relay().acknowledged == 3
    assert filing.filings(FilingState.REFUSED) == []
    assert filing.registry.of_seal(filing.code) == filing.expected()


def test_a_retry_does_not_wait_and_is_logged(filing: FilingOffice) -> None:
    filing.registry.misbehaviour = ["refuse"]
    filing.relay()
    (refused,) = filing.filings(FilingState.REFUSED)
    assert filing.relay() == Relayed()
    command = RetryFiling(filing_id=refused.id, idempotency_key="again")
    filing.service.filing.retry(filing.office.maker, command)
    filing.service.filing.retry(filing.office.maker, command)
    assert len(filing.entries(EventKind.FILING_RETRIED)) == 1
    assert filing.relay().acknowledged == 2


class _Dying(BaseException):
    """The process ends."""


def test_a_relay_that_dies_between_sending_and_noting_leaves_what_the_next_finds_there(filing: FilingOffice) -> None:
    relay = filing.service.filing.relay.use_case
    assert isinstance(relay, RelayFilingsUseCase)
    assert relay.registry is not None
    real: Province = relay.registry

    class Dies:
        name = "dies"

        def file(self, source: FiledSource) -> Receipt:
            real.file(source)
            raise _Dying

        def is_valid(self, seal_code: str, seal_name: str) -> bool | None:
            raise NotImplementedError

    with pytest.raises(_Dying):
        replace(relay, registry=Dies())(MACHINE, RelayFilings())
    assert len(filing.registry.taken) == 1
    assert filing.waiting() == 2
    assert filing.relay() == Relayed()  # claimed by the one that died
    filing.forward(relay.claim)
    assert filing.relay().acknowledged == 2
    assert filing.registry.of_seal(filing.code) == filing.expected()
    assert filing.registry.arrivals.count(filing.registry.arrivals[0]) == 2


def test_two_relays_at_once_send_everything_once_and_in_order(filing: FilingOffice) -> None:
    seals = [filing.office.made, *(filing.office.seal(filing.office.holder, filing.office.keeper) for _ in range(5))]
    for number in range(10):
        filing.use(f"k{number}")
    done: list[Relayed] = []
    threads = [threading.Thread(target=lambda: done.append(filing.relay())) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    while filing.waiting():
        done.append(filing.relay())
    assert sum(one.acknowledged for one in done) == len(filing.filings()) == 22
    assert len(filing.registry.arrivals) == len(set(filing.registry.arrivals)) == 22
    for seal in seals:
        assert filing.registry.of_seal(seal.code) == filing.expected(seal)


def test_the_daily_report_compares_with_the_province_and_is_logged(filing: FilingOffice) -> None:
    filing.use("k1")
    filing.relay()
    filing.forward(timedelta(seconds=1))
    report = filing.service.filing.reconcile(MACHINE, ReconcileFilings(unless_done=True))
    assert report is not None
    assert report.well
    assert report.counts[FilingState.ACKNOWLEDGED] == report.acknowledged_in_period == 3
    assert (report.seals_compared, report.comparison) == (1, "complete")
    assert filing.registry.asked_for == [filing.code]
    assert filing.service.filing.reconcile(MACHINE, ReconcileFilings(unless_done=True)) is None
    filing.registry.taken = [one for one in filing.registry.taken if one.task != "207"]  # the province lost it
    filing.forward(timedelta(days=1))
    report = filing.service.filing.reconcile(MACHINE, ReconcileFilings(unless_done=True))
    assert report is not None
    assert not report.well
    assert report.seals_differing == (filing.code,)
    assert len(filing.entries(EventKind.FILING_REPORTED)) == 2
    filing.registry.down = True
    report = filing.service.filing.reconcile(MACHINE, ReconcileFilings())
    assert report is not None
    assert report.seals_compared == 0
    assert "503" in report.comparison


def test_a_filing_is_written_with_its_entry_or_not_at_all(filing: FilingOffice) -> None:
    before = len(filing.filings())
    records, log = filing.office.applying.records, filing.office.applying.log
    with records.write() as transaction:
        seal = transaction.seals.lock(filing.code)
        log.append(transaction, Event(kind=EventKind.SEAL_RENEWED, seal_code=seal.code, unit_id=seal.unit_id))
    assert len(filing.filings()) == before

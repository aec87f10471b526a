"""Filing (articles 8, 22): what is filed, when it is tried again, and what a message is made of."""

from __future__ import annotations

import base64
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import FilingRefused, IntegrityFailed, RegistryUnavailable, SignatureRefused
from seal_service.domain.events import EventKind
from seal_service.domain.filing import (
    LONGEST_WAIT,
    WAIT_WHEN_REFUSED,
    Backlog,
    FilingState,
    FilingTask,
    filings_of,
    tasks_of,
    wait_after,
)
from seal_service.domain.local_time import local_time
from seal_service.domain.readiness import judge_filing
from seal_service.filing import messages
from seal_service.formats import canonical
from seal_service.log.appendix_a import LOG_TYPES
from seal_service.ports.filing import FiledSource, Receipt
from seal_service.testing import MemoryProvince
from seal_service.usecases.change_status import ReportLoss
from seal_service.usecases.relay_filings import SEALS_AT_ONCE, Relayed, RelayFilings, RelayFilingsUseCase
from tests.city import MAKER, Office
from tests.provincial_registry import SIGNED
from tests.storage_samples import CODE, NOW, credential, log_row, seal, unit

CLAIM = timedelta(minutes=2)
TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


def _relay(office: Office, province: MemoryProvince | None) -> RelayFilingsUseCase:
    return RelayFilingsUseCase(office.records, office.log, province, office.clock, office.entropy, CLAIM)


def test_every_kind_that_is_filed_as_a_record_has_a_log_type() -> None:
    """附录A requires one; an intent is filed by its end."""
    recorded = {kind for kind in EventKind if FilingTask.RECORD in tasks_of(kind)}
    assert recorded == set(LOG_TYPES) - {EventKind.SEAL_INTENT, EventKind.DOCUMENT_VERIFIED}


def test_what_is_filed_of_filing_itself_is_nothing() -> None:
    assert [kind for kind in EventKind if kind.value.startswith("filing.") and tasks_of(kind)] == []


def test_of_one_entry_the_status_goes_before_the_record() -> None:
    found = filings_of(EventKind.SEAL_MADE, "e1", CODE, 1, NOW)
    assert [one.task for one in found] == sorted([FilingTask.PUBLICATION, FilingTask.RECORD])
    assert [one.id for one in found] == ["e1-207", "e1-log"]
    assert {one.area_code for one in found} == {"999900"}


def test_an_entry_without_seal_is_not_filed() -> None:
    assert filings_of(EventKind.SEAL_DENIED, "e1", None, None, NOW) == []


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True), st.booleans())
def test_waiting_is_bounded_scattered_and_slower_for_what_was_refused(
    attempts: int, chance: float, refused: bool
) -> None:
    wait = wait_after(attempts, chance, refused=refused)
    assert timedelta(seconds=5) <= wait <= LONGEST_WAIT
    assert wait_after(attempts, 0.0, refused=refused) <= wait
    if refused:
        assert wait >= WAIT_WHEN_REFUSED / 2
    assert wait_after(attempts, chance, refused=refused) <= wait_after(attempts + 1, chance, refused=refused)


def test_health_warns_of_filings_and_is_never_unready() -> None:
    day = timedelta(days=1)
    none = Backlog(waiting=0, refused=0, oldest_at=None)
    young = Backlog(waiting=1, refused=0, oldest_at=NOW)
    refused = Backlog(waiting=9, refused=2, oldest_at=NOW)
    told = [
        judge_filing(none, True, NOW, day),
        judge_filing(young, True, NOW + day, day),
        judge_filing(young, True, NOW + day + timedelta(seconds=1), day),
        judge_filing(refused, True, NOW, day),
        judge_filing(young, False, NOW + 9 * day, day),
    ]
    assert all(one.ready for one in told)
    assert [one.warning for one in told] == [False, False, True, True, False]
    assert "no provincial registry is configured" in told[-1].detail


def _source(task: FilingTask, kind: EventKind, *, private: dict[str, str] | None = None, **record: str) -> FiledSource:
    leaf: dict[str, canonical.Value | dict[str, canonical.Value]] = {
        "id": "e1",
        "a": {
            "logId": "e1",
            "logType": "2",
            "sealCode": CODE,
            "sealName": "示例市样章局",
            "sealType": "01",
            "useUnitCode": "11999900MB0000001A",
            "useUnitName": "示例市样章局",
            "sealZone": "999900",
            "signTime": "2026-03-01 16:30:15",
            "result": "0",
            "certSn": "0a02",
            "reason": "遗失",
            **record,
        },
    }
    entry = replace(log_row("e1", kind, seal_code=CODE, seq=1), canon=canonical.encode(leaf))
    renewed = replace(
        seal(), credentials=(credential("0a01"), credential("0a02", version=2), credential("0a03", version=3))
    )
    (found,) = (one for one in filings_of(kind, "e1", CODE, 1, NOW) if one.task is task)
    return FiledSource(filing=found, entry=entry, private=private or {}, seal=renewed, unit=unit())


_CASES = [
    (FilingTask.PUBLICATION, EventKind.SEAL_MADE),
    (FilingTask.RENEWAL, EventKind.SEAL_RENEWED),
    (FilingTask.REVOCATION, EventKind.SEAL_SUSPENDED),
    (FilingTask.REVOCATION, EventKind.SEAL_CANCELLED),
    (FilingTask.RECORD, EventKind.SEAL_COMPLETED),
]


@pytest.mark.parametrize(("task", "kind"), _CASES)
def test_each_task_is_signed_in_the_order_of_the_public_client(task: FilingTask, kind: EventKind) -> None:
    message = messages.message_of(_source(task, kind), "系统一")
    assert "|".join(message.signed) == SIGNED[message.task]
    assert set(message.signed) <= set(message.fields)


@pytest.mark.parametrize(("task", "kind"), _CASES)
def test_what_an_entry_names_is_filed_though_the_seal_was_renewed_since(task: FilingTask, kind: EventKind) -> None:
    message = messages.message_of(_source(task, kind), "系统一")
    if "signCert" in message.fields:
        assert base64.b64decode(message.fields["signCert"]) == credential("0a02").certificate


@given(case=st.sampled_from(_CASES), name=TEXT, reason=TEXT, operator=TEXT, scene=TEXT)
def test_the_signed_text_can_be_read_back_in_one_way_only(
    case: tuple[FilingTask, EventKind], name: str, reason: str, operator: str, scene: str
) -> None:
    """Whatever people write, two messages that differ are not signed alike: no value holds the separator."""
    source = _source(*case, private={"operator_name": operator})
    leaf = canonical.decode(source.entry.canon)
    record = leaf["a"]
    assert isinstance(record, dict)
    texts = {"sealName": f"名{name}", "reason": f"因{reason}", "sceneCode": scene}
    shown = {key: value.encode("utf-8", "replace").decode() for key, value in texts.items()}
    entry = replace(source.entry, canon=canonical.encode({**leaf, "a": {**record, **shown}}))
    message = messages.message_of(replace(source, entry=entry), "系统一")
    read = message.signing_text.split("|")
    assert read == [message.fields[one] for one in message.signed]
    assert all("\n" not in one and "|" not in one for one in message.fields.values())
    message.signing_text.encode()


def test_a_message_without_what_it_must_have_is_refused_here_by_name() -> None:
    with pytest.raises(FilingRefused, match="has no sealName"):
        messages.message_of(_source(FilingTask.RECORD, EventKind.SEAL_COMPLETED, sealName=""), "系统一")


def test_a_value_that_no_registry_would_take_is_refused_here() -> None:
    source = _source(FilingTask.RECORD, EventKind.SEAL_COMPLETED, private={"document_name": "长" * 9000})
    with pytest.raises(FilingRefused, match="docName"):
        messages.message_of(source, "系统一")


def test_times_are_those_of_the_clock_on_the_wall_in_china() -> None:
    """No summer time since 1991."""
    assert local_time(datetime(2026, 7, 31, 16, 0, 1, tzinfo=UTC)) == "2026-08-01 00:00:01"
    assert local_time(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)) == "2027-01-01 07:59:59"


def test_without_a_registry_filings_only_wait() -> None:
    office = Office()
    assert _relay(office, None)(MAKER, RelayFilings()) == Relayed()
    assert office.records.state.filings
    assert all(one.state is FilingState.WAITING for one in office.records.state.filings.values())


def test_a_seals_filings_go_in_order_and_what_follows_a_failure_waits() -> None:
    office, province = Office(), MemoryProvince()
    office.use("k1")
    office.report_loss(office.keeper, ReportLoss(seal_code=office.made.code, reason="遗失"))
    province.answers = [None, RegistryUnavailable("no")]
    relay = _relay(office, province)
    assert relay(MAKER, RelayFilings()).acknowledged == 1
    assert len(province.taken) == 1
    assert relay(MAKER, RelayFilings()) == Relayed()  # not yet due
    office.clock.forward(timedelta(seconds=10))
    relay(MAKER, RelayFilings())
    expected = sorted(office.records.state.filings.values(), key=lambda one: (one.seq, one.task))
    assert province.taken == [one.id for one in expected]
    assert [one.task.value for one in expected] == ["207", "log", "log", "209", "log"]


class Crowded(MemoryProvince):
    """A province that answers the relay's seals together: none before as many as may be are asking."""

    def __init__(self) -> None:
        super().__init__()
        self.together = threading.Barrier(SEALS_AT_ONCE, timeout=30)
        self.asking: list[str] = []
        self.most = 0

    def file(self, source: FiledSource) -> Receipt:
        code = source.filing.seal_code
        assert code not in self.asking, "of one seal one filing at a time"
        self.asking.append(code)
        self.most = max(self.most, len(self.asking))
        self.together.wait()
        answer = super().file(source)
        self.asking.remove(code)
        self.together.wait()
        return answer


def test_several_seals_go_at_once_each_in_its_order_and_no_more_than_may_be() -> None:
    office, province = Office(), Crowded()
    state = office.records.state
    made, head = office.made, min(state.filings.values(), key=lambda one: (one.seq, one.task))
    state.filings.clear()
    codes = [f"9999000000{number:04d}" for number in range(2 * SEALS_AT_ONCE)]
    for code in codes:
        state.seals[code] = replace(made, code=code)
        for seq in (1, 2, 3):
            state.filings[f"{code}-{seq}"] = replace(head, id=f"{code}-{seq}", seal_code=code, seq=seq)
    assert _relay(office, province)(MAKER, RelayFilings()) == Relayed(acknowledged=3 * len(codes))
    assert province.most == SEALS_AT_ONCE
    for code in codes:
        assert [one for one in province.taken if one.startswith(code)] == [f"{code}-{seq}" for seq in (1, 2, 3)]


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (RegistryUnavailable("no"), FilingState.WAITING),
        (FilingRefused("no"), FilingState.REFUSED),
        (IntegrityFailed("no"), FilingState.REFUSED),
        (SignatureRefused("no"), FilingState.WAITING),
        (RuntimeError("a fault of the program"), FilingState.REFUSED),
    ],
)
def test_whatever_fails_the_filing_stays_and_is_tried_again(failure: Exception, state: FilingState) -> None:
    office, province = Office(), MemoryProvince(answers=[failure])
    relay = _relay(office, province)
    relay(MAKER, RelayFilings())
    head = min(office.records.state.filings.values(), key=lambda one: (one.seq, one.task))
    assert (head.state, head.attempts) == (state, 1)
    assert head.due_at > office.clock.now()
    office.clock.forward(LONGEST_WAIT)
    relay(MAKER, RelayFilings())
    assert all(one.state is FilingState.ACKNOWLEDGED for one in office.records.state.filings.values())

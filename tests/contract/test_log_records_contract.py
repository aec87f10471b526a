"""What `ports.records` promises of the signing log's rows, on every engine."""

from __future__ import annotations

import pytest

from seal_service.domain.errors import (
    Conflict,
    InvalidInput,
    NotFound,
)
from seal_service.domain.events import EventKind, Result
from seal_service.domain.lifecycle import StatusChange
from seal_service.domain.seal import SealState
from seal_service.ports.records import PrivateField, Transaction
from tests.engines import ENGINES
from tests.storage_samples import (
    CODE,
    digest_of,
    later,
    log_row,
)

on_databases = pytest.mark.parametrize("records", ENGINES, indirect=True)
"""What a database holds beyond the ports' words; the fake is not so strict."""


def test_a_log_entry_is_kept_to_the_byte_with_its_private_fields(written: Transaction) -> None:
    private = (PrivateField(name="case_number", ciphertext=b"\x00\xff"), PrivateField(name="name", ciphertext=b""))
    entry = log_row(
        "e1",
        seq=1,
        seal_code=CODE,
        unit_id="unit-1",
        account_id="system-1",
        scenario="permit",
        operator_ref="f" * 32,
        document_sha256=digest_of("document"),
        use_id="use-1",
        private=private,
    )
    written.log.insert(entry)
    assert written.log.find("e1") == entry


def test_the_counter_of_a_seal_counts_its_entries(written: Transaction) -> None:
    assert written.log.next_seq(CODE) == 1
    written.log.insert(log_row("e1", seq=1, seal_code=CODE))
    written.log.insert(log_row("e2"))
    assert written.log.next_seq(CODE) == 2
    assert written.log.next_seq("99990000000002") == 1


def test_an_intent_ends_once(written: Transaction) -> None:
    for number in (1, 2, 3):
        written.log.insert(log_row(f"intent-{number}", EventKind.SEAL_INTENT, at=later(minutes=number)))
    written.log.insert(log_row("end-2", EventKind.SEAL_COMPLETED, intent_id="intent-2"))
    with pytest.raises(Conflict):
        written.log.insert(log_row("end-2b", EventKind.SEAL_ABANDONED, intent_id="intent-2"))


def test_changes_of_the_logs_key_are_told_in_their_order(written: Transaction) -> None:
    assert written.log.changes_of_key() == []
    rows = [
        log_row("b", EventKind.LOG_CLOSED, at=later(minutes=3)),
        log_row("a", EventKind.LOG_OPENED, at=later(minutes=3)),
        log_row("c", EventKind.LOG_OPENED, at=later(minutes=2)),
        log_row("d", EventKind.LOG_GUARDED, at=later(minutes=2)),
    ]
    for row in rows:
        written.log.insert(row)
    assert written.log.changes_of_key() == [rows[2].canon, rows[1].canon, rows[0].canon]


def test_status_changes_are_those_that_the_log_has(written: Transaction) -> None:
    kinds = (
        EventKind.SEAL_MADE,
        EventKind.SEAL_ACTIVATED,
        EventKind.SEAL_INTENT,
        EventKind.SEAL_SUSPENDED,
        EventKind.SEAL_ACT_REFUSED,
        EventKind.SEAL_RESUMED,
        EventKind.SEAL_RENEWED,
        EventKind.SEAL_CANCELLED,
    )
    for seq, kind in enumerate(kinds, start=1):
        written.log.insert(log_row(f"e{seq}", kind, at=later(minutes=max(seq, 2)), seq=seq, seal_code=CODE))
    written.log.insert(log_row("other", EventKind.SEAL_MADE, seq=1, seal_code="99990000000002"))
    assert written.log.status_changes(CODE) == [
        StatusChange(at=later(minutes=2), state=SealState.MADE),
        StatusChange(at=later(minutes=2), state=SealState.ACTIVE),
        StatusChange(at=later(minutes=4), state=SealState.SUSPENDED),
        StatusChange(at=later(minutes=6), state=SealState.ACTIVE),
        StatusChange(at=later(minutes=8), state=SealState.CANCELLED),
    ]


@on_databases
def test_an_end_names_an_intent(written: Transaction) -> None:
    with pytest.raises(InvalidInput):
        written.log.insert(log_row("end-0", EventKind.SEAL_FAILED))


@on_databases
def test_an_end_names_an_intent_that_is_there(written: Transaction) -> None:
    with pytest.raises(NotFound):
        written.log.insert(log_row("end-9", EventKind.SEAL_FAILED, intent_id="no intent"))


@on_databases
def test_a_refused_act_is_no_change_of_status(written: Transaction) -> None:
    written.log.insert(log_row("e1", EventKind.SEAL_RESUMED, seq=1, seal_code=CODE, result=Result.REFUSED))
    assert written.log.status_changes(CODE) == []

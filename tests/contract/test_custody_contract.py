"""What `ports.records.custody` promises, on every engine and on the fake."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from seal_service.domain.activation import ActivationRecord
from seal_service.domain.algorithms import Suite
from seal_service.domain.conveyance import Conveyance
from seal_service.domain.errors import AlreadyRegistered, ConveyanceNotFound, PreparedUseNotFound
from seal_service.domain.medium import MediumAct, MediumEvent
from seal_service.domain.prepared_use import PreparedUse
from seal_service.ports.records import Transaction
from tests.storage_samples import CODE, NOW, use

PREPARED = PreparedUse(
    use_id="use-1",
    seal_code=CODE,
    to_be_signed=b"1\x00attributes",
    suite=Suite.RSA_3072,
    certificate_serial="0a01",
    kept="e" * 64,
    prepared_at=NOW,
    expires_at=NOW + timedelta(minutes=5),
)


def event(position: int, act: MediumAct, **changes: object) -> MediumEvent:
    made = MediumEvent(
        id=f"event-{position}",
        seal_code=CODE,
        position=position,
        serial_number="UKEY-1",
        version=1,
        act=act,
        at=NOW,
        recorded_at=NOW,
        recorded_by="system-1",
        keeper="王样例",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_prepared_use_is_kept_changed_and_found_when_it_is_overdue(written: Transaction) -> None:
    reserved = use()
    written.uses.add(reserved)
    prepared = replace(PREPARED, use_id=reserved.id)
    assert written.prepared_uses.find(reserved.id) is None
    with pytest.raises(PreparedUseNotFound):
        written.prepared_uses.replace(prepared)
    written.prepared_uses.add(prepared)
    assert written.prepared_uses.find(reserved.id) == prepared
    changed = replace(prepared, attempts=2, signature_sha256="f" * 64)
    written.prepared_uses.replace(changed)
    assert written.prepared_uses.find(reserved.id) == changed
    assert written.prepared_uses.overdue(prepared.expires_at, 10) == []
    later = prepared.expires_at + timedelta(seconds=1)
    assert written.prepared_uses.overdue(later, 10) == [changed]
    written.prepared_uses.replace(replace(changed, released_at=later))
    assert written.prepared_uses.overdue(later, 10) == []


def test_a_prepared_use_is_added_once(written: Transaction) -> None:
    reserved = use()
    written.uses.add(reserved)
    written.prepared_uses.add(replace(PREPARED, use_id=reserved.id))
    with pytest.raises(AlreadyRegistered):
        written.prepared_uses.add(replace(PREPARED, use_id=reserved.id))


def test_a_mediums_history_stands_in_its_order_whatever_the_clock_said(written: Transaction) -> None:
    lines = [
        event(0, MediumAct.ISSUED, id="z"),
        event(1, MediumAct.HANDED_OVER, id="a", giver="李样例"),
        event(2, MediumAct.RETURNED, id="m", witness="赵样例"),
    ]
    for line in (lines[2], lines[0], lines[1]):
        written.media.add(line)
    assert written.media.history(CODE) == lines
    assert written.media.history("99990000000099") == []
    assert written.media.seal_of("UKEY-1") == CODE
    assert written.media.seal_of("UKEY-2") is None


def test_an_activation_record_is_written_anew(written: Transaction) -> None:
    record = ActivationRecord(seal_code=CODE, version=1, taken_by="system-1", taken_at=NOW)
    assert written.activations.find(CODE) is None
    assert not written.activations.any()
    written.activations.put(record)
    assert written.activations.find(CODE) == record
    assert written.activations.any()
    blocked = replace(record, failures=3, blocked_until=NOW + timedelta(minutes=1))
    written.activations.put(blocked)
    assert written.activations.find(CODE) == blocked


def test_conveyances_are_found_by_seal_and_system_withdrawn_ones_too(written: Transaction) -> None:
    conveyance = Conveyance(
        id="conveyance-1",
        seal_code=CODE,
        system_id="system-1",
        handle_sha256="a" * 64,
        conveyed_by="system-1",
        conveyed_at=NOW,
    )
    with pytest.raises(ConveyanceNotFound):
        written.conveyances.replace(conveyance)
    written.conveyances.add(conveyance)
    later = replace(conveyance, id="conveyance-2", conveyed_at=NOW + timedelta(seconds=1))
    written.conveyances.add(later)
    assert written.conveyances.of(CODE) == [conveyance, later]
    assert written.conveyances.of(CODE, "system-1") == [conveyance, later]
    assert written.conveyances.of(CODE, "system-2") == []
    withdrawn = replace(conveyance, withdrawn_at=NOW + timedelta(minutes=1))
    written.conveyances.replace(withdrawn)
    assert written.conveyances.of(CODE, "system-1") == [withdrawn, later]

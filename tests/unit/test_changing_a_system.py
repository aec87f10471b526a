"""接入变更: which change is decided, by whom, and what it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from seal_service.domain.errors import AlreadyDecided, SelfDecisionRefused
from seal_service.domain.machine import ApplicationSystem, SystemChange, SystemState, waiting_change, with_decided

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CHANGE = SystemChange(
    id="change-1",
    address="https://other.example/",
    network_environment="互联网",
    department="数据科",
    source_networks=("10.20.31.0/28",),
    contacts=b"others",
    asked_by="keeper",
    asked_at=NOW,
)
SYSTEM = ApplicationSystem(
    id="system-1",
    unit_id="unit-1",
    name="示例市政务服务平台",
    address="https://service.example/",
    network_environment="政务外网",
    department="信息科",
    source_networks=("10.20.30.0/28",),
    contacts=b"ours",
    state=SystemState.APPROVED,
    applied_by="keeper",
    applied_at=NOW,
    account_id="account-1",
    change=CHANGE,
)


def test_who_asked_for_a_change_does_not_decide_on_it() -> None:
    with pytest.raises(SelfDecisionRefused):
        waiting_change(SYSTEM, "change-1", "keeper")
    assert waiting_change(SYSTEM, "change-1", "maker") == CHANGE


@pytest.mark.parametrize(
    "change",
    [None, replace(CHANGE, id="change-2"), *(replace(CHANGE, state=one) for one in SystemState if one != "pending")],
)
def test_only_the_change_that_waits_is_decided(change: SystemChange | None) -> None:
    for who in ("maker", "keeper"):
        with pytest.raises(AlreadyDecided):
            waiting_change(replace(SYSTEM, change=change), "change-1", who)


def test_an_approved_change_holds_and_a_rejected_one_leaves_all_as_it_was() -> None:
    approved = with_decided(SYSTEM, CHANGE, "maker", NOW, approved=True, reason=None)
    decided = replace(CHANGE, decided_by="maker", decided_at=NOW)
    assert approved == replace(
        SYSTEM,
        address="https://other.example/",
        network_environment="互联网",
        department="数据科",
        source_networks=("10.20.31.0/28",),
        contacts=b"others",
        change=replace(decided, state=SystemState.APPROVED),
    )
    rejected = with_decided(SYSTEM, CHANGE, "maker", NOW, approved=False, reason="地址不符")
    left = replace(decided, state=SystemState.REJECTED, contacts=b"ours", decision_reason="地址不符")
    assert rejected == replace(SYSTEM, change=left), "nor are contacts kept that were refused"

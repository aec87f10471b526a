"""接入变更: other addresses and contacts of a registered system, asked for by its unit, approved by the office."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.command_line import Office
from tests.live import LiveOffice, expect, live_city, refused
from tests.machines import RegisteredSystem

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.3"
MOVED = {"address": "https://moved.example/", "source_networks": [ELSEWHERE], "technical_phone": "000-4712"}


@pytest.fixture
def registered(tmp_path: Path) -> Iterator[RegisteredSystem]:
    """A system that is registered to call from one address of this machine."""
    with live_city(tmp_path / "home") as city:
        yield RegisteredSystem(LiveOffice(city), changes={"source_networks": [HERE]})


def ask(registered: RegisteredSystem, **body: Any) -> dict[str, Any]:
    """The change that waits."""
    system = expect(201, registered.office.keeper.post(f"{registered.path}/changes", json=body))
    change: dict[str, Any] = system["change"]
    assert (change["state"], change["decided_by"]) == ("pending", None)
    return change


def decide(registered: RegisteredSystem, change: dict[str, Any], **body: Any) -> httpx.Response:
    return registered.office.maker.post(f"{registered.path}/changes/{change['id']}/decision", json=body)


def shown(registered: RegisteredSystem) -> dict[str, Any]:
    """As the office reads it."""
    return expect(200, registered.office.maker.get(registered.path))


def answered_at(registered: RegisteredSystem, token: str) -> set[str]:
    """The addresses of this machine at which the system is answered."""
    found = set()
    for address in (HERE, ELSEWHERE):
        transport = httpx.HTTPTransport(local_address=address)
        with httpx.Client(base_url=registered.office.city.url, transport=transport, timeout=60) as client:
            answer = client.get("/v1/seals", headers={"Authorization": f"Bearer {token}"})
        if answer.status_code == 200:
            found.add(address)
        else:
            refused(403, "address-refused", answer)
    return found


def test_a_change_holds_from_its_approval_on_and_not_before(registered: RegisteredSystem) -> None:
    token, before = registered.token(), shown(registered)
    change = ask(registered, **MOVED)
    waiting = shown(registered)
    assert (waiting["address"], waiting["source_networks"]) == (before["address"], before["source_networks"])
    assert waiting["contacts"] == before["contacts"]
    asked_for = before["contacts"] | {"technical_phone": "000-4712"}
    assert waiting["contacts_asked_for"] == asked_for, "what was left out stays"
    assert answered_at(registered, token) == {HERE}
    decided = expect(200, decide(registered, change, approve=True))
    assert (decided["address"], decided["source_networks"]) == ("https://moved.example/", ["127.0.0.3/32"])
    assert decided["change"]["state"] == "approved"
    after = shown(registered)
    assert (after["contacts"], after["contacts_asked_for"]) == (asked_for, None)
    assert answered_at(registered, token) == {ELSEWHERE}


def test_a_rejected_change_leaves_what_stood_and_its_unit_reads_why(registered: RegisteredSystem) -> None:
    token, before = registered.token(), shown(registered)
    change = ask(registered, **MOVED)
    refused(422, "invalid-input", decide(registered, change, approve=False))
    expect(200, decide(registered, change, approve=False, reason="地址不符"))
    refused(409, "already-decided", decide(registered, change, approve=True))
    after = expect(200, registered.office.keeper.get(registered.path))
    assert (after["change"]["state"], after["change"]["decision_reason"]) == ("rejected", "地址不符")
    assert {**after, "change": None} == before
    assert answered_at(registered, token) == {HERE}


def test_the_log_says_what_stood_before_and_what_came_after(registered: RegisteredSystem) -> None:
    expect(200, decide(registered, ask(registered, **MOVED), approve=False, reason="地址不符"))
    expect(200, decide(registered, ask(registered, **MOVED), approve=True))
    kinds = ["system.change_requested", "system.change_rejected", "system.changed"]
    for kind in kinds:
        entry = registered.events(kind)[0]
        told = expect(200, registered.office.auditor.get(f"/v1/log/entries/{entry['entry_id']}"))
        facts, private = told["entry"]["facts"], told["personal"]
        assert (facts["former_system_address"], facts["system_address"]) == (
            "https://service.example/",
            "https://moved.example/",
        )
        assert (facts["former_source_networks"], facts["source_networks"]) == (["127.0.0.1/32"], ["127.0.0.3/32"])
        assert (private["former_technical_phone"], private["technical_phone"]) == ("000-4711", "000-4712")
        assert "technical_contact" not in private, "what stays is not told again"
        assert "000-471" not in str(told["entry"]), "contacts are in the entry as commitments alone"
        assert told["entry"]["a"].get("reason") == ("地址不符" if kind == "system.change_rejected" else None)


def test_a_change_is_decided_as_it_was_read_and_by_the_office_alone(registered: RegisteredSystem) -> None:
    """One that was replaced meanwhile is not approved with the one before."""
    first = ask(registered, address="https://first.example/")
    second = ask(registered, address="https://second.example/")
    refused(409, "already-decided", decide(registered, first, approve=True))
    path = f"{registered.path}/changes/{second['id']}/decision"
    for nobody in (registered.office.keeper, registered.office.auditor, registered.office.system):
        refused(403, "permission-denied", nobody.post(path, json={"approve": True}))
    assert expect(200, decide(registered, second, approve=True))["address"] == "https://second.example/"


def test_what_is_no_change_is_not_asked_for(registered: RegisteredSystem) -> None:
    keeper, path = registered.office.keeper, f"{registered.path}/changes"
    same = {"address": registered.registered["address"], "source_networks": ["127.0.0.1/32"]}
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("invalid-input", {}),
        ("invalid-input", same),
        ("invalid-input", {"source_networks": ["0.0.0.0/0"]}),
        ("invalid-request", {"source_networks": []}),
        ("invalid-request", {"name": "另一系统"}),
    ]
    for code, body in wrong:
        refused(422, code, keeper.post(path, json=body))
    refused(403, "permission-denied", registered.office.maker.post(path, json=MOVED))
    pending = {
        "name": "待批系统", "address": "https://x.example/", "network_environment": "互联网", "department": "信息科",
        "source_networks": ["192.0.2.1"], "technical_contact": "样某", "technical_phone": "000-0000",
    }  # fmt: skip
    waiting = expect(201, keeper.post("/v1/application-systems", json=pending))
    refused(409, "system-not-ready", keeper.post(f"/v1/application-systems/{waiting['id']}/changes", json=MOVED))


def test_a_repeated_request_asks_and_decides_once(registered: RegisteredSystem) -> None:
    keeper, again = registered.office.keeper, {"Idempotency-Key": "change-1"}
    asked = [expect(201, keeper.post(f"{registered.path}/changes", json=MOVED, headers=again)) for _ in range(2)]
    assert asked[0] == asked[1]
    path = f"{registered.path}/changes/{asked[0]['change']['id']}/decision"
    decided = [expect(200, registered.office.maker.post(path, json={"approve": True}, headers=again)) for _ in range(2)]
    assert decided[0] == decided[1]
    assert [len(registered.events(kind)) for kind in ("system.change_requested", "system.changed")] == [1, 1]


def test_a_system_is_changed_by_commands(by_command: Office) -> None:
    at = by_command.at
    given: tuple[str, ...] = (
        "--name",
        "政务服务平台",
        "--address",
        "https://service.example/",
        "--network",
        "政务外网",
    )
    given += ("--department", "信息科", "--from", "10.20.30.0/28", "--contact", "样某", "--phone", "000-0000")
    system_id = at.said("systems", "register", *given, by=by_command.keeper)["id"]
    at.said("systems", "decide", system_id, "--approve", by=by_command.maker)
    asking = ("systems", "change", system_id, "--from", "10.20.31.0/28", "--from", "10.20.32.5", "--phone", "000-0001")
    change = at.said(*asking, by=by_command.keeper)["change"]
    shown = at.said("systems", "show", system_id, by=by_command.maker)
    assert shown["contacts_asked_for"]["technical_phone"] == "000-0001"
    assert shown["source_networks"] == ["10.20.30.0/28"]
    deciding = ("systems", "decide-change", system_id, change["id"])
    assert "says why" in at.refused(*deciding, "--reject", by=by_command.maker, code=2)
    decided = at.said(*deciding, "--approve", by=by_command.maker)
    assert decided["source_networks"] == ["10.20.31.0/28", "10.20.32.5/32"]

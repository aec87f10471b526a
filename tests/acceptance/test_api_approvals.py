"""Scenarios and use approvals over HTTP and on the command line (articles 20–22)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import DOCUMENT, CommandLine, Office
from tests.live import LiveOffice, expect, live_city, refused

SCENARIO = "notice.issue"
DIGEST = hashlib.sha256(DOCUMENT.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveOffice]:
    with live_city(tmp_path_factory.mktemp("approvals") / "home") as city:
        made = LiveOffice(city)
        made.scenario(SCENARIO, waived_for=None, waiver_number=None)
        expect(201, made.give_grant(scenario=SCENARIO))
        yield made


def asking(office: LiveOffice, *digests: str) -> dict[str, object]:
    return {"seal_code": office.code, "scenario": SCENARIO, "title": "样例通知", "digests": list(digests or [DIGEST])}


def test_a_use_is_asked_for_approved_by_someone_else_and_made_once(office: LiveOffice) -> None:
    """经批准同意后方可进行签章."""
    denied = refused(403, "authorization-denied", office.use("early", scenario=SCENARIO))
    assert [one["code"] for one in denied["reasons"]] == ["no_approval"]
    asked = expect(201, office.system.post("/v1/use-approvals", json=asking(office)))
    assert (asked["state"], asked["documents"]) == ("requested", 1)
    path = f"/v1/use-approvals/{asked['id']}"
    refused(403, "permission-denied", office.system.post(f"{path}/decision", json={"decision": "approve"}))
    waiting = expect(200, office.keeper.get("/v1/use-approvals", params={"state": "requested"}))
    assert [one["id"] for one in waiting["items"]] == [asked["id"]]
    approved = expect(200, office.keeper.post(f"{path}/decision", json={"decision": "approve"}))
    assert approved["state"] == "approved"
    refused(409, "approval-decided", office.keeper.post(f"{path}/decision", json={"decision": "approve"}))
    used = office.use("now", scenario=SCENARIO, approval_id=asked["id"])
    assert used.status_code == 201, used.text
    denied = refused(403, "authorization-denied", office.use("again", scenario=SCENARIO))
    assert [one["code"] for one in denied["reasons"]] == ["approval_used"]
    detail = expect(200, office.auditor.get(path))
    assert detail["covered"] == [{"sha256": DIGEST, "use_id": used.headers["seal-use"]}]
    story = expect(200, office.auditor.get("/v1/log/trace", params={"use_id": used.headers["seal-use"]}))
    assert story["uses"][0]["approval"]["decided_by"] == approved["decided_by"]


def test_a_list_is_approved_by_one_decision_and_can_be_withdrawn(office: LiveOffice) -> None:
    many = [f"{number:064x}" for number in range(1000)]
    refused(422, "invalid-request", office.system.post("/v1/use-approvals", json=asking(office, *many, "f" * 64)))
    refused(422, "invalid-input", office.system.post("/v1/use-approvals", json=asking(office, DIGEST, DIGEST)))
    asked = expect(201, office.system.post("/v1/use-approvals", json=asking(office, *many)))
    path = f"/v1/use-approvals/{asked['id']}"
    expect(200, office.keeper.post(f"{path}/decision", json={"decision": "approve"}))
    withdrawn = expect(200, office.system.post(f"{path}/withdrawal", json={"reason": "文件有误"}))
    assert withdrawn["state"] == "withdrawn"
    assert len(expect(200, office.keeper.get(path))["covered"]) == 1000


def test_scenarios_are_kept_by_the_making_office(office: LiveOffice) -> None:
    body = {"code": "reply", "name": "批复"}
    refused(403, "permission-denied", office.keeper.post("/v1/scenarios", json=body))
    made = expect(201, office.maker.post("/v1/scenarios", json=body))
    assert (made["kind"], made["waived_for"]) == ("approval", None)
    refused(409, "already-registered", office.maker.post("/v1/scenarios", json=body))
    change = {"active": False, "reason": "停用"}
    assert expect(200, office.maker.post("/v1/scenarios/reply/changes", json=change))["active"] is False
    assert "reply" in [one["code"] for one in expect(200, office.system.get("/v1/scenarios"))["items"]]
    assert expect(200, office.auditor.get("/v1/scenarios/reply"))["changed_at"] is not None
    grant = {"seal_code": office.code, "grantee_id": office.system_id, "responsible_person": "样某"}
    unknown = {**grant, "approval_number": "1号", "scenario": "nowhere"}
    refused(404, "scenario-not-found", office.keeper.post("/v1/grants", json=unknown))


def test_on_the_command_line(tmp_path: Path) -> None:
    office = Office(CommandLine(tmp_path / "home"))
    at = office.at
    at.said("scenarios", "register", SCENARIO, "--name", "通知", by=office.maker)
    person = at.join("王五", "applicant", office.unit["id"])
    granted = at.said(
        *("grants", "make", "--seal", office.code, "--to", person.client_id, "--scenario", SCENARIO),
        *("--responsible", "张三", "--approval-number", "示政办授〔2026〕2号", "--most-pages", "50"),
        by=office.keeper,
    )
    assert granted["most_pages"] == 50
    output = tmp_path / "sealed.pdf"
    apply = ("apply", DOCUMENT, "-o", output, "--seal", office.code, "--scenario", SCENARIO)
    assert "article 22" in at.refused(*apply, by=person, code=1)
    asking = ("approvals", "request", DOCUMENT, "--seal", office.code, "--scenario", SCENARIO, "--title", "样例通知")
    asked = at.said(*asking, by=person)
    assert at.said("approvals", "list", "--state", "requested", by=office.keeper)["items"] == [asked]
    at.said("approvals", "decide", asked["id"], "approve", by=office.keeper)
    at.said(*apply, by=person)
    shown = at.said("approvals", "show", asked["id"], by=office.auditor)
    assert shown["covered"][0]["use_id"] is not None
    second = at.said(*asking, by=person)
    withdraw = ("approvals", "withdraw", second["id"], "--reason", "文件有误")
    assert at.run(*withdraw, by=person).exit_code == 1, "a dangerous act is dry until --yes"
    assert at.said(*withdraw, "--yes", by=person)["state"] == "withdrawn"
    changing = ("scenarios", "change", SCENARIO, "--inactive", "--reason", "停用", "--yes")
    assert at.said(*changing, by=office.maker)["active"] is False
    assert SCENARIO in [one["code"] for one in at.said("scenarios", "list", by=person)["items"]]
    assert at.said("scenarios", "show", SCENARIO, by=person)["active"] is False

"""到期提醒 by HTTP and by command: one list over whatever ends, and its export."""

from __future__ import annotations

import csv
import io
import ssl
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from seal_service.domain.access import Caller, Role
from seal_service.domain.errors import SecondPersonNeeded
from seal_service.domain.paging import PageRequest
from seal_service.usecases.list_expiring import ListExpiring
from seal_service.usecases.manage_trust import AddTrust
from tests.command_line import UNIT_NAME, Office
from tests.live import LiveOffice, expect, refused
from tests.receiver import self_signed


def listed(client: Any, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = expect(200, client.get("/v1/expiring", params=query))["items"]
    return items


def test_whatever_ends_within_the_days_is_listed_what_ends_first_first(shared_office: LiveOffice) -> None:
    office = shared_office
    assert listed(office.maker, days=90) == []
    items = listed(office.maker, days=1100)
    kinds = [one["kind"] for one in items]
    assert {"seal", "certificate", "grant", "authority"} <= set(kinds)
    ends = [datetime.fromisoformat(one["ends_at"]) for one in items]
    assert ends == sorted(ends)
    assert {one["id"].rsplit("-", 2)[0] for one in items if one["kind"] == "authority"} == {"ocsp", "report", "status"}
    assert [one["seal_code"] for one in listed(office.maker, days=1100, kind="seal")] == [office.code]
    for other in (office.auditor, office.city.operator):
        assert listed(other, days=1100) == items


def test_a_units_staff_see_their_own_alone(shared_office: LiveOffice) -> None:
    office = shared_office
    own = listed(office.keeper, days=1100)
    assert {one["kind"] for one in own} == {"seal", "certificate", "grant"}
    assert {one["unit_id"] for one in own} == {office.unit["id"]}
    assert listed(office.keeper, days=1100, kind="authority") == []
    other = office.city.unit(office.maker, 8)
    _, stranger = office.city.account("别的单位", "seal_keeper", unit_id=other["id"])
    assert listed(stranger, days=1100) == []
    refused(403, "permission-denied", office.system.get("/v1/expiring"))


def test_pages_and_the_export_hold_all_of_it_once(shared_office: LiveOffice) -> None:
    office = shared_office
    everything = listed(office.maker, days=1100)
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        query = {"days": 1100, "limit": 1} | ({"cursor": cursor} if cursor else {})
        page = expect(200, office.maker.get("/v1/expiring", params=query))
        found += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == everything
    refused(422, "invalid-cursor", office.maker.get("/v1/expiring?cursor=nonsense"))
    table = office.maker.get("/v1/expiring?days=1100", headers={"Accept": "text/csv"})
    assert table.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["id"] for row in rows] == [one["id"] for one in everything]


def test_what_was_revoked_or_cancelled_does_not_end_soon(office: LiveOffice) -> None:
    expect(200, office.keeper.post(f"/v1/grants/{office.grant['id']}/revocation", json={"reason": "结束"}))
    assert {one["kind"] for one in listed(office.keeper, days=1100)} == {"seal", "certificate"}
    cancel = {"reason": "撤并", "document_number": "示政发〔2026〕6号"}
    expect(200, office.maker.post(f"/v1/seals/{office.code}/cancellation", json=cancel))
    assert listed(office.keeper, days=1100) == []


def test_trust_anchors_are_told_of_before_they_end(office: LiveOffice, tmp_path: Path) -> None:
    operator = Caller(
        account_id=office.city.operator_credentials.account_id,
        name="operator",
        roles=frozenset({Role.SYSTEM_OPERATOR}),
    )
    file, _ = self_signed(tmp_path, office.city.clock.now())
    certificate = ssl.PEM_cert_to_DER_cert(file.read_text())
    with pytest.raises(SecondPersonNeeded) as waiting:
        office.city.service.add_trust(
            operator, AddTrust(certificate=certificate, note="示例省", for_signatures=True, for_timestamps=False)
        )
    office.city.confirm(str(waiting.value.details["request_id"]))
    page = office.city.service.life.list_expiring(operator, ListExpiring(days=366, page=PageRequest(limit=500)))
    (anchor,) = [one for one in page.items if one.kind.value == "trust_anchor"]
    assert anchor.what_to_do == "seal trust add"
    assert timedelta(hours=23) < anchor.ends_at - office.city.clock.now() <= timedelta(days=1)


def test_by_command_seals_that_change_are_listed_exported_and_looked_up(by_command: Office) -> None:
    """seal expiring, status-list, notifications, seals …: the same use cases at the machine."""
    at, code = by_command.at, by_command.code
    items = at.said("expiring", "--days", "1100", by=by_command.maker)["items"]
    assert "seal" in {one["kind"] for one in items}
    table = at.run("expiring", "--days", "1100", "--csv", by=by_command.maker)
    assert len(list(csv.DictReader(io.StringIO(table.stdout)))) == len(items)
    assert at.said("notifications", "list", "--state", "dead", by=by_command.maker)["items"] == []
    at.refused("notifications", "retry", "nothing", by=by_command.maker, code=2)
    told = at.said("seals", "lookup", code, "--name", UNIT_NAME)
    assert told["state"] == "active"
    at.refused("seals", "lookup", code, "--name", "另一印章", code=2)
    output = at.home.parent / "status.jws"
    assert at.said("status-list", "export", output)["file"] == str(output)
    sealed, root = at.home.parent / "sealed.pdf", at.home.parent / "root.pem"
    at.said(*by_command.applying(sealed, "--level", "B-LT"), by=by_command.system)
    assert at.run("pki", "export", "-o", root).exit_code == 0
    report = at.run("verify", sealed, "--offline", "--trust", root, "--status-list", output, "--json")
    assert report.exit_code == 1, "the list is older than the seal"
    assert "status_list" in report.stdout
    fresh = at.home.parent / "fresh.jws"
    at.said("status-list", "export", fresh)
    at.refused("verify", sealed, "--status-list", root, code=2)
    since = "2026-01-01T00:00:00Z"
    because = ("--reason", "违规制作", "--document-number", "示政发〔2026〕5号")
    dry = at.run("seals", "invalidate", code, "--from", since, *because, by=by_command.maker)
    assert (dry.exit_code, "Nothing was changed" in dry.stderr) == (1, True)
    at.refused("seals", "invalidate", code, "--from", since, *because, "--yes", by=by_command.maker, code=1)
    application = at.said("seals", "apply-change", code, "--reason", "调整", "--seal-type", "03", by=by_command.keeper)
    at.said("applications", "decide", application["id"], "approve", by=by_command.maker)
    changed = at.said("seals", "change", code, "--application", application["id"], by=by_command.maker)
    assert (changed["version"], changed["seal_type"]) == (2, "03")
    at.refused("seals", "medium-returned", code, "--on", since, "--witness", "样某", by=by_command.maker, code=1)
    renaming = ("--name", "示例市新局", "--document-number", "示政发〔2026〕6号")
    at.refused("units", "rename", by_command.unit["id"], *renaming, by=by_command.maker, code=1)

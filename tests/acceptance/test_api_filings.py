"""Filing data (article 8: 信息共享机制) through HTTP: who sees which, and what may be done about it."""

from __future__ import annotations

from tests.live import LiveOffice, expect, refused

NO_FILING = "00000000-0000-7000-8000-000000000000-207"


def test_an_auditor_sees_every_filing_page_by_page_and_one_by_one(office: LiveOffice) -> None:
    assert office.use("k1").status_code == 201
    found: list[dict[str, object]] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        page = expect(200, office.auditor.get("/v1/filings", params=query))
        found += page["items"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert [one["task"] for one in found] == ["log", "log", "207"]
    assert {one["state"] for one in found} == {"waiting"}
    assert expect(200, office.auditor.get(f"/v1/filings/{found[0]['id']}")) == found[0]
    refused(404, "filing-not-found", office.auditor.get(f"/v1/filings/{NO_FILING}"))
    refused(422, "invalid-request", office.auditor.get("/v1/filings/nonsense"))
    chosen = expect(200, office.auditor.get("/v1/filings", params={"state": "acknowledged"}))
    assert chosen["items"] == []


def test_a_unit_reads_the_filings_of_its_own_area_and_no_other(office: LiveOffice) -> None:
    """Article 8: 满足全市各县区各部门对印章备案信息的需要."""
    neighbour = office.city.unit(office.maker, 2)
    district = office.city.unit(office.maker, 3, area_code="999901")
    _, near = office.city.account("同区单位", "unit_administrator", unit_id=neighbour["id"])
    _, far = office.city.account("外区单位", "unit_administrator", unit_id=district["id"])
    all_of_them = expect(200, office.maker.get("/v1/filings"))["items"]
    assert len(all_of_them) == 2
    assert expect(200, near.get("/v1/filings"))["items"] == all_of_them
    assert expect(200, near.get("/v1/filings", params={"area_code": "999900"}))["items"] == all_of_them
    assert expect(200, near.get("/v1/filings", params={"area_code": "999901"}))["items"] == []
    assert expect(200, far.get("/v1/filings"))["items"] == []
    assert expect(200, far.get("/v1/filings", params={"area_code": "999900"}))["items"] == []
    assert expect(200, far.get("/v1/filings", params={"seal_code": office.code}))["items"] == []
    refused(404, "filing-not-found", far.get(f"/v1/filings/{all_of_them[0]['id']}"))
    state = expect(200, near.get("/v1/filings/state"))
    assert (state["waiting"], state["area_code"], state["registry"]) == (2, "999900", None)
    assert expect(200, far.get("/v1/filings/state"))["waiting"] == 0
    assert expect(200, office.auditor.get("/v1/filings/state"))["area_code"] is None


def test_a_retry_is_the_making_offices_and_can_be_repeated(office: LiveOffice) -> None:
    filing = expect(200, office.maker.get("/v1/filings"))["items"][0]
    path, key = f"/v1/filings/{filing['id']}/retry", {"Idempotency-Key": "once"}
    refused(403, "permission-denied", office.auditor.post(path))
    refused(403, "permission-denied", office.keeper.post(path))
    for _ in range(2):
        assert expect(200, office.maker.post(path, headers=key))["id"] == filing["id"]
    entries = expect(200, office.auditor.get("/v1/log/entries", params={"kind": "filing.retried"}))["items"]
    assert len(entries) == 1
    refused(404, "filing-not-found", office.maker.post(f"/v1/filings/{NO_FILING}/retry"))


def test_how_much_waits_is_measured(office: LiveOffice) -> None:
    text = office.city.public.get("/metrics").text
    assert "seal_filings_waiting 2.0" in text
    assert "seal_filings_refused 0.0" in text
    assert "seal_filing_oldest_seconds" in text

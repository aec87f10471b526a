"""Article 22 through HTTP: query, statistics and trace of the signing log."""

from __future__ import annotations

import hashlib

import pytest

from tests.live import DOCUMENT, SCENARIO, LiveOffice, expect, refused


@pytest.fixture(scope="module")
def used(shared_office: LiveOffice) -> LiveOffice:
    """An office whose seal was applied twice, once by a named operator, and refused once."""
    shared_office.person("op-17", "李样例")
    assert (
        shared_office.use("log-1", operator_id="op-17", operator_name="李样例", case_number="示案1号").status_code
        == 201
    )
    assert shared_office.use("log-2").status_code == 201
    assert shared_office.use("log-3", scenario="no.grant").status_code == 403
    return shared_office


def _entries(office: LiveOffice, **query: object) -> list[dict[str, object]]:
    params = {name: str(value) for name, value in query.items()}
    items: list[dict[str, object]] = expect(200, office.auditor.get("/v1/log/entries", params=params))["items"]
    return items


def test_the_log_is_found_by_everything_that_article_22_names(used: LiveOffice) -> None:
    original = hashlib.sha256(DOCUMENT.read_bytes()).hexdigest()
    completed = _entries(used, kind="seal.completed")
    assert len(completed) == 2
    assert {one["seal_code"] for one in completed} == {used.code}
    assert len(_entries(used, seal_code=used.code, kind="seal.intent")) == 2
    assert len(_entries(used, unit_id=used.unit["id"], kind="seal.completed")) == 2
    assert len(_entries(used, account_id=used.system_id, kind="seal.completed")) == 2
    assert len(_entries(used, scenario=SCENARIO, kind="seal.completed")) == 2
    assert len(_entries(used, document_sha256=original, kind="seal.completed")) == 2
    assert [one["kind"] for one in _entries(used, result="refused")] == ["seal.denied"]
    assert {one["kind"] for one in _entries(used, use_id=completed[0]["use_id"])} == {"seal.intent", "seal.completed"}
    of_the_person = [one["kind"] for one in _entries(used, operator_id="op-17")]
    assert of_the_person == ["seal.completed", "seal.intent", "person.registered"]
    assert _entries(used, operator_id="op-18") == []
    assert _entries(used, at_until="2020-01-01T00:00:00Z") == []
    assert _entries(used, at_from="2999-01-01T00:00:00Z") == []


def test_pages_of_the_log_lead_through_all_of_it(used: LiveOffice) -> None:
    found: list[str] = []
    query: dict[str, str] = {"limit": "4"}
    while True:
        page = expect(200, used.auditor.get("/v1/log/entries", params=query))
        found += [entry["entry_id"] for entry in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(found) == len(set(found)) == page["upto_size"]


def test_an_entrys_bytes_give_its_leaf_hash_and_persons_stand_only_beside_it(used: LiveOffice) -> None:
    """RFC 6962 leaf hash over the exact bytes; what is personal is a commitment in the leaf."""
    entry_id = _entries(used, operator_id="op-17")[0]["entry_id"]
    entry = expect(200, used.auditor.get(f"/v1/log/entries/{entry_id}"))
    assert hashlib.sha256(b"\x00" + entry["canonical"].encode()).hexdigest() == entry["leaf_hash"]
    assert entry["personal"]["operator_name"] == "李样例"
    assert entry["personal"]["case_number"] == "示案1号"
    assert "李样例" not in entry["canonical"]
    missing = "00000000-0000-7000-8000-000000000000"
    refused(404, "log-entry-not-found", used.auditor.get(f"/v1/log/entries/{missing}"))


def test_statistics_count_by_one_or_more_keys(used: LiveOffice) -> None:
    query = {"by": ["seal", "kind"], "seal_code": used.code, "kind": "seal.completed"}
    counted = expect(200, used.auditor.get("/v1/log/statistics", params=query))
    assert counted["items"] == [{"key": {"seal": used.code, "kind": "seal.completed"}, "count": 2}]
    by_day = expect(200, used.auditor.get("/v1/log/statistics?by=day"))
    assert sum(row["count"] for row in by_day["items"]) == by_day["upto_size"]
    refused(422, "invalid-request", used.auditor.get("/v1/log/statistics"))
    refused(422, "invalid-request", used.auditor.get("/v1/log/statistics?by=colour"))


def test_a_document_leads_to_the_whole_story_behind_its_seals(used: LiveOffice) -> None:
    """溯源: from the sealed file to use, seal, unit, grant and log entries, through an earlier seal on it."""
    once = used.use("story-1").content
    twice = used.use("story-2", once)
    headers = {"Content-Type": "application/pdf"}
    story = expect(200, used.auditor.post("/v1/log/trace", content=twice.content, headers=headers))
    assert len(story["uses"]) == 2
    last = story["uses"][-1]
    assert last["use"]["id"] == twice.headers["seal-use"]
    assert (last["seal"]["code"], last["unit"]["id"]) == (used.code, used.unit["id"])
    assert last["grant"]["responsible_person"] == "样某"
    assert [entry["kind"] for entry in last["entries"]] == ["seal.intent", "seal.completed"]
    assert "active" in [one["state"] for one in last["seal_history"]]

    by_use = expect(200, used.auditor.get("/v1/log/trace", params={"use_id": last["use"]["id"]}))
    by_entry = expect(200, used.auditor.get("/v1/log/trace", params={"entry_id": last["entries"][0]["entry_id"]}))
    assert [one["use"]["id"] for one in by_use["uses"]] == [one["use"]["id"] for one in by_entry["uses"]]
    unknown = expect(200, used.auditor.get("/v1/log/trace", params={"document_sha256": "0" * 64}))
    assert unknown["uses"] == []
    refused(422, "invalid-input", used.auditor.get("/v1/log/trace"))
    refused(403, "permission-denied", used.system.get("/v1/log/trace", params={"document_sha256": "0" * 64}))

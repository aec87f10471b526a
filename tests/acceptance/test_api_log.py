"""Article 22 through HTTP: query, statistics and trace of the signing log."""

from __future__ import annotations

import csv
import hashlib
import io
import json

import pytest

from seal_service.formats.export_manifest import read_manifest
from seal_service.formats.note import read_note
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
    (of_seal,) = counted["items"]
    assert (of_seal["key"], of_seal["count"]) == ({"seal": used.code, "kind": "seal.completed"}, 2)
    assert list(of_seal["names"]) == ["seal"]
    by_month = expect(200, used.auditor.get("/v1/log/statistics?by=month&by=unit&limit=1"))
    assert by_month["next_cursor"] is not None
    after = {"by": ["month", "unit"], "cursor": by_month["next_cursor"]}
    rest = expect(200, used.auditor.get("/v1/log/statistics", params=after))
    rows = by_month["items"] + rest["items"]
    assert sum(row["count"] for row in rows) == by_month["upto_size"]
    assert used.unit["name"] in [row["names"].get("unit") for row in rows]
    refused(422, "invalid-cursor", used.auditor.get("/v1/log/statistics?by=day&cursor=x"))
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


def test_an_auditors_way_from_a_disputed_document_to_signed_evidence(used: LiveOffice) -> None:
    """溯源 as a report that proves itself, by upload and by every other end of the story."""
    sealed = used.use("report-1").content
    headers = {"Content-Type": "application/pdf"}
    report = used.auditor.post("/v1/log/trace/report", content=sealed, headers=headers)
    assert (report.status_code, report.headers["content-type"]) == (200, "application/pdf")
    assert report.headers["content-disposition"].startswith('attachment; filename="seal-trace-')
    verdict = expect(200, used.city.public.post("/v1/verifications", content=report.content, headers=headers))
    assert verdict["indication"] == "TOTAL_PASSED", "anyone may verify it"
    (logged,) = _entries(used, document_sha256=hashlib.sha256(report.content).hexdigest(), kind="report.exported")
    assert logged["entry_id"] == report.headers["seal-log-entry"]

    story = expect(200, used.auditor.get("/v1/log/trace", params={"seal_code": used.code}))
    assert story["asked"]["seal"]["code"] == used.code
    grant = story["uses"][0]["grant"]["id"]
    assert expect(200, used.auditor.get("/v1/log/trace", params={"grant_id": grant}))["asked"]["grant"]["id"] == grant
    by_seal = used.auditor.get("/v1/log/trace/report", params={"seal_code": used.code})
    assert by_seal.content.startswith(b"%PDF-")
    nothing = {"approval_id": "00000000-0000-7000-8000-000000000000"}
    refused(404, "use-approval-not-found", used.auditor.get("/v1/log/trace/report", params=nothing))
    refused(422, "invalid-input", used.auditor.get("/v1/log/trace/report"))
    refused(422, "invalid-request", used.auditor.get("/v1/log/trace", params={"seal": used.code}))


def test_an_auditor_takes_the_log_home_with_a_manifest(used: LiveOffice) -> None:
    """日志导出: the file streams; by its digest comes what the log says of it, signed."""
    answer = used.auditor.get("/v1/log/export", params={"format": "jsonl", "seal_code": used.code})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jsonl")
    lines = [json.loads(line) for line in answer.content.splitlines()]
    assert [line["entry_id"] for line in lines] == [
        one["entry_id"] for one in reversed(_entries(used, seal_code=used.code, limit=500))
    ]
    digest = hashlib.sha256(answer.content).hexdigest()
    note = used.auditor.get(f"/v1/log/exports/{digest}/manifest")
    assert note.status_code == 200
    manifest = read_manifest(read_note(note.content).text)
    assert (manifest.sha256, manifest.bytes, manifest.entries) == (digest, len(answer.content), len(lines))
    assert manifest.begun == answer.headers["seal-log-entry"]
    assert f'filename="{manifest.file}"' in answer.headers["content-disposition"]

    for_people = used.auditor.get("/v1/log/export", params={"format": "csv", "kind": "seal.denied"})
    rows = list(csv.DictReader(io.StringIO(for_people.content.decode("utf-8-sig"), newline="")))
    assert [row["类别"] for row in rows] == ["拒绝用印 seal.denied"]
    refused(404, "export-not-found", used.auditor.get(f"/v1/log/exports/{'0' * 64}/manifest"))
    refused(422, "invalid-request", used.auditor.get("/v1/log/export", params={"format": "xlsx"}))
    period = {"format": "csv", "at_from": "2026-03-02T00:00:00Z", "at_until": "2026-03-01T00:00:00Z"}
    refused(422, "invalid-input", used.auditor.get("/v1/log/export", params=period))
    refused(403, "permission-denied", used.system.get("/v1/log/export", params={"format": "csv"}))

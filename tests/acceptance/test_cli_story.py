"""The whole story by the command line, in the words of the regulation."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from seal_service.formats.export_manifest import read_manifest
from seal_service.formats.note import read_note
from tests.command_line import DOCUMENT, SCENARIO, UNIT_NAME, Office
from tests.live import in_the_next_second


def test_articles_12_to_24_the_whole_story_by_commands(fresh_by_command: Office, tmp_path: Path) -> None:
    at, code = fresh_by_command.at, fresh_by_command.code
    sealed, root = tmp_path / "sealed.pdf", tmp_path / "root.pem"
    person = ("--operator-id", "U1001", "--operator-name", "张三", "--case-number", "示办1号")
    of_unit = ("--unit", fresh_by_command.unit["id"], "--id", "U1001")
    at.said("units", "people", "add", *of_unit, "--name", "张三", by=fresh_by_command.keeper)

    receipt = at.said(*fresh_by_command.applying(sealed, "--level", "B-T", *person), by=fresh_by_command.system)
    assert receipt["level_reached"] == "B-T"
    assert receipt["file"] == str(sealed)
    assert sealed.read_bytes().startswith(DOCUMENT.read_bytes()), "the original is a prefix of what was sealed"

    report = at.said("verify", sealed)
    assert report["indication"] == "TOTAL_PASSED"
    assert report["signatures"][0]["seal"]["status_at_signing"] == "active"

    assert at.run("pki", "export", "-o", root).exit_code == 0
    use = at.said("uses", "show", receipt["use_id"], "--seal", code, by=fresh_by_command.system)
    assert use["sealed_sha256"] == receipt["sealed"]["sha256"]
    again = tmp_path / "again.pdf"
    at.said("uses", "fetch", receipt["use_id"], "--seal", code, "-o", again, by=fresh_by_command.system)
    assert again.read_bytes() == sealed.read_bytes()
    assert at.run("uses", "acknowledge", receipt["use_id"], "--seal", code, by=fresh_by_command.system).exit_code == 0
    told = at.refused(
        "uses", "fetch", receipt["use_id"], "--seal", code, "-o", again, by=fresh_by_command.system, code=2
    )
    assert "not kept" in told

    told = at.refused("seals", "renew", code, by=fresh_by_command.keeper, code=1)
    assert fresh_by_command.seal["renewal_from"][:10] in told, "article 16: the refusal names the date"

    in_the_next_second()  # a CRL tells whole seconds (RFC 5280, 5.1.2.6): a hold counts from the beginning of its own
    lost = at.said("seals", "report-loss", code, "--reason", "口令遗失", by=fresh_by_command.keeper)
    assert lost["state"] == "suspended"
    assert "resume" in lost["allowed_actions"]
    told = at.refused(*fresh_by_command.applying(tmp_path / "never.pdf"), by=fresh_by_command.system, code=1)
    assert "suspended" in told
    assert not (tmp_path / "never.pdf").exists()
    assert at.said("seals", "lookup", code, "--name", UNIT_NAME)["state"] == "suspended", "状态公示 needs no login"
    assert at.said("verify", sealed)["indication"] == "TOTAL_PASSED", "what was sealed before the loss stays valid"

    page = at.said("log", "query", "--seal", code, "--operator", "U1001", by=fresh_by_command.auditor)
    assert {one["kind"] for one in page["items"]} >= {"seal.intent", "seal.completed"}
    entry = at.said("log", "entry", page["items"][0]["entry_id"], by=fresh_by_command.auditor)
    assert entry["personal"]["operator_name"] == "张三"
    assert "张三" not in entry["canonical"]
    counted = at.said("log", "stats", "--by", "kind", "--seal", code, by=fresh_by_command.auditor)
    assert {"key": {"kind": "seal.denied"}, "names": {}, "count": 1} in counted["items"]
    story = at.said("log", "trace", sealed, by=fresh_by_command.auditor)
    assert [one["use"]["id"] for one in story["uses"]] == [receipt["use_id"]]
    assert [one["state"] for one in story["uses"][0]["seal_history"]][-1] == "suspended"
    evidence = tmp_path / "report.pdf"
    at.said("log", "trace", "--seal", code, "--pdf", evidence, by=fresh_by_command.auditor)
    assert at.said("verify", evidence)["indication"] == "TOTAL_PASSED", "溯源报告 proves itself"
    taken = at.said("log", "export", "--format", "jsonl", "-o", tmp_path / "out", by=fresh_by_command.auditor)
    lines = [json.loads(line) for line in Path(taken["file"]).read_text(encoding="utf-8").splitlines()]
    assert receipt["intent"]["entry_id"] in [line["entry_id"] for line in lines]
    manifest = read_manifest(read_note(Path(taken["manifest"]).read_bytes()).text)
    assert manifest.sha256 == hashlib.sha256(Path(taken["file"]).read_bytes()).hexdigest() == taken["sha256"]
    assert at.run("log", "trace", DOCUMENT.with_name("regulation.txt"), by=fresh_by_command.auditor).exit_code == 1

    assert at.said("seals", "resume", code, "--reason", "已核实", by=fresh_by_command.maker)["state"] == "active"
    unconfirmed = ("seals", "cancel", code, "--reason", "机构合并", "--document-number", "示政发〔2026〕1号")
    assert at.run(*unconfirmed, by=fresh_by_command.maker).exit_code == 1
    assert at.said("seals", "lookup", code, "--name", UNIT_NAME)["state"] == "active", "a dangerous act waits for --yes"
    cancelled = at.said(
        *("seals", "cancel", code, "--reason", "机构合并", "--document-number", "示政发〔2026〕1号", "--yes"),
        by=fresh_by_command.maker,
    )
    assert cancelled["state"] == "cancelled"
    assert "allowed: invalidate, return_medium, destroy_medium" in at.refused(
        "seals", "resume", code, "--reason", "?", by=fresh_by_command.maker, code=1
    )


def test_article_14_a_returned_application_is_revised_and_decided_again(by_command: Office) -> None:
    at = by_command.at
    submitted = at.said("applications", "submit", *by_command.materials(), by=by_command.keeper)
    told = at.refused("applications", "decide", submitted["id"], "return", by=by_command.maker, code=2)
    assert "reason" in told
    at.said("applications", "decide", submitted["id"], "return", "--reason", "印模不清晰", by=by_command.maker)
    revised = at.said("applications", "revise", submitted["id"], *by_command.materials(), by=by_command.keeper)
    assert revised["state"] == "applied"
    assert revised["id"] == submitted["id"]
    told = at.refused("applications", "decide", submitted["id"], "approve", by=by_command.keeper, code=1)
    assert "roles do not allow" in told
    listed = at.said("applications", "list", "--state", "applied", by=by_command.maker)
    assert [one["id"] for one in listed["items"]] == [submitted["id"]]


def test_article_12_a_mistyped_credit_code_is_an_input_error(by_command: Office) -> None:
    wrong = by_command.unit["credit_code"][:-1] + ("0" if by_command.unit["credit_code"][-1] != "0" else "1")
    told = by_command.at.refused("applications", "submit", *by_command.materials(wrong), by=by_command.keeper, code=2)
    assert "check character" in told


def test_article_20_a_revoked_grant_applies_nothing(fresh_by_command: Office, tmp_path: Path) -> None:
    at = fresh_by_command.at
    at.said(
        "grants", "revoke", fresh_by_command.grant["id"], "--reason", "场景结束", "--yes", by=fresh_by_command.keeper
    )
    told = at.refused(*fresh_by_command.applying(tmp_path / "out.pdf"), by=fresh_by_command.system, code=1)
    assert "revoked" in told
    assert at.said("grants", "show", fresh_by_command.grant["id"], by=fresh_by_command.keeper)["revoked_at"] is not None


def test_the_same_key_gives_the_same_use_and_another_request_with_it_is_refused(
    by_command: Office, tmp_path: Path
) -> None:
    at = by_command.at
    first = at.said(*by_command.applying(tmp_path / "1.pdf", "--level", "B-B", "--key", "k1"), by=by_command.system)
    second = at.said(*by_command.applying(tmp_path / "2.pdf", "--level", "B-B", "--key", "k1"), by=by_command.system)
    assert (first["use_id"], first["replayed"], second["replayed"]) == (second["use_id"], False, True)
    assert (tmp_path / "1.pdf").read_bytes() == (tmp_path / "2.pdf").read_bytes()
    other = by_command.applying(tmp_path / "3.pdf", "--level", "B-B", "--key", "k1", "--page", "1")
    assert "--key" in at.refused(*other, by=by_command.system, code=1)
    assert not (tmp_path / "3.pdf").exists()


def test_a_damaged_document_is_repaired_when_asked_for_and_the_receipt_says_so(
    by_command: Office, tmp_path: Path
) -> None:
    at, damaged, sealed = by_command.at, tmp_path / "damaged.pdf", tmp_path / "sealed.pdf"
    whole = DOCUMENT.read_bytes()
    damaged.write_bytes(whole[: whole.rindex(b"startxref")])
    applying = by_command.applying(sealed, "--level", "B-B", document=damaged)
    assert "allow_repair" in at.refused(*applying, by=by_command.system, code=2)
    assert not sealed.exists()
    receipt = at.said(*applying, "--allow-repair", by=by_command.system)
    use = at.said("uses", "show", receipt["use_id"], "--seal", by_command.code, by=by_command.system)
    assert use["repaired_sha256"] == receipt["repaired"]["sha256"] != receipt["document"]["sha256"]
    assert at.said("verify", sealed)["indication"] == "TOTAL_PASSED"
    shown = at.run("log", "trace", sealed, by=by_command.auditor)
    assert receipt["repaired"]["sha256"] in shown.stdout.replace("\n", "").replace(" ", ""), "the story for people"


def test_lists_are_pages_with_a_cursor(by_command: Office) -> None:
    at = by_command.at
    first = at.said("log", "query", "--limit", "2", by=by_command.auditor)
    assert len(first["items"]) == 2
    second = at.said("log", "query", "--limit", "2", "--cursor", first["next_cursor"], by=by_command.auditor)
    assert not {one["entry_id"] for one in first["items"]} & {one["entry_id"] for one in second["items"]}
    assert second["upto_size"] == first["upto_size"]
    for noun, person in (
        ("accounts", by_command.at.security),
        ("units", by_command.maker),
        ("seals", by_command.maker),
    ):
        assert at.said(noun, "list", by=person)["items"], noun
    assert at.said("grants", "list", by=by_command.keeper)["items"][0]["scenario"] == SCENARIO
    assert "示例市" in at.run("units", "list", by=by_command.maker).stdout, "and as a table for people"


def test_article_15_the_impression_of_a_seal_is_written_as_it_was_accepted(by_command: Office, tmp_path: Path) -> None:
    picture = tmp_path / "impression.png"
    shown = by_command.at.said("seals", "show", by_command.code, "--impression", picture, by=by_command.keeper)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert shown["impression"]["width_mm"] == by_command.application["impression"]["width_mm"]

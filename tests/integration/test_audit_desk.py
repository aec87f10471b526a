"""审计台 (article 22) on a real instance: signed reports, exports that anyone can check, all of them in the log."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from seal_service.domain.errors import ExportNotFound, InvalidInput, LogEntryNotFound, PermissionDenied, SealNotFound
from seal_service.domain.events import EventKind
from seal_service.domain.export import ExportFormat
from seal_service.domain.verdict import Indication
from seal_service.formats.export_manifest import ExportManifest, read_manifest
from seal_service.formats.note import read_note, verified_by, verifier_key
from seal_service.ports.reading import LogFilter
from seal_service.ports.records import LogRow
from seal_service.usecases.export_log import ExportLog, LogExport
from seal_service.usecases.fetch_manifest import FetchManifest, FetchManifestUseCase
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.trace import Trace
from tests.instance import RealOffice


@pytest.fixture
def real_office(tmp_path: Path, on_engine: dict[str, object]) -> Iterator[RealOffice]:
    """An office on a real instance, on each engine."""
    office = RealOffice(tmp_path / "var", changes=on_engine)
    yield office
    office.service.close()


def exports_in_the_log(office: RealOffice) -> list[LogRow]:
    """Newest first."""
    chosen = LogFilter(kind=EventKind.REPORT_EXPORTED)
    return list(office.service.query_log(office.auditor, QueryLog(chosen=chosen)).page.items)


def export(office: RealOffice, form: ExportFormat, chosen: LogFilter | None = None) -> LogExport:
    return office.service.desk.export_log(office.auditor, ExportLog(format=form, chosen=chosen or LogFilter()))


def manifest_of(office: RealOffice, content: bytes) -> ExportManifest:
    """The manifest, its signature checked with the log's public key alone."""
    command = FetchManifest(sha256=hashlib.sha256(content).hexdigest())
    use_case = office.service.desk.fetch_manifest.use_case
    assert isinstance(use_case, FetchManifestUseCase)
    note = read_note(office.service.desk.fetch_manifest(office.auditor, command))
    assert len(verified_by(note, [verifier_key(use_case.signer.verifier_key)])) == 1
    return read_manifest(note.text)


def test_a_report_tells_the_story_is_signed_and_stands_in_the_log(real_office: RealOffice, tmp_path: Path) -> None:
    first = real_office.use("first")
    assert first.content is not None
    real_office.clock.forward(timedelta(minutes=1))
    second = real_office.use("second", first.content)
    report = real_office.service.desk.report_story(real_office.auditor, Trace(document_sha256=second.use.sealed_sha256))
    assert [one.use.id for one in report.story.uses] == [first.use.id, second.use.id]

    verdict = real_office.verify(report.content)
    assert (verdict.indication, verdict.signatures[0].level) == (Indication.TOTAL_PASSED, "B-LT")
    assert verdict.signatures[0].coverage == "whole_file" or verdict.signatures[0].modifications == "allowed"
    changed = bytearray(report.content)
    changed[changed.index(b"stream\n") + 20] ^= 1
    assert real_office.verify(bytes(changed)).indication is Indication.TOTAL_FAILED

    file = tmp_path / "report.pdf"
    file.write_bytes(report.content)
    if shutil.which("pdfsig") is not None:
        told = subprocess.run(["pdfsig", "-nocert", file], capture_output=True, text=True, check=True).stdout
        assert told.count("Signature is Valid") == 1
        assert "电子印章日志报告" in told
        text = subprocess.run(["pdftotext", "-raw", file, "-"], capture_output=True, text=True, check=True).stdout
        written = text.replace("\n", "")
        for one in (first.use, second.use):
            assert one.id in written
            assert one.intent.leaf_hash.hex() in written
        assert "电子印章溯源报告" in written
        assert "任何人可凭条目编号" not in written
        assert "持有盖章文件的人可凭其中用印意向条目的叶子杂凑值取得包含证明" in written
        assert f"示例市政务服务管理办公室（{real_office.made.code}）" in written
        assert "样某" in written
        fonts = subprocess.run(["pdffonts", file], capture_output=True, text=True, check=True).stdout
        (font,) = fonts.splitlines()[2:]
        assert font.split()[-5] == "yes", "the font is embedded"

    (logged,) = exports_in_the_log(real_office)
    assert (logged.entry_id, logged.document_sha256) == (report.logged.entry_id, report.sha256)
    assert report.sha256 == hashlib.sha256(report.content).hexdigest()
    assert json.loads(logged.canon)["facts"]["traced"] == second.use.sealed_sha256


def test_a_seal_and_a_grant_are_traced_whether_they_were_used_or_not(real_office: RealOffice) -> None:
    service, auditor, code = real_office.service, real_office.auditor, real_office.made.code
    unused = service.trace(auditor, Trace(seal_code=code))
    assert unused.asked is not None
    assert (unused.asked.seal.code, unused.asked.unit.id, unused.uses) == (code, real_office.holder.id, ())
    assert [row.kind.value for row in unused.further_entries] == [
        "sealmgmt.made",
        "sealmgmt.activated",
        "grant.made",
    ]
    used = real_office.use("once").use
    for start in (Trace(seal_code=code), Trace(grant_id=used.grant_id)):
        story = service.trace(auditor, start)
        assert [one.use.id for one in story.uses] == [used.id]
        assert [row.kind.value for row in story.uses[0].decisions] == ["grant.made"]
        assert story.complete
    by_grant = service.trace(auditor, Trace(grant_id=used.grant_id))
    assert [row.kind.value for row in by_grant.further_entries] == ["grant.made"]
    with pytest.raises(SealNotFound):
        service.trace(auditor, Trace(seal_code="99990000099999"))
    with pytest.raises(InvalidInput, match="exactly one"):
        service.trace(auditor, Trace(seal_code=code, grant_id=used.grant_id))


def test_an_export_is_whole_and_a_stranger_can_check_every_line(real_office: RealOffice) -> None:
    real_office.use("once")
    size = real_office.service.query_log(real_office.auditor, QueryLog()).upto_size
    exported = export(real_office, ExportFormat.JSON_LINES)
    content = b"".join(exported.pieces)
    lines = [json.loads(line) for line in content.splitlines()]
    assert len({line["entry_id"] for line in lines}) == len(lines) == exported.upto_size == size
    for line in lines:
        canonical = line["canonical"].encode()
        assert hashlib.sha256(b"\x00" + canonical).hexdigest() == line["leaf_hash"]
        assert json.loads(canonical)["id"] == line["entry_id"]

    assert [line["index"] for line in lines] == list(range(size)), "what waited got its place first"

    manifest = manifest_of(real_office, content)
    assert manifest.sha256 == hashlib.sha256(content).hexdigest()
    assert (manifest.bytes, manifest.entries, manifest.upto_size) == (len(content), size, size)
    assert (manifest.file, manifest.format, manifest.filter) == (exported.file_name, "jsonl", {})
    assert (manifest.by, manifest.by_name) == (real_office.auditor.identity, "审计")
    ended, begun = sorted(exports_in_the_log(real_office), key=lambda row: row.result)
    assert (begun.result, begun.entry_id) == ("undecided", manifest.begun)
    assert (ended.result, ended.entry_id) == ("success", manifest.entry)
    again = manifest_of(real_office, content)
    assert again == manifest, "it repeats the entry, whenever it is asked for"


def test_an_export_has_no_empty_piece_and_never_its_own_entries(real_office: RealOffice) -> None:
    of_exports = LogFilter(kind=EventKind.REPORT_EXPORTED)
    first = export(real_office, ExportFormat.JSON_LINES, of_exports)
    assert list(first.pieces) == [], "its own beginning is the only entry that matches"
    second = export(real_office, ExportFormat.JSON_LINES, of_exports)
    real_office.use("meanwhile")
    pieces = list(second.pieces)
    assert all(pieces)
    lines = [json.loads(line) for line in b"".join(pieces).splitlines()]
    assert [json.loads(line["canonical"])["result"] for line in lines] == ["undecided", "success"]
    assert lines[0]["entry_id"] == first.begun_entry_id
    assert all(line["index"] < second.upto_size for line in lines)
    assert manifest_of(real_office, b"".join(pieces)).upto_size == second.upto_size


def test_an_entry_is_found_by_its_place_in_the_tree(real_office: RealOffice) -> None:
    used = real_office.use("once").use
    lines = [json.loads(line) for line in b"".join(export(real_office, ExportFormat.JSON_LINES).pieces).splitlines()]
    index = next(line["index"] for line in lines if line["entry_id"] == used.terminal_entry_id)
    story = real_office.service.trace(real_office.auditor, Trace(index=index))
    assert [one.use.id for one in story.uses] == [used.id]
    with pytest.raises(LogEntryNotFound):
        real_office.service.trace(real_office.auditor, Trace(index=10**6))


def test_an_export_for_spreadsheets_has_what_was_asked_for_with_names(real_office: RealOffice) -> None:
    real_office.use("once")
    chosen = LogFilter(seal_code=real_office.made.code, kind=EventKind.SEAL_COMPLETED)
    content = b"".join(export(real_office, ExportFormat.CSV, chosen).pieces)
    (row,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert row["印章编码"] == f"'{real_office.made.code}"
    assert (row["类别"], row["结果"]) == ("用印完成 seal.completed", "成功")
    assert (row["单位现名"], row["账户现名"]) == ("示例市政务服务管理办公室", "业务系统")
    manifest = manifest_of(real_office, content)
    real_office.clock.forward(timedelta(minutes=1))
    assert b"".join(export(real_office, ExportFormat.CSV, chosen).pieces) == content
    newer = manifest_of(real_office, content)
    assert (newer.sha256, newer.entries) == (manifest.sha256, 1)
    assert newer.entry != manifest.entry, "the manifest is that of the newest export of these bytes"
    assert manifest.entries == 1
    assert manifest.filter == {"kind": "seal.completed", "seal_code": real_office.made.code}


def test_an_export_that_broke_off_is_logged_and_has_no_manifest(real_office: RealOffice) -> None:
    exported = export(real_office, ExportFormat.JSON_LINES)
    taken = next(exported.pieces)
    exported.pieces.close()
    ended = next(row for row in exports_in_the_log(real_office) if row.result != "undecided")
    assert ended.result == "failure"
    facts = json.loads(ended.canon)["facts"]
    assert (facts["bytes"], facts["begun"]) == (len(taken), exported.begun_entry_id)
    with pytest.raises(ExportNotFound):
        manifest_of(real_office, taken)


def test_who_may_not_read_the_log_takes_nothing_out_of_it(real_office: RealOffice) -> None:
    desk = real_office.service.desk
    for other in (real_office.keeper, real_office.system, real_office.operator, real_office.maker):
        with pytest.raises(PermissionDenied):
            desk.export_log(other, ExportLog(format=ExportFormat.CSV))
        with pytest.raises(PermissionDenied):
            desk.fetch_manifest(other, FetchManifest(sha256="0" * 64))
    with pytest.raises(PermissionDenied):
        desk.report_story(real_office.keeper, Trace(seal_code=real_office.made.code))

"""日志导出: files that spreadsheets and strangers read rightly, and manifests that say one thing only."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import NoteRefused
from seal_service.formats.checkpoint import read_checkpoint
from seal_service.formats.export_manifest import ExportManifest, manifest_text, read_manifest
from seal_service.formats.log_export import csv_head, csv_line, jsonl_line
from tests.storage_samples import log_row

TEXT = st.text(max_size=50)
MANIFEST = ExportManifest(
    log="seal.example/log",
    file="seal-log-20260301T000000Z.jsonl",
    format="jsonl",
    sha256="ab" * 32,
    bytes=1234,
    entries=5,
    filter={"seal_code": "99990000000001"},
    period_from="2026-01-01T00:00:00Z",
    period_until=None,
    upto_size=900,
    by="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50",
    by_name="示例市审计",
    at="2026-03-01T00:00:00.000Z",
    begun="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f51",
    entry="019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f52",
)


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", '=HYPERLINK("http://x")'])
def test_a_spreadsheet_calculates_nothing_of_what_people_wrote(cell: str) -> None:
    (read,) = csv.reader(io.StringIO(csv_line([cell]).decode(), newline=""))
    assert read == [f"'{cell}"]


def test_a_spreadsheet_rounds_no_code() -> None:
    (read,) = csv.reader([csv_line(["99990000000001", "12", "ab" * 32, "2026-03-01 08:00:00"]).decode()])
    assert read == ["'99990000000001", "12", "ab" * 32, "2026-03-01 08:00:00"]


@given(st.lists(TEXT, min_size=1, max_size=5))
def test_cells_come_back_as_they_were_but_for_the_apostrophe(cells: list[str]) -> None:
    line = csv_line(cells).decode()
    assert line.endswith("\r\n")
    (read,) = csv.reader(io.StringIO(line, newline=""))
    assert [one if one == cell else one.removeprefix("'") for one, cell in zip(read, cells, strict=True)] == cells


def test_a_file_for_spreadsheets_says_that_it_is_utf_8() -> None:
    head = csv_head(["时间", "类别"])
    assert head.decode("utf-8-sig") == "时间,类别\r\n"
    assert head.startswith(b"\xef\xbb\xbf")


@given(TEXT)
def test_a_stranger_computes_the_leaf_hash_from_a_line(text: str) -> None:
    canon = json.dumps({"id": "e", "text": text}, ensure_ascii=False, separators=(",", ":")).encode()
    row = replace(log_row("e"), canon=canon, leaf_hash=hashlib.sha256(b"\x00" + canon).digest())
    line = jsonl_line(row, 7)
    assert line.count(b"\n") == 1, "one entry, one line"
    read = json.loads(line)
    assert (read["canonical"].encode(), read["index"]) == (canon, 7)
    assert hashlib.sha256(b"\x00" + read["canonical"].encode()).hexdigest() == read["leaf_hash"]


def test_a_manifest_is_read_as_it_was_written_and_is_no_checkpoint() -> None:
    text = manifest_text(MANIFEST)
    assert read_manifest(text) == MANIFEST
    with pytest.raises(NoteRefused):
        read_checkpoint(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("/v1", "/v2", 1),
        lambda text: text.rstrip("\n"),
        lambda text: text.replace('"bytes":1234', '"bytes":"1234"'),
        lambda text: text.replace('"bytes":1234', '"bytes":-1'),
        lambda text: text.replace('"bytes":1234', '"bytes":true'),
        lambda text: text.replace('"entries":5,', ""),
        lambda text: text.replace('"by":', '"another":"x","by":'),
        lambda text: text.replace('"by":', '"by" :'),
        lambda text: text.replace('"filter":{', '"filter":{"kind":5,'),
        lambda text: text.replace('"filter":{"seal_code":"99990000000001"}', '"filter":null'),
        lambda text: text.replace('"seal.example/log"', "null"),
        lambda text: "\n".join(reversed(text.splitlines())) + "\n",
    ],
)
def test_a_manifest_of_another_form_is_refused(change: object) -> None:
    assert callable(change)
    changed = change(manifest_text(MANIFEST))
    assert changed != manifest_text(MANIFEST)
    with pytest.raises(NoteRefused):
        read_manifest(changed)

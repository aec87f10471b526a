"""演示: what a new user runs first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pypdfium2
import pytest

from seal_service.cli import demo_document
from seal_service.cli.demo_cast import BUREAU, OFFICE
from seal_service.cli.demo_document import BUREAU_AT, OFFICE_AT
from tests.command_line import DOCUMENT, CommandLine

MM = 25.4 / 72


def test_the_demonstration_ends_with_a_sealed_document_that_verifies(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = subprocess.run(
        [sys.executable, "-m", "seal_service", "demo", "--output", str(tmp_path / "out")],
        env={**os.environ, "SEAL_HOME": str(home), "SEAL_DATABASE_URL": "sqlite:////nowhere/at.all"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert not home.exists(), "its instance is thrown away"
    sealed = Path(done.stdout.splitlines()[-1])
    assert sealed.read_bytes().startswith(DOCUMENT.read_bytes())
    for word in ("单位登记", "制章", "用印", "验章", "篡改", "续期", "挂失", "日志查询", "溯源"):
        assert word in done.stdout
    assert "TOTAL_FAILED" in done.stdout

    elsewhere = CommandLine(tmp_path / "elsewhere")
    report = elsewhere.said("verify", sealed, "--trust", sealed.with_name("root.pem"), "--offline")
    assert report["indication"] == "TOTAL_PASSED"
    assert [one["kind"] for one in report["signatures"]].count("pades") == 2
    assert json.loads(sealed.with_name("report.json").read_text(encoding="utf-8"))["digest"] == report["digest"]
    tampered = elsewhere.run("verify", sealed.with_name("tampered.pdf"), "--trust", sealed.with_name("root.pem"))
    assert tampered.exit_code == 1


def test_a_step_that_does_not_come_out_ends_the_demonstration(
    command_line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_document, "tamper", lambda sealed, within: sealed)
    result = command_line.run("demo", "--output", tmp_path / "out")
    assert result.exit_code == 1
    assert "the change was not found" in result.stderr
    assert "篡改" in result.stdout, "the steps so far are told"
    assert list((tmp_path / "out").iterdir()) == []


def test_output_without_chinese_signs_is_no_failure(tmp_path: Path) -> None:
    environment = {**os.environ, "SEAL_HOME": str(tmp_path / "home"), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "seal_service", "doctor"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "seal init" in done.stdout
    assert "Traceback" not in done.stderr


def test_the_example_leaves_room_where_the_seals_are_placed() -> None:
    with pypdfium2.PdfDocument(DOCUMENT) as document:
        page = document[len(document) - 1]
        text = page.get_textpage()
        for part, placement in ((OFFICE, OFFICE_AT), (BUREAU, BUREAU_AT)):
            found = text.search(part.name).get_next()
            assert found is not None
            boxes = [text.get_charbox(index) for index in range(found[0], found[0] + found[1])]
            x = (min(box[0] for box in boxes) + max(box[2] for box in boxes)) / 2 * MM
            y = (page.get_height() - (boxes[0][1] + boxes[0][3]) / 2) * MM
            assert placement.x_mm is not None
            assert placement.y_mm is not None
            assert abs(placement.x_mm + 21 - x) < 2, "the seal is over its unit's name"
            assert placement.y_mm < y < placement.y_mm + 42

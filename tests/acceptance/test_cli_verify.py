"""验章 by the command line: for anyone, with and without an instance."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seal_service.cli.demo_document import tamper
from tests.command_line import DOCUMENT, CommandLine, Office


@pytest.fixture
def elsewhere(tmp_path: Path) -> CommandLine:
    """A machine without an instance."""
    return CommandLine(tmp_path / "elsewhere")


@pytest.fixture(scope="module")
def sealed(by_command: Office) -> Path:
    """A sealed document, and `root.pem` beside it."""
    path = by_command.at.home.parent / "sealed.pdf"
    by_command.at.said(*by_command.applying(path), by=by_command.system)
    assert by_command.at.run("pki", "export", "-o", path.with_name("root.pem")).exit_code == 0
    return path


def test_a_sealed_document_verifies_without_the_instance_that_sealed_it(sealed: Path, elsewhere: CommandLine) -> None:
    root = sealed.with_name("root.pem")
    report = elsewhere.said("verify", sealed, "--trust", root, "--offline")
    assert report["indication"] == "TOTAL_PASSED"
    assert report["signatures"][0]["level"] == "B-LT"
    assert report["signatures"][0]["seal"]["status_now"] is None, "who is not the instance does not know"
    shown = elsewhere.run("verify", sealed, "--trust", root)
    assert shown.exit_code == 0
    assert "TOTAL_PASSED" in shown.stdout
    assert "chain" in shown.stdout
    assert not elsewhere.home.exists()


def test_without_an_anchor_a_good_document_is_undecided(sealed: Path, elsewhere: CommandLine) -> None:
    result = elsewhere.run("verify", sealed, "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert (report["indication"], report["sub_indication"]) == ("INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND")
    assert report["technically_valid"] is True


def test_a_tampered_document_fails(sealed: Path, elsewhere: CommandLine) -> None:
    tampered = sealed.with_name("tampered.pdf")
    tampered.write_bytes(tamper(sealed.read_bytes(), within=DOCUMENT.stat().st_size))
    result = elsewhere.run("verify", tampered, "--trust", sealed.with_name("root.pem"), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["indication"] == "TOTAL_FAILED"


def test_many_files_give_one_report_a_line_in_their_order(sealed: Path, elsewhere: CommandLine) -> None:
    result = elsewhere.run("verify", sealed, DOCUMENT, "--trust", sealed.with_name("root.pem"), "--json")
    assert result.exit_code == 1
    reports = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["indication"] for one in reports] == ["TOTAL_PASSED", "NO_SIGNATURE"]
    assert [one["file"] for one in reports] == ["sealed.pdf", "regulation.pdf"]


def test_what_cannot_be_read_is_two_and_the_rest_is_still_verified(sealed: Path, elsewhere: CommandLine) -> None:
    text, root = sealed.with_name("notes.txt"), sealed.with_name("root.pem")
    text.write_text("no document", encoding="utf-8")
    result = elsewhere.run("verify", sealed.with_name("missing.pdf"), text, sealed, "--trust", root, "--json")
    assert result.exit_code == 2
    assert "missing.pdf" in result.stderr
    assert "notes.txt" in result.stderr
    assert [json.loads(line)["file"] for line in result.stdout.splitlines()] == ["sealed.pdf"]
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("option", [("--trust", "missing.pem"), ("--at", "yesterday"), ("--at", "2026-03-01T08:00:00")])
def test_a_wrong_option_is_two(option: tuple[str, str], elsewhere: CommandLine) -> None:
    assert elsewhere.run("verify", DOCUMENT, *option).exit_code == 2


def test_before_its_certificate_a_seal_is_not_valid(sealed: Path, elsewhere: CommandLine) -> None:
    arguments = ("verify", sealed, "--trust", sealed.with_name("root.pem"), "--at", "2001-01-01T00:00:00Z")
    assert elsewhere.run(*arguments).exit_code == 1


def test_as_a_process_it_says_the_same_and_loads_no_database(sealed: Path) -> None:
    script = (
        "import sys; from seal_service.__main__ import seal_command\n"
        "try: seal_command(sys.argv[1:])()\n"
        "finally: print(sorted({'sqlalchemy', 'alembic', 'fastapi', 'uvicorn'} & set(sys.modules)), file=sys.stderr)"
    )
    environment = {**os.environ, "SEAL_HOME": str(sealed.parent / "nowhere")}
    done = subprocess.run(
        [sys.executable, "-c", script, "verify", sealed, "--trust", sealed.with_name("root.pem"), "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["indication"] == "TOTAL_PASSED"
    assert done.stderr.splitlines()[-1] == "[]"

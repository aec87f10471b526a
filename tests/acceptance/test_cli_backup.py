"""seal db backup, restore and check as an operator gives them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.command_line import CommandLine, Office, TwoPeople


@pytest.fixture
def elsewhere(by_command: Office, tmp_path: Path) -> CommandLine:
    """An empty home whose key directory holds the master key alone."""
    at = CommandLine(tmp_path / "elsewhere" / "home")
    keys = at.home / "keys"
    keys.mkdir(parents=True, mode=0o700)
    shutil.copy(by_command.at.home / "keys" / "master.key", keys)
    return at


def test_a_backup_is_made_shown_and_restored_elsewhere(
    by_command: Office, elsewhere: CommandLine, tmp_path: Path
) -> None:
    at, operator = by_command.at, by_command.operator
    sealed = tmp_path / "sealed.pdf"
    assert at.run(*by_command.applying(sealed, "--level", "B-T"), by=by_command.system).exit_code == 0
    backups = tmp_path / "backups"
    backups.mkdir()
    made = at.said("db", "backup", backups, "--with-keys", by=operator)
    assert Path(made["backup"]).parent == backups
    assert made["log_size"] == at.said("log", "query", by=by_command.auditor)["upto_size"] - 1

    shown = elsewhere.run("db", "restore", made["backup"], "--json")
    assert shown.exit_code == 1
    assert json.loads(shown.stdout)["restored"] is False
    assert "--yes" in shown.stderr
    assert sorted(one.name for one in elsewhere.home.rglob("*")) == ["keys", "master.key"]

    assert "two different people" in elsewhere.refused("db", "restore", made["backup"], "--yes", code=2)
    assert "two different people" in elsewhere.refused("db", "restore", made["backup"], "--yes", by=operator, code=2)
    both = TwoPeople(at.security.client_id, at.security.secret, at.second)
    restored = elsewhere.said("db", "restore", made["backup"], "--yes", by=both)
    assert restored["restored"] is True
    assert restored["manifest_sha256"] == made["manifest_sha256"]
    assert elsewhere.said("doctor")["ready"] is True
    assert elsewhere.said("db", "check", "--deep")["clean"] is True
    assert elsewhere.run("verify", sealed).exit_code == 0
    story = elsewhere.said("log", "query", "--kind", "config.restored", by=by_command.auditor)
    assert len(story["items"]) == 1
    refused = elsewhere.refused("db", "restore", made["backup"], "--yes", by=both, code=2)
    assert "already something" in refused


def test_only_an_operator_backs_up(by_command: Office, tmp_path: Path) -> None:
    assert "seal login" in by_command.at.refused("db", "backup", tmp_path, code=2)
    assert "role" in by_command.at.refused("db", "backup", tmp_path, by=by_command.auditor, code=1)
    assert "no directory" in by_command.at.refused("db", "backup", tmp_path / "no", by=by_command.operator, code=2)


def test_what_is_no_backup_is_refused_and_names_what_is_missing(elsewhere: CommandLine, tmp_path: Path) -> None:
    assert "is no backup" in elsewhere.refused("db", "restore", tmp_path, code=2)
    (elsewhere.home / "keys" / "master.key").unlink()
    (tmp_path / "manifest.json").touch()
    refused = elsewhere.refused("db", "restore", tmp_path, code=2)
    assert "SEAL_MASTER_KEY" in refused
    assert "seal init" not in refused, "it would take the place"


def test_a_deep_check_that_finds_something_says_where_and_answers_no(by_command: Office, tmp_path: Path) -> None:
    at = CommandLine(Path(shutil.copytree(by_command.at.home, tmp_path / "damaged")))
    file = next(one for one in sorted((at.home / "blobs").glob("??/??/*")))
    file.unlink()
    assert at.said("db", "check")["clean"] is True
    result = at.run("db", "check", "--deep", "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)
    assert said["clean"] is False
    assert said["counts"] == {"document": 1}
    assert said["findings"][0]["subject"] == file.name
    told = at.run("db", "check", "--deep")
    assert file.name in told.stdout

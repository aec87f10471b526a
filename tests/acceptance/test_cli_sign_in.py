"""People sign in at the command line: `seal login --account`, `seal password`, `seal factor`, `seal logout`."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.test_api_sessions import OTHER, PASSWORD, key_of, totp
from tests.command_line import CommandLine, Person


@pytest.fixture
def security(command_line: CommandLine) -> Person:
    """A security administrator of a new instance."""
    command_line.init()
    return command_line.security


def handed_out(at: CommandLine, security: Person, *, name: str = "shen.ji") -> str:
    """An auditor's initial password."""
    account = at.join("审计人员", "auditor").client_id
    refused = at.run("password", "reset", account, by=security)
    assert (refused.exit_code, refused.stdout) == (1, "")
    made = at.said("password", "reset", account, "--login-name", name, "--yes", by=security)
    assert made["login_name"] == name
    return str(made["password"])


def test_a_person_signs_in_changes_the_password_and_signs_out(command_line: CommandLine, security: Person) -> None:
    at = command_line
    initial = handed_out(at, security)
    said = at.run("login", "--account", "shen.ji", "--json", stdin=f"{initial}\n")
    assert said.exit_code == 0, said.output
    answer = json.loads(said.stdout)
    assert (answer["roles"], answer["must_first"]) == (["auditor"], "change_password")
    kept = Path(answer["stored"])
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert initial not in kept.read_text()
    assert "seal password change" in at.refused("log", "query", code=1)
    wrong = at.run("password", "change", stdin=f"wrong\n{PASSWORD}\n")
    assert wrong.exit_code == 2, wrong.output
    changed = at.run("password", "change", stdin=f"{initial}\n{PASSWORD}\n")
    assert changed.exit_code == 0, changed.output
    at.said("log", "query")
    assert at.run("logout").stdout == "Logged out.\n"
    assert not kept.exists()
    at.refused("log", "query", code=2)
    assert at.run("logout").stdout == "Nobody was logged in.\n"


def test_signing_out_everywhere_ends_a_session_that_was_kept_elsewhere(
    command_line: CommandLine, security: Person
) -> None:
    at = command_line
    initial = handed_out(at, security)
    assert at.run("login", "--account", "shen.ji", stdin=f"{initial}\n").exit_code == 0
    assert at.run("password", "change", stdin=f"{initial}\n{PASSWORD}\n").exit_code == 0
    elsewhere = (at.home / "session.json").read_bytes()
    assert at.run("login", "--account", "shen.ji", stdin=f"{PASSWORD}\n").exit_code == 0
    assert at.run("logout", "--everywhere").exit_code == 0
    (at.home / "session.json").write_bytes(elsewhere)
    assert "session has ended" in at.refused("log", "query", code=2)
    (at.home / "session.json").write_bytes(b"{}")
    assert "damaged" in at.refused("log", "query", code=2)


def test_a_code_is_asked_for_once_a_key_is_enrolled(
    command_line: CommandLine, security: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = command_line
    monkeypatch.setenv("SEAL_SECOND_FACTOR", "totp")
    initial = handed_out(at, security)
    assert at.run("login", "--account", "shen.ji", stdin=f"{initial}\n").exit_code == 0
    monkeypatch.setenv("SEAL_PASSWORD", initial)
    monkeypatch.setenv("SEAL_NEW_PASSWORD", OTHER)
    assert at.run("password", "change").exit_code == 0
    monkeypatch.setenv("SEAL_PASSWORD", OTHER)
    assert "enrol-totp" in at.refused("log", "query", code=1)
    wrong = at.run("factor", "enrol-totp", stdin="000000\n")
    assert wrong.exit_code == 2
    assert wrong.stdout.startswith("otpauth://totp/")
    key = enrolled(at)
    at.said("log", "query")
    (factor,) = at.said("factor", "list")["items"]
    assert factor["kind"] == "totp"
    assert at.run("factor", "remove", factor["id"]).exit_code == 1
    assert at.run("factor", "remove", factor["id"], "--yes").exit_code == 1, "the last one stays"
    at.run("logout")
    later = totp(key, time.time() + 30)
    assert at.run("login", "--account", "shen.ji", stdin="000000\n").exit_code == 2
    assert at.run("login", "--account", "shen.ji", stdin=f"{later}\n").exit_code == 0
    at.said("log", "query")


def enrolled(at: CommandLine) -> bytes:
    """The key that was shown, after its first code was typed."""
    command = [sys.executable, "-m", "seal_service", "factor", "enrol-totp"]
    root = Path(__file__).parents[2]
    environment = {**os.environ, "SEAL_HOME": str(at.home), "PYTHONPATH": str(root)}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        key = key_of(process.stdout.readline().strip())
        process.stdin.write(f"{totp(key, time.time())}\n")
        process.stdin.close()
        assert "totp" in process.stdout.read()
    assert process.returncode == 0
    return key

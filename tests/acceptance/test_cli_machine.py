"""The instance by the command line: made once, entered with credentials, checked, kept."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seal_service.__main__ import seal_command
from tests.command_line import CommandLine, Office, Person


def test_an_instance_is_made_once(command_line: CommandLine) -> None:
    operator = command_line.init()
    before = sorted(path.name for path in (command_line.home / "keys").iterdir())
    told = command_line.refused("init", code=1)
    assert "initialised already" in told
    assert sorted(path.name for path in (command_line.home / "keys").iterdir()) == before
    people = command_line.said("accounts", "list", by=command_line.security)["items"]
    assert operator.client_id in {one["id"] for one in people if one["roles"] == ["system_operator"]}
    assert sorted(one["roles"][0] for one in people) == ["security_administrator"] * 2 + ["system_operator"]


def test_without_an_instance_everything_says_what_to_do(command_line: CommandLine, tmp_path: Path) -> None:
    person = Person("019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50", "secret")
    for arguments in (
        ("seals", "lookup", "99990000000001", "--name", "x"),
        ("db", "check"),
        ("db", "upgrade"),
        ("pki", "show"),
    ):
        assert "seal init" in command_line.refused(*arguments, code=2)
    assert "seal init" in command_line.refused("serve", code=2)
    assert "seal init" in command_line.refused("units", "list", by=person, code=2)
    result = command_line.run("doctor", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["ready"] is False
    assert not command_line.home.exists(), "asking makes nothing"


def test_a_ready_instance_is_said_to_be_ready(command_line: CommandLine) -> None:
    operator = command_line.init()
    answer = command_line.said("doctor")
    assert answer["ready"] is True
    assert {"schema", "database", "authority:root", "authority:issuing"} <= {
        one["name"] for one in answer["dependencies"]
    }
    assert command_line.said("db", "check")["clean"] is True
    assert command_line.said("db", "upgrade") == {"schema": "current"}
    assert command_line.said("reconcile", by=operator) == {"abandoned": 0, "documents_removed": 0}


def test_login_checks_the_credentials_and_keeps_them_for_their_owner_alone(command_line: CommandLine) -> None:
    operator = command_line.init()
    file = command_line.home / "credentials.json"
    assert "seal login" in command_line.refused("control", "list", code=2)

    wrong = command_line.run("login", "--client-id", operator.client_id, stdin="not the secret\n")
    assert wrong.exit_code == 2
    assert "wrong" in wrong.stderr
    assert not file.exists()

    right = command_line.run("login", "--client-id", operator.client_id, stdin=operator.secret + "\n")
    assert right.exit_code == 0, right.output
    assert operator.secret not in right.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert command_line.said("control", "list") == {"items": [], "next_cursor": None}

    assert command_line.run("logout").exit_code == 0
    assert not file.exists()
    assert "seal login" in command_line.refused("control", "list", code=2)


def test_the_environment_goes_before_the_stored_credentials(by_command: Office) -> None:
    at = by_command.at
    at.run("login", "--client-id", by_command.operator.client_id, stdin=by_command.operator.secret + "\n")
    try:
        assert "role" in at.refused("keys", "list", by=by_command.auditor, code=1)
        assert at.said("keys", "list")["items"]
    finally:
        at.run("logout")


def test_a_disabled_account_is_nobody(by_command: Office) -> None:
    at = by_command.at
    leaving = at.join("离任审计", "auditor")
    assert at.said("log", "query", "--limit", "1", by=leaving)["items"]
    asked = at.run("accounts", "disable", leaving.client_id, by=at.security)
    assert (asked.exit_code, asked.stdout) == (1, "")
    assert "Nothing was changed; add --yes" in asked.stderr
    assert at.said("log", "query", "--limit", "1", by=leaving)["items"], "a dangerous act waits for --yes"
    at.said("accounts", "disable", leaving.client_id, "--yes", by=at.security)
    assert "seal login" in at.refused("log", "query", by=leaving, code=2)
    shown = at.said("accounts", "show", leaving.client_id, by=at.security)
    assert shown["disabled_at"] is not None
    assert "secret" not in json.dumps(shown)


def test_a_role_that_may_not_is_refused_as_over_http(by_command: Office, tmp_path: Path) -> None:
    at = by_command.at
    for person in (by_command.operator, by_command.auditor, by_command.maker, by_command.keeper):
        assert "role" in at.refused(*by_command.applying(tmp_path / "out.pdf"), by=person, code=1)
    assert "role" in at.refused("log", "query", by=by_command.operator, code=1)
    assert "role" in at.refused("reconcile", by=by_command.auditor, code=1)


def test_files_that_cannot_be_read_or_written_are_named_before_anything_happens(
    by_command: Office, tmp_path: Path
) -> None:
    at, code = by_command.at, by_command.code
    missing = ("apply", tmp_path / "missing.pdf", "-o", tmp_path / "out.pdf", "--seal", code, "--scenario", "s")
    assert "missing.pdf" in at.refused(*missing, by=by_command.system, code=2)
    at.refused(*by_command.applying(tmp_path / "no-such-directory" / "out.pdf"), by=by_command.system, code=2)
    nothing_sealed = at.said("uses", "list", "--seal", code, by=by_command.auditor)
    assert nothing_sealed["items"] == []
    assert list(tmp_path.glob(".out.pdf*")) == []


def test_wrong_settings_are_named(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAL_TOKEN_SECONDS", "soon")
    assert "SEAL_TOKEN_SECONDS" in command_line.refused("doctor", code=2)


def test_the_root_certificate_is_handed_out_as_pem(command_line: CommandLine) -> None:
    command_line.init()
    exported = command_line.run("pki", "export")
    assert exported.stdout.startswith("-----BEGIN CERTIFICATE-----\n")
    shown = command_line.said("pki", "show")["items"]
    assert [one["certificate"] for one in shown] == ["root", "issuing", "timestamp"]
    assert shown[1]["issuer"] == shown[0]["subject"]


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, one in getattr(command, "commands", {}).items():
        yield from _commands(one, (*path, name))


def _tree() -> list[tuple[str, ...]]:
    from typer.main import get_command

    return list(_commands(get_command(seal_command())))


@pytest.mark.parametrize("path", _tree(), ids=" ".join)
def test_every_command_has_help_and_every_verb_an_example(path: tuple[str, ...], command_line: CommandLine) -> None:
    result = command_line.run(*path, "--help")
    assert result.exit_code == 0
    is_group = "COMMAND [ARGS]" in result.stdout
    assert is_group or f"seal {' '.join(path)}" in result.stdout.partition("Example:")[2]


def test_every_verb_that_prints_data_can_print_json(command_line: CommandLine) -> None:
    without = {
        "serve", "demo", "logout", "uses acknowledge", "pki export", "keys new master",
        "witness serve", "password change", "factor remove", "custody lock", "custody cancel", "conveyances withdraw",
    }  # fmt: skip
    for path in _tree():
        shown = command_line.run(*path, "--help").stdout
        if "COMMAND [ARGS]" not in shown:
            assert ("--json" in shown) is (" ".join(path) not in without), path


@pytest.mark.parametrize("arguments", [("no-such-command",), ("seals", "show"), ("apply", "a.pdf", "--level", "B-X")])
def test_a_wrong_usage_is_two(arguments: tuple[str, ...], command_line: CommandLine) -> None:
    assert command_line.run(*arguments).exit_code == 2

"""seal keys rotate master|tokens and seal keys new master, as an operator gives them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from seal_service.__main__ import seal_command
from tests.command_line import CommandLine, Office, Person


@dataclass
class Keys:
    """`seal keys` on an office's instance."""

    office: Office
    environment: dict[str, str | None] = field(default_factory=dict)
    runner: CliRunner = field(default_factory=CliRunner)

    @property
    def directory(self) -> Path:
        return self.office.at.home / "keys"

    def run(self, *arguments: str, by: Person | None = None) -> Result:
        person = (by or self.office.operator).environment
        environment = {"SEAL_HOME": str(self.office.at.home), **person, **self.environment}
        return self.runner.invoke(seal_command(), ["keys", *arguments], env=environment)


@pytest.fixture
def keys(fresh_by_command: Office) -> Keys:
    return Keys(fresh_by_command)


def sealed(office: Office, output: Path, key: str) -> None:
    done = office.at.run(*office.applying(output, "--key", key), by=office.system)
    assert done.exit_code == 0, done.output


def test_the_master_key_is_rotated_after_a_look_at_what_would_happen(keys: Keys, tmp_path: Path) -> None:
    sealed(keys.office, tmp_path / "before.pdf", "before")
    before = (keys.directory / "master.key").read_text()
    looked = keys.run("rotate", "master")
    assert looked.exit_code == 1
    assert re.search(r"key_files +8 *\n", looked.stdout)
    assert "This would make a new master key, wrap 8 private keys and the keyring under it" in looked.stderr
    assert "add --yes" in looked.stderr
    assert (keys.directory / "master.key").read_text() == before
    planned = json.loads(keys.run("rotate", "master", "--json").stdout)
    done = keys.run("rotate", "master", "--yes", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["retired"], told["key_files"], told["kept_files"]) == ([planned["active"]], 8, planned["kept_files"])
    after = (keys.directory / "master.key").read_text()
    assert after != before
    for secret in (before.strip(), after.strip()):
        assert secret not in done.output + looked.output
    sealed(keys.office, tmp_path / "after.pdf", "after")
    for name in ("before", "after"):
        assert keys.office.at.run("verify", tmp_path / f"{name}.pdf").exit_code == 0


def test_a_rotation_is_in_the_log_by_ids_alone(keys: Keys) -> None:
    told = json.loads(keys.run("rotate", "master", "--yes", "--json").stdout)
    listed = keys.office.at.said("log", "query", "--kind", "key.rotated", by=keys.office.auditor)["items"]
    ended, begun = (
        keys.office.at.said("log", "entry", one["entry_id"], by=keys.office.auditor)["entry"] for one in listed
    )
    assert (begun["result"], ended["result"]) == ("undecided", "success")
    assert begun["facts"] == {"key": "master_key", "active": told["retired"][0]}
    del told["from_environment"]
    assert ended["facts"] == {"key": "master_key", **told}
    assert (told["key_files"], told["data_key"]) == (8, 2)
    assert (keys.directory / "master.key").read_text().strip() not in json.dumps([begun, ended])


def test_only_an_operator_rotates(keys: Keys) -> None:
    before = (keys.directory / "master.key").read_text()
    for person in (keys.office.maker, keys.office.auditor, keys.office.system, keys.office.keeper):
        for command in (("rotate", "master"), ("rotate", "tokens")):
            assert keys.run(*command, "--yes", by=person).exit_code == 1
    assert (keys.directory / "master.key").read_text() == before


def test_a_master_key_of_the_environment_is_rotated_with_a_new_one_that_is_printed_for_it(
    keys: Keys, tmp_path: Path
) -> None:
    old = (keys.directory / "master.key").read_text().strip()
    (keys.directory / "master.key").unlink()
    keys.environment["SEAL_MASTER_KEY"] = old
    looked = keys.run("rotate", "master")
    assert "This would refuse, as SEAL_MASTER_KEY names one key: make another with `seal keys new master`" in (
        looked.stderr
    )
    refused = keys.run("rotate", "master", "--yes")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "restart every process, then repeat this" in refused.stderr
    new = keys.run("new", "master").stdout.strip()
    assert re.fullmatch(r"[0-9a-f]{64}", new)
    assert keys.run("new", "master").stdout.strip() != new
    keys.environment["SEAL_MASTER_KEY"] = f"{new},{old}"
    assert "finish a rotation" in keys.run("rotate", "master").stderr
    done = keys.run("rotate", "master", "--yes")
    assert done.exit_code == 0, done.output
    assert "Now leave only that key in SEAL_MASTER_KEY" in done.stdout
    assert new not in done.output
    keys.environment["SEAL_MASTER_KEY"] = new
    assert json.loads(keys.run("rotate", "master", "--json").stdout)["others"] == []
    keys.environment["SEAL_MASTER_KEY"] = old
    unopened = keys.run("rotate", "master")
    assert unopened.exit_code == 2
    assert "add that key after the first one" in unopened.stderr


def test_the_token_key_is_rotated(keys: Keys) -> None:
    looked = keys.run("rotate", "tokens")
    assert (looked.exit_code, looked.stdout) == (1, "")
    assert json.loads(keys.run("rotate", "tokens", "--yes", "--json").stdout) == {"rotated": "token_key"}
    assert keys.run("rotate", "tokens", "--yes").exit_code == 0
    assert keys.office.at.said("accounts", "list", by=keys.office.at.security)["items"]


def test_init_does_not_make_a_keyring_where_one_was_lost(keys: Keys) -> None:
    for path in [*keys.directory.glob("*.key"), keys.directory / "keyring"]:
        path.unlink()
    told = keys.office.at.refused("init", code=1)
    assert "its keys are not in" in told
    assert "put them back" in told
    assert not [path for path in keys.directory.iterdir() if not path.name.startswith(".")]


def test_a_missing_keyring_is_told_by_doctor(command_line: CommandLine) -> None:
    command_line.init()
    (command_line.home / "keys" / "keyring").unlink()
    done = command_line.run("doctor", "--json")
    assert done.exit_code == 1
    (instance,) = json.loads(done.stdout)["dependencies"]
    assert "keyring is missing: put back the copy that was backed up" in instance["detail"]


@pytest.mark.parametrize("command", [("rotate", "master"), ("rotate", "tokens"), ("new", "master")])
def test_every_command_has_an_example(command: tuple[str, str]) -> None:
    told = CliRunner().invoke(seal_command(), ["keys", *command, "--help"]).stdout
    assert f"Example:\n    seal keys {' '.join(command)}" in told

"""seal doctor: what is not well is named with what mends it, and nothing secret is told."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

from tests.command_line import CommandLine


def test_a_ready_instance_tells_its_facts(command_line: CommandLine) -> None:
    operator = command_line.init()
    told = command_line.said("doctor")
    assert told["ready"] is True
    assert all(
        one.keys() == {"name", "ready", "warning", "age_seconds", "detail", "mend"} for one in told["dependencies"]
    )
    facts = told["facts"]
    assert facts["key_places"] == {"file": 7}
    assert facts["counts"]["accounts"] == 3
    assert facts["timestamps"] == ["embedded"]
    assert "journal_mode" in facts["database"]
    text = command_line.run("doctor")
    assert text.exit_code == 0
    for secret in (operator.secret, (command_line.home / "keys" / "master.key").read_text().strip()):
        assert secret not in text.output
    assert "7 file" in text.stdout


def test_what_is_wrong_is_told_with_what_mends_it(command_line: CommandLine) -> None:
    command_line.init()
    (path,) = (one for one in (command_line.home / "keys").glob("*.key") if "issuing" in one.name)
    path.unlink()
    result = command_line.run("doctor")
    assert result.exit_code == 1
    assert "NOT READY" in result.stdout
    assert "authority:issuing: bring the key back from the backup of SEAL_KEYS" in result.stdout


def test_keys_that_another_master_key_wrapped(command_line: CommandLine) -> None:
    command_line.init()
    (command_line.home / "keys" / "master.key").write_text("ab" * 32)
    result = command_line.run("doctor")
    assert result.exit_code == 1
    assert "NOT READY" in result.stdout
    assert "seal check-config" in result.stdout
    assert "ab" * 32 not in result.output


def test_another_schema_is_told_in_a_process_of_its_own(command_line: CommandLine) -> None:
    command_line.init()
    change = "UPDATE alembic_version SET version_num = '0001'"
    with closing(sqlite3.connect(command_line.home / "seal.db")) as connection, connection:
        connection.execute(change)
    done = subprocess.run(
        [sys.executable, "-m", "seal_service", "doctor"],
        env={"SEAL_HOME": str(command_line.home), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert "seal db upgrade" in done.stdout
    assert "Traceback" not in done.stderr

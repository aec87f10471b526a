"""`seal log recover` as an operator gives it, after an old backup was restored on another machine.

The published log, its guard and a witness know more than the restored database.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command_line import CommandLine, Office, TwoPeople
from tests.witness_process import key_of, made_witness, serving

WITNESS = "witness.example/audit"


@dataclass
class Restored:
    """An office whose machine was lost, and the machine on which its backup was restored."""

    office: Office
    at: CommandLine
    backed_up: int
    """Entries under the checkpoint that the backup knows."""
    published: int
    """Entries under the last one."""
    before: Path
    """Sealed before the backup."""
    after: Path
    """Sealed after it."""
    witness: Path

    def witnessed(self) -> int:
        """The size of the last checkpoint that the witness cosigned."""
        (seen,) = (self.witness / "seen").glob("*.checkpoint")
        return int(seen.read_text().split("\n")[1])


@pytest.fixture
def restored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Restored]:
    """Everything by commands: log, witness, backup, what came after it, restore beside the published log."""
    office = Office(CommandLine(tmp_path / "lost" / "home"))
    at, log, guard, witness = office.at, tmp_path / "log", tmp_path / "guard", tmp_path / "witness"
    monkeypatch.setenv("SEAL_LOG_DIRECTORY", str(log))
    monkeypatch.setenv("SEAL_LOG_GUARD", str(guard))
    made_witness(witness, WITNESS)
    assert at.run("log", "init").exit_code == 0
    (witness / "logs").write_text(at.run("log", "key").stdout)
    with serving(witness) as (address, _):
        monkeypatch.setenv("SEAL_LOG_WITNESSES", json.dumps([f"{key_of(witness)} {address}"]))
        monkeypatch.setenv("SEAL_LOG_WITNESSES_NEEDED", "1")
        before, after = tmp_path / "before.pdf", tmp_path / "after.pdf"
        at.said(*office.applying(before), by=office.system)
        backed_up = at.said("log", "publish")["published"]
        backups = tmp_path / "backups"
        backups.mkdir()
        backup = at.said("db", "backup", backups, "--with-keys", by=office.operator)["backup"]
        for directory in (log, guard):
            shutil.copytree(directory, tmp_path / "snapshot" / directory.name)
        at.said(*office.applying(after), by=office.system)
        at.said("seals", "report-loss", office.code, "--reason", "介质遗失", by=office.keeper)
        published = at.said("log", "publish")["published"]

        elsewhere = CommandLine(tmp_path / "found" / "home")
        keys = elsewhere.home / "keys"
        keys.mkdir(parents=True, mode=0o700)
        shutil.copy(at.home / "keys" / "master.key", keys)
        both = TwoPeople(at.security.client_id, at.security.secret, at.second)
        elsewhere.said("db", "restore", backup, "--yes", by=both)
        yield Restored(office, elsewhere, backed_up, published, before, after, witness)


def test_a_restored_log_is_recovered_by_command_and_a_witness_follows(restored: Restored, tmp_path: Path) -> None:
    at, office = restored.at, restored.office
    assert restored.witnessed() == restored.published > restored.backed_up
    again = office.applying(tmp_path / "again.pdf")
    assert "seal log recover" in at.refused(*again, by=office.system, code=1)
    at.refused("log", "publish", code=1)
    assert restored.witnessed() == restored.published, "nothing older was shown to it"

    shown = at.run("log", "recover", "--json")
    assert shown.exit_code == 1
    asked = json.loads(shown.stdout)
    assert (asked["done"], asked["before"], asked["size"]) == (False, restored.backed_up, restored.published)
    at.refused("log", "publish", code=1)

    done = at.said("log", "recover", "--yes")
    assert (done["done"], done["before"], done["size"]) == (True, restored.backed_up, restored.published)
    assert (done["entries"], done["uses_after_backup"]) == (restored.published - restored.backed_up, 1)
    assert done["stopped"] == [{"seal_code": office.code, "state": "suspended"}]
    assert "nothing to recover" in at.refused("log", "recover", "--yes", code=1)

    grown = at.said("log", "publish")["published"]
    assert restored.witnessed() == grown > restored.published, "the witness saw the same history go on"
    for sound in ("audit", "fsck"):
        assert at.run("log", sound).exit_code == 0
    kinds = [one["kind"] for one in at.said("log", "query", "--limit", "500", by=office.auditor)["items"]]
    assert kinds.count("seal.completed") == 2
    assert {"config.restored", "log.recovered"} <= set(kinds)

    # The reported loss holds; after a look the seal is applied again, and what was sealed before is still right.
    at.refused(*again, by=office.system, code=1)
    at.said("seals", "resume", office.code, "--reason", "介质找到", by=office.maker)
    at.said(*again, by=office.system)
    at.said("log", "publish")
    for document in (tmp_path / "again.pdf", restored.before, restored.after):
        assert at.said("verify", document)["indication"] == "TOTAL_PASSED", document
    proof = tmp_path / "after.tlog-proof"
    assert at.run("log", "proof", "--file", restored.after, "-o", proof).exit_code == 0
    given = ("--proof", proof, "--log-key", at.run("log", "key").stdout.strip())
    assert at.said("verify", restored.after, *given)["indication"] == "TOTAL_PASSED"


def test_where_log_and_guard_were_put_back_too_the_witness_alone_tells_and_nothing_is_sealed(
    restored: Restored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a snapshot of the whole machine: only what others have seen is not of the past."""
    at, office = restored.at, restored.office
    with monkeypatch.context() as snapshot:
        snapshot.setenv("SEAL_LOG_DIRECTORY", str(tmp_path / "snapshot" / "log"))
        snapshot.setenv("SEAL_LOG_GUARD", str(tmp_path / "snapshot" / "guard"))
        assert "nothing to recover" in at.refused("log", "recover", "--yes", code=1)
        assert WITNESS in at.refused("log", "publish", code=1)
        assert restored.witnessed() == restored.published
        assert WITNESS in at.refused(*office.applying(tmp_path / "again.pdf"), by=office.system, code=1)

    # The log of the last day and its guard are found: but the restored database gave places of its own meanwhile.
    assert "another history" in at.refused("log", "recover", "--yes", code=1)
    assert restored.witnessed() == restored.published

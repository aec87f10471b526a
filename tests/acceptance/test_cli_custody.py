"""Article 20 by commands: a keeper takes, activates and locks a seal; a medium's seal is applied in two steps."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from seal_service.bootstrap import key_process
from seal_service.config import Settings
from seal_service.storage.sqlite import sqlite_module
from tests.command_line import DOCUMENT, SCENARIO, CommandLine, Person
from tests.custody_by_command import CustodyOffice
from tests.medium import UnitMedium

SECRET = "correct horse battery staple"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CustodyOffice]:
    """With the key process that `seal serve` would have started."""
    at = CommandLine(tmp_path_factory.mktemp("custody") / "home")
    made = CustodyOffice(at)
    with key_process(Settings(home=at.home)):
        yield made


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file with the keeper's secret."""
    file = tmp_path / "secret.txt"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    return file


def applying(code: str, output: Path, *options: str) -> tuple[str | Path, ...]:
    of_seal = ("--seal", code, "--scenario", SCENARIO, "--level", "B-B")
    return ("apply", DOCUMENT, "-o", output, *of_seal, *options)


def preparing(code: str, output: Path, *options: str) -> tuple[str | Path, ...]:
    return ("custody", "prepare", DOCUMENT, "-o", output, "--seal", code, "--scenario", SCENARIO, *options)


def test_a_keeper_takes_activates_and_locks_a_seal(office: CustodyOffice, secret: Path, tmp_path: Path) -> None:
    at, code, out = office.at, office.another_seal(), tmp_path / "sealed.pdf"
    untaken = at.said("custody", "show", code, by=office.seal_keeper)
    assert (untaken["taken"], untaken["active"]) == (False, False)
    take = ("custody", "take", code, "--secret-file", secret)
    asked = at.run(*take, by=office.seal_keeper)
    assert (asked.exit_code, asked.stdout) == (1, "")
    assert "keeps nowhere" in asked.stderr
    assert at.said("custody", "show", code, by=office.seal_keeper)["taken"] is False, "nothing without --yes"
    taken = at.said(*take, "--yes", by=office.seal_keeper)
    assert (taken["taken"], taken["active"], taken["blocked_until"]) == (True, False, None)
    assert "custody already" in at.refused(*take, "--yes", by=office.seal_keeper, code=1)

    locked = at.refused(*applying(code, out), by=office.system, code=1)
    assert "`seal custody activate CODE`" in locked
    assert not out.exists()
    activate = ("custody", "activate", code, "--secret-file", secret)
    assert at.said(*activate, "--uses", "1", by=office.seal_keeper)["uses_left"] == 1
    at.said(*applying(code, out), by=office.system)
    assert out.read_bytes().startswith(DOCUMENT.read_bytes())
    assert "not activated" in at.refused(*applying(code, out), by=office.system, code=1)
    assert at.said("custody", "show", code, by=office.auditor)["active"] is False
    at.said(*activate, "--uses", "9", by=office.seal_keeper)
    done = at.run("custody", "lock", code, by=office.seal_keeper)
    assert (done.exit_code, done.stdout) == (0, "Locked.\n")
    assert at.run("custody", "lock", code, by=office.seal_keeper).exit_code == 0, "twice is once"
    assert "not activated" in at.refused(*applying(code, out), by=office.system, code=1)


def test_the_secret_may_come_as_a_line_of_standard_input_and_is_told_nowhere(office: CustodyOffice) -> None:
    at, code = office.at, office.another_seal()
    taken = at.run("custody", "take", code, "--yes", by=office.seal_keeper, stdin=f"{SECRET}\n")
    assert taken.exit_code == 0, taken.output
    activated = at.run("custody", "activate", code, "--uses", "1", by=office.seal_keeper, stdin=f"{SECRET}\n")
    assert activated.exit_code == 0, activated.output
    assert SECRET not in taken.output + activated.output
    entries = at.run("log", "query", "--seal", code, "--json", by=office.auditor)
    assert "sealmgmt.activation_opened" in entries.stdout
    assert SECRET not in entries.stdout


def test_wrong_secrets_are_told_from_right_ones_and_wait_longer(
    office: CustodyOffice, secret: Path, tmp_path: Path
) -> None:
    at, code = office.at, office.another_seal()
    at.said("custody", "take", code, "--secret-file", secret, "--yes", by=office.seal_keeper)
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("not the secret at all", encoding="utf-8")
    activate = ("custody", "activate", code, "--uses", "1", "--secret-file")
    for _ in range(2):
        told = at.refused(*activate, wrong, by=office.seal_keeper, code=1)
        assert "is not the seal's" in told
        assert "before" not in told.replace("one before", "")
    third = at.refused(*activate, wrong, by=office.seal_keeper, code=1)
    assert "Nothing is tried before 20" in third
    blocked = at.refused(*activate, secret, by=office.seal_keeper, code=1)
    assert "Too many wrong activation secrets" in blocked
    assert "Nothing is tried before 20" in blocked
    assert at.said("custody", "show", code, by=office.seal_keeper)["blocked_until"] is not None


def test_what_is_given_wrongly_is_named_and_changes_nothing(
    office: CustodyOffice, secret: Path, tmp_path: Path
) -> None:
    at, code, by = office.at, office.another_seal(), office.seal_keeper
    short, binary = tmp_path / "short.txt", tmp_path / "gbk.txt"
    short.write_text("short", encoding="utf-8")
    binary.write_bytes("用印激活口令用印激活口令".encode("gbk"))
    take = ("custody", "take", code, "--yes", "--secret-file")
    assert "12 to 200" in at.refused(*take, short, by=by, code=2)
    assert "UTF-8" in at.refused(*take, binary, by=by, code=2)
    activate = ("custody", "activate", code, "--secret-file", secret)
    assert "not taken" in at.refused(*activate, "--uses", "1", by=by, code=1)
    at.said(*take, secret, by=by)
    assert "until" in at.refused(*activate, by=by, code=2)
    assert "offset" in at.refused(*activate, "--until", "2026-03-01T18:00:00", by=by, code=2)
    assert "31 days" in at.refused(*activate, "--until", "2199-01-01T00:00:00Z", by=by, code=2)
    assert at.run(*activate, "--uses", "0", by=by).exit_code == 2
    for stranger in (office.maker, office.system, office.keeper):
        at.refused(*activate, "--uses", "1", by=stranger, code=1)
    assert "seals list" in at.refused("custody", "show", "99990000009999", by=by, code=2)


def test_without_a_key_process_the_answer_says_what_runs_it(tmp_path: Path, secret: Path) -> None:
    office = CustodyOffice(CommandLine(tmp_path / "home"))
    office.at.said("custody", "take", office.code, "--secret-file", secret, "--yes", by=office.seal_keeper)
    activate = ("custody", "activate", office.code, "--uses", "1", "--secret-file", secret)
    assert "`seal serve`" in office.at.refused(*activate, by=office.seal_keeper, code=1)


def prepared_and_signed(
    office: CustodyOffice, code: str, medium: UnitMedium, directory: Path, by: Person | None = None
) -> tuple[str, Path]:
    """The id of a prepared use, and the file with its medium's signature."""
    to_be_signed, signature = directory / "to-be-signed.der", directory / "signature.der"
    prepared = office.at.said(*preparing(code, to_be_signed), by=by or office.system)
    content = to_be_signed.read_bytes()
    assert base64.b64decode(prepared["to_be_signed"]) == content
    assert prepared["digest_sha256"] == hashlib.sha256(content).hexdigest()
    signature.write_bytes(medium.sign(content))
    return str(prepared["id"]), signature


def completing(use: str, code: str, output: Path, *given: str | Path) -> tuple[str | Path, ...]:
    return ("custody", "complete", use, "--seal", code, "-o", output, *given)


def test_a_seal_on_a_medium_is_applied_in_two_steps_and_verifies(office: CustodyOffice, tmp_path: Path) -> None:
    at, medium, out = office.at, UnitMedium(serial_number="UKEY-CLI-1"), tmp_path / "sealed.pdf"
    code = office.on_medium(medium, tmp_path)
    assert "applied in two steps" in at.refused(*applying(code, out), by=office.system, code=1)
    use, signature = prepared_and_signed(office, code, medium, tmp_path)
    receipt = at.said(*completing(use, code, out, "--signature", signature), by=office.system)
    assert (receipt["state"], receipt["replayed"], receipt["use_id"]) == ("completed", False, use)
    assert out.read_bytes().startswith(DOCUMENT.read_bytes())
    assert at.said("verify", out)["indication"] == "TOTAL_PASSED"
    again = at.said(*completing(use, code, tmp_path / "again.pdf", "--signature", signature), by=office.system)
    assert again["replayed"] is True
    assert (tmp_path / "again.pdf").read_bytes() == out.read_bytes()
    told = at.refused("custody", "cancel", use, "--seal", code, by=office.system, code=1)
    assert "cannot be given up" in told


def test_a_wrong_signature_is_refused_with_what_is_left_and_the_right_one_still_completes(
    office: CustodyOffice, tmp_path: Path
) -> None:
    at, medium, out = office.at, UnitMedium(serial_number="UKEY-CLI-2"), tmp_path / "sealed.pdf"
    code = office.on_medium(medium, tmp_path)
    use, signature = prepared_and_signed(office, code, medium, tmp_path)
    wrong = tmp_path / "wrong.der"
    wrong.write_bytes(UnitMedium().sign(b"something else"))
    told = at.refused(*completing(use, code, out, "--signature", wrong), by=office.system, code=2)
    assert "Attempts left: 4." in told
    assert "Either the signature or the CMS" in at.refused(*completing(use, code, out), by=office.system, code=2)
    assert not out.exists()
    stranger = at.join("另一平台", "business_system", office.unit["id"])
    assert "Only the system" in at.refused(*completing(use, code, out, "--signature", signature), by=stranger, code=2)
    at.said(*completing(use, code, out, "--signature", signature), by=office.system)


def test_a_prepared_use_is_given_up_or_expires(office: CustodyOffice, tmp_path: Path) -> None:
    at, medium, out = office.at, UnitMedium(serial_number="UKEY-CLI-3"), tmp_path / "sealed.pdf"
    code = office.on_medium(medium, tmp_path)
    use, signature = prepared_and_signed(office, code, medium, tmp_path)
    done = at.run("custody", "cancel", use, "--seal", code, by=office.system)
    assert (done.exit_code, done.stdout) == (0, "Given up.\n")
    at.refused(*completing(use, code, out, "--signature", signature), by=office.system, code=1)
    late, signature = prepared_and_signed(office, code, medium, tmp_path)
    with closing(sqlite_module().connect(str(at.home / "seal.db"))) as connection, connection:
        connection.execute("UPDATE prepared_use SET expires_at = prepared_at WHERE use_id = ?", (late,))
    told = at.refused(*completing(late, code, out, "--signature", signature), by=office.system, code=1)
    assert "not completed in its time" in told
    assert not out.exists()


def test_a_key_of_the_service_is_not_prepared_for_a_medium(office: CustodyOffice, tmp_path: Path) -> None:
    told = office.at.refused(*preparing(office.code, tmp_path / "x.der"), by=office.system, code=1)
    assert "applied in one step" in told
    assert not (tmp_path / "x.der").exists()

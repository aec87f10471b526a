"""`seal verify` and the signing log: by the instance, and by a proof and the log's key where there is no instance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seal_service.bootstrap import build, settings_from_environment
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.log.growth import grown
from seal_service.log.tiles import is_log_file
from seal_service.storage.log_files import DirectoryLogFiles
from seal_service.testing.transparency import MemoryLogKey
from seal_service.usecases.read_log_key import ReadLogKeyUseCase
from seal_service.usecases.sequence_log import SequenceLog, SequenceLogUseCase
from seal_service.usecases.verify_document import VerifyDocumentUseCase
from tests.command_line import DOCUMENT, CommandLine, Office
from tests.published_tree import publish


@pytest.fixture(scope="module")
def sealed(by_command: Office, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed document; `root.pem`, `log.vkey` and `sealed.tlog-proof` beside it."""
    path = tmp_path_factory.mktemp("logged") / "sealed.pdf"
    by_command.at.said(*by_command.applying(path), by=by_command.system)
    assert by_command.at.run("pki", "export", "-o", path.with_name("root.pem")).exit_code == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEAL_HOME", str(by_command.at.home))
        settings = settings_from_environment()
    service = build(settings)
    try:
        verifying, reading = service.verify_document.use_case, service.transparency.read_key.use_case
        assert isinstance(verifying, VerifyDocumentUseCase)
        assert isinstance(reading, ReadLogKeyUseCase)
        size = SequenceLogUseCase(verifying.records, grown)(PUBLIC_CALLER, SequenceLog()).size
        with verifying.records.read() as transaction:
            entries = transaction.tree.entries(0, size)
        publish(DirectoryLogFiles(settings.published_log, is_log_file), reading.signer, entries)
    finally:
        service.close()
    proof = ("log", "proof", "--file", path, "-o", path.with_name("sealed.tlog-proof"))
    assert by_command.at.run(*proof).exit_code == 0
    key = by_command.at.run("log", "key")
    path.with_name("log.vkey").write_text(key.stdout, encoding="utf-8")
    return path


def outcome(report: Any) -> str:
    (found,) = [one["outcome"] for one in report["signatures"][0]["checks"] if one["id"] == "logged"]
    return str(found)


def test_the_instance_finds_the_seal_in_its_log(by_command: Office, sealed: Path) -> None:
    report = by_command.at.said("verify", sealed)
    assert (report["indication"], outcome(report)) == ("TOTAL_PASSED", "pass")


def test_elsewhere_a_proof_shows_it_and_without_one_it_is_not_asked(sealed: Path, tmp_path: Path) -> None:
    elsewhere = CommandLine(tmp_path / "elsewhere")
    by_root = ("verify", sealed, "--trust", sealed.with_name("root.pem"), "--offline")
    unasked = elsewhere.said(*by_root)
    assert (unasked["indication"], outcome(unasked)) == ("TOTAL_PASSED", "skipped")
    proof = ("--proof", sealed.with_name("sealed.tlog-proof"))
    for key in (sealed.with_name("log.vkey"), sealed.with_name("log.vkey").read_text(encoding="utf-8").strip()):
        proven = elsewhere.said(*by_root, *proof, "--log-key", key)
        assert (proven["indication"], outcome(proven)) == ("TOTAL_PASSED", "pass")
    shown = elsewhere.run(*by_root, *proof, "--log-key", sealed.with_name("log.vkey"))
    assert "logged" in shown.stdout
    other = MemoryLogKey("seal.example/log").verifier_key
    for wrong in (("--log-key", sealed.with_name("log.vkey")), (*proof, "--log-key", other)):
        result = elsewhere.run(*by_root, *wrong)
        assert result.exit_code == 1
        assert "INDETERMINATE / NOT_LOGGED" in result.stdout


@pytest.mark.parametrize(
    "options",
    [
        ("--proof", DOCUMENT),
        ("--witnesses-needed", "1"),
        ("--log-key", "missing.vkey"),
        ("--log-key", DOCUMENT),
        ("--log-key", "name+00000000+AAAA"),
    ],
)
def test_a_wrong_option_is_two(options: tuple[str, ...], tmp_path: Path) -> None:
    assert CommandLine(tmp_path / "elsewhere").run("verify", DOCUMENT, *options).exit_code == 2

"""seal uses receipt, seal log checkpoint, proof, check-receipt."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from seal_service.formats.checkpoint import open_checkpoint
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.log.proofs import read_proof, verified_proof
from tests.command_line import DOCUMENT, CommandLine, Office
from tests.live_log import LiveLog, live_log


@pytest.fixture(scope="module")
def log(by_command: Office) -> Iterator[LiveLog]:
    with live_log(by_command.at.home) as opened:
        opened.publish()
        yield opened


@pytest.fixture(scope="module")
def sealed(by_command: Office, log: LiveLog, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A sealed document, published, and the JSON that `seal apply` printed."""
    directory = tmp_path_factory.mktemp("sealed")
    output, printed = directory / "sealed.pdf", directory / "receipt.json"
    told = by_command.at.said(*by_command.applying(output), by=by_command.system)
    printed.write_text(json.dumps(told))
    log.publish()
    return output, printed


def test_the_receipt_that_apply_prints_is_checked_without_an_instance(
    by_command: Office, log: LiveLog, sealed: tuple[Path, Path], tmp_path: Path
) -> None:
    document, printed = sealed
    told = json.loads(printed.read_text())
    note, key = tmp_path / "receipt.note", tmp_path / "log.vkey"
    command = ("uses", "receipt", told["use_id"], "--seal", told["seal_code"])
    again = by_command.at.said(*command, "-o", note, by=by_command.system)
    assert again["note"] == told["note"] == note.read_text()
    key.write_text(by_command.at.run("log", "key").stdout)

    elsewhere = CommandLine(tmp_path / "no-instance")
    for receipt in (printed, note):
        for given in (key, log.key.text):
            checked = elsewhere.said("log", "check-receipt", receipt, "--log-key", given, "--document", document)
            assert checked["use_id"] == told["use_id"]
            assert checked["completed"] == told["completed"]
            assert checked["in_tree_by"] == told["in_tree_by"] is not None

    check = ("log", "check-receipt", note, "--log-key", key)
    assert "not of" in elsewhere.refused(*check, "--document", printed, code=1)
    note.write_text(note.read_text().replace("sealed sha256 ", "sealed sha256 0"))
    elsewhere.refused(*check, code=1)
    note.write_text("{}")
    assert "no `note`" in elsewhere.refused(*check, code=2)
    elsewhere.refused("log", "check-receipt", printed, "--log-key", "a+b+c", code=2)


def test_whoever_applies_a_seal_can_wait_for_its_proof(by_command: Office, log: LiveLog, tmp_path: Path) -> None:
    """The sealed document and its proof, side by side, which then verify together without the instance."""
    output, written = tmp_path / "sealed.pdf", tmp_path / "sealed.tlog-proof"
    serving = threading.Event()

    def publish() -> None:
        while not serving.wait(0.2):
            log.publish()

    publisher = threading.Thread(target=publish)
    publisher.start()
    try:
        waiting = ("--proof", str(written), "--wait-published", "60")
        told = by_command.at.said(*by_command.applying(output, *waiting), by=by_command.system)
    finally:
        serving.set()
        publisher.join()
    assert told["proof"].encode() == written.read_bytes()
    proof = read_proof(written.read_bytes())
    assert proof.extra is not None
    verified_proof(proof, leaf_hash(proof.extra), log.key)
    entry = json.loads(proof.extra)
    assert (entry["kind"], entry["id"]) == ("seal.completed", told["completed"]["entry_id"])
    assert by_command.at.run("pki", "export", "-o", tmp_path / "root.pem").exit_code == 0
    trust = ("--trust", tmp_path / "root.pem", "--log-key", log.key.text)
    elsewhere = CommandLine(tmp_path / "no-instance")
    assert elsewhere.said("verify", output, "--offline", "--proof", written, *trust)["indication"] == "TOTAL_PASSED"


def test_where_the_proof_does_not_come_in_time_the_seal_is_on_the_document_all_the_same(
    by_command: Office, log: LiveLog, tmp_path: Path
) -> None:
    output, written = tmp_path / "sealed.pdf", tmp_path / "sealed.tlog-proof"
    late = ("--proof", str(written), "--wait-published", "0", "--key", "late-proof", "--json")
    result = by_command.at.run(*by_command.applying(output, *late), by=by_command.system)
    assert (result.exit_code, output.exists(), written.exists()) == (1, True, False)
    told = json.loads(result.stdout)
    assert told["proof"] is None
    assert f"seal log proof {told['completed']['entry_id']}" in result.stderr
    log.publish()
    again = by_command.at.run(*by_command.applying(output, *late), by=by_command.system)
    assert (again.exit_code, json.loads(again.stdout)["replayed"]) == (0, True), "the same request again has it"
    assert written.read_text() == json.loads(again.stdout)["proof"]


def test_a_proof_takes_no_other_files_place(by_command: Office, tmp_path: Path) -> None:
    output = tmp_path / "sealed.pdf"
    for other in (output, DOCUMENT):
        command = by_command.applying(output, "--proof", str(other))
        assert "a file of its own" in by_command.at.refused(*command, by=by_command.system, code=2)
    by_command.at.refused(*by_command.applying(output, "--proof", "/nowhere/proof"), by=by_command.system, code=2)
    assert not output.exists()


def test_the_proof_of_a_sealed_file_needs_no_login(
    by_command: Office, log: LiveLog, sealed: tuple[Path, Path], tmp_path: Path
) -> None:
    document, printed = sealed
    told = json.loads(printed.read_text())
    output = tmp_path / "sealed.tlog-proof"
    assert by_command.at.run("log", "proof", "--file", document, "-o", output).exit_code == 0
    proof = read_proof(output.read_bytes())
    assert proof.extra is not None
    assert json.loads(proof.extra)["id"] == told["completed"]["entry_id"]
    verified_proof(proof, leaf_hash(proof.extra), log.key)
    intent = by_command.at.run("log", "proof", "--file", document, "--entry", "intent", "--without-entry")
    verified_proof(read_proof(intent.stdout.encode()), bytes.fromhex(told["intent"]["leaf_hash"]), log.key)

    by_id = by_command.at.said("log", "proof", told["completed"]["entry_id"], by=by_command.system)
    assert by_id["proof"].encode() == output.read_bytes()
    by_command.at.refused("log", "proof", told["completed"]["entry_id"], code=2)
    assert "No such signature" in by_command.at.refused("log", "proof", "--file", document, "--field", "x", code=2)
    by_command.at.refused("log", "proof", code=2)


def test_the_checkpoint_is_printed_for_anyone(by_command: Office, log: LiveLog, sealed: tuple[Path, Path]) -> None:
    assert sealed
    printed = by_command.at.run("log", "checkpoint").stdout
    assert open_checkpoint(printed.encode(), log.key).checkpoint.size == log.size
    said = by_command.at.said("log", "checkpoint")
    assert (said["size"], said["checkpoint"]) == (log.size, printed)

"""A log that a witness has halted goes on by that witness's word alone, as an operator has it asked."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from seal_service.__main__ import seal_command
from seal_service.bootstrap import build
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.errors import LogHalted
from seal_service.formats.checkpoint import Checkpoint, read_checkpoint
from seal_service.formats.note import read_note
from seal_service.jobs.maintenance import MACHINE
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.publish_checkpoint import PublishCheckpoint
from seal_service.usecases.read_log_key import ReadLogKey
from seal_service.usecases.sequence_log import SequenceLog
from tests.instance import RealOffice
from tests.note_keys import NoteKey
from tests.witness_process import key_of, made_witness, serving

NAME = "witness.example/audit"


def test_a_witness_that_was_put_back_is_asked_again_by_command(tmp_path: Path) -> None:
    directory = tmp_path / "witness"
    made_witness(directory, NAME)
    office = RealOffice(tmp_path / "var")
    transparency = office.service.transparency
    transparency.initialise(MACHINE, InitialiseLog())
    (directory / "logs").write_text(f"{transparency.read_key(PUBLIC_CALLER, ReadLogKey())}\n")

    def publish() -> None:
        office.service.transparency.sequence(MACHINE, SequenceLog())
        office.service.transparency.publish(MACHINE, PublishCheckpoint())

    def resume(*more: str) -> Result:
        environment = {"SEAL_HOME": str(office.home), "SEAL_LOG_WITNESSES": json.dumps([named])}
        return CliRunner().invoke(seal_command(), ["log", "resume", NAME, *more], env=environment)

    with serving(directory) as (address, _):
        named = f"{key_of(directory)} {address}"
        changes = {"log_witnesses": (named,), "log_witnesses_needed": 1}
        office.service.close()
        office.settings = office.settings.model_copy(update=changes)
        office.service = build(office.settings, clock=office.clock)
        publish()
        [seen] = (directory / "seen").glob("*.checkpoint")
        right = seen.read_bytes()
        place = read_checkpoint(read_note(right).text)
        forked = Checkpoint(origin=place.origin, size=place.size, root=bytes(32))
        seen.write_bytes(NoteKey(NAME).note(forked.text))  # as if the witness had been given another's history
        office.use("published")
        with pytest.raises(LogHalted, match="does not follow"):
            publish()
        office.clock.forward(timedelta(seconds=2))
        with pytest.raises(LogHalted, match=f"seal log resume {NAME}"):
            office.use("halted")
        refused = resume()
        assert refused.exit_code == 1
        assert "Nothing was changed" in refused.stderr
        assert "does not follow" in resume("--yes").stderr
        with pytest.raises(LogHalted):
            office.use("halted still")
        seen.write_bytes(right)
        told = resume("--yes", "--json")
        assert told.exit_code == 0, told.output
        assert json.loads(told.stdout)["halted"] is None
        office.clock.forward(timedelta(seconds=11))
        assert office.use("resumed").content is not None
        publish()
    office.service.close()

"""How the command line says no."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seal_service.cli.failures import exit_code, sentence
from seal_service.cli.options import moment
from seal_service.domain import errors
from tests.command_line import CommandLine


def _all(kind: type[errors.SealServiceError]) -> Iterator[errors.SealServiceError]:
    if issubclass(kind, errors.AuthorizationDenied | errors.PasswordRefused):
        yield kind([("seal_suspended", "the seal is suspended")])
    elif kind is errors.TransitionRefused:
        yield errors.TransitionRefused("cancelled", "resume", [])
    elif kind is errors.RenewalNotPossible:
        yield errors.RenewalNotPossible(datetime(2029, 1, 1, tzinfo=UTC), datetime(2029, 4, 1, tzinfo=UTC))
    else:
        yield kind()
    for one in kind.__subclasses__():
        yield from _all(one)


@pytest.mark.parametrize("error", list(_all(errors.SealServiceError)), ids=lambda error: type(error).__name__)
def test_every_error_is_one_sentence_or_two_on_one_line(error: errors.SealServiceError) -> None:
    told = sentence(error)
    assert told.startswith(error.message)
    assert told.endswith(".")
    assert "\n" not in told
    assert exit_code(error) in (1, 2)


def test_what_was_given_wrong_is_two_and_an_answer_of_no_is_one() -> None:
    for given_wrong in (
        errors.InvalidCreditCode(),
        errors.Unauthenticated(),
        errors.SealNotFound(),
        OSError(2, "gone"),
    ):
        assert exit_code(given_wrong) == 2
    for answer in (errors.PermissionDenied(), errors.AlreadyDecided(), errors.SelfCheckFailed(), RuntimeError("?")):
        assert exit_code(answer) == 1


def test_an_error_that_nobody_foresaw_tells_nothing_of_its_text() -> None:
    assert "secret" not in sentence(RuntimeError("secret"))


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"])
def test_a_time_outside_the_calendar_is_refused(at: str) -> None:
    with pytest.raises(errors.InvalidTime, match="outside the years"):
        moment(at, "at")


def test_arguments_that_are_no_text_are_refused(command_line: CommandLine, tmp_path: Path) -> None:
    """A name in another encoding reaches Python as unpaired surrogates, which no log and no digest can hold."""
    named = os.fsdecode(bytes(tmp_path) + b"/\xb9\xab\xb8\xe6.pdf")
    Path(named).write_bytes(b"%PDF-1.7")
    for arguments in (("verify", named), ("units", "list", "--name", "\udcb9")):
        result = command_line.run(*arguments)
        assert result.exit_code == 2
        assert "UTF-8" in result.stderr
        assert "Traceback" not in result.stderr


def test_a_fault_that_is_shown_for_debugging_shows_no_secret(tmp_path: Path) -> None:
    """The operator sees where it happened, and his terminal's history no password."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEAL_")}
    environment |= {"SEAL_HOME": str(tmp_path), "SEAL_LOG_LEVEL": "DEBUG", "PYTHONPATH": str(Path(__file__).parents[2])}
    program = (
        "from seal_service.bootstrap import log_as_command\nfrom seal_service.cli.failures import tell\n"
        "log_as_command()\ntry:\n    raise RuntimeError('postgresql://seal:hunter2@db.example/seal')\n"
        "except RuntimeError as error:\n    tell(error)\n"
    )
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True).stderr
    lines = told.splitlines()
    assert json.loads(lines[0])["exception"][0]["frames"][0]["lineno"] == 5
    assert lines[1].startswith("seal: This should not have happened (RuntimeError)")
    assert "hunter2" not in told

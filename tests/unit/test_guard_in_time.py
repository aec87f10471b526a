"""A guard on a volume that hangs is not readable; it keeps neither callers nor threads."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seal_service.domain.errors import AlreadyRegistered, LogHalted
from seal_service.storage.guard_in_time import READS, GuardInTime
from seal_service.storage.log_guard import DirectoryGuard

SECONDS = 0.2


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "guard"


@pytest.fixture
def hanging(directory: Path) -> Iterator[Path]:
    """The guard's file is a pipe that nobody writes: opening it hangs, as on a mount that does not answer."""
    file = directory / "checkpoint"
    DirectoryGuard(directory).create(b"held")
    hang(directory, file)
    yield file
    release(file)


def hang(directory: Path, file: Path) -> None:
    file.rename(directory / "away")
    os.mkfifo(file)


def restore(directory: Path, file: Path) -> None:
    file.unlink()
    (directory / "away").rename(file)


def release(pipe: Path) -> None:
    """Whoever hangs at the pipe reads an empty file."""
    while threads():
        try:
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:  # nobody reads at the moment
            time.sleep(0.01)


def threads() -> int:
    return sum(one.name == "guard" for one in threading.enumerate())


def test_a_guard_that_answers_is_the_guard(directory: Path) -> None:
    guard = GuardInTime(DirectoryGuard(directory))
    assert not guard.is_there()
    with pytest.raises(LogHalted, match="mount its volume"):
        guard.read()
    guard.create(b"first")
    with pytest.raises(AlreadyRegistered):
        guard.create(b"again")
    guard.advance(guard.read(), b"second")
    assert guard.is_there()
    assert guard.read() == DirectoryGuard(directory).read()


def test_one_that_hangs_is_not_waited_for_again_and_again(directory: Path, hanging: Path) -> None:
    guard = GuardInTime(DirectoryGuard(directory), SECONDS)
    began = time.monotonic()
    for _ in range(50):
        with pytest.raises(LogHalted, match=r"not read within 0\.2 s: its volume hangs"):
            guard.read()
    assert time.monotonic() - began < SECONDS + 2
    assert threads() == 1
    release(hanging)
    restore(directory, hanging)
    assert guard.read().content == b"held", "and is read as soon as it answers"
    hang(directory, hanging)


def test_reads_that_never_come_back_are_few(directory: Path, hanging: Path) -> None:
    guard = GuardInTime(DirectoryGuard(directory), SECONDS, pause=0)
    for _ in range(READS + 3):
        with pytest.raises(LogHalted, match=r"not read within 0\.2 s: its volume hangs"):
            guard.read()
    assert threads() == READS

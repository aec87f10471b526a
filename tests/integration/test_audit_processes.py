"""Several processes compare a log as one does: the same pages in the same order, and the same faults."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from seal_service.bootstrap.audit_processes import PagesByProcesses
from seal_service.domain.errors import Unavailable
from seal_service.domain.invariants import Finding
from seal_service.log.page_check import PagesHere
from seal_service.ports.log_checking import PlacedRow
from tests.audited_log import PUBLISHED, AuditedLog, audited_log

ENTRIES = 600


@pytest.fixture(params=["sqlite", "postgresql"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AuditedLog]:
    with audited_log(request.param, tmp_path) as made:
        yield made


def processes(log: AuditedLog, here: PagesHere | None = None, fewest: int = 0) -> PagesByProcesses:
    return PagesByProcesses(log.address, log.directory / "log", here or log.here(), fewest, lambda: 2)


def test_they_find_nothing_in_a_sound_log_and_reach_its_end(log: AuditedLog) -> None:
    reached: list[int] = []
    checked = log.audit(sound=reached.append, pages=processes(log))
    assert checked.clean, checked.findings
    assert dict(checked.checked) == {"entries": ENTRIES, "tree": ENTRIES, "published": PUBLISHED, "roots": 4}


def test_they_find_the_faults_that_one_process_finds(log: AuditedLog) -> None:
    log.tamper("UPDATE sign_log SET result = 'failure' WHERE entry_id IN ('e7', 'e300')")
    bundle = log.file("tile/entries/001")
    bundle.write_bytes(bundle.read_bytes()[::-1])
    together = log.audit(pages=processes(log))
    assert together.findings == log.audit().findings
    assert together.counts == {"projection": 2, "published": 1, "statistics": 4}


def test_they_end_where_a_place_is_not_there(log: AuditedLog) -> None:
    log.tamper("DELETE FROM log_leaf WHERE entry_id = 'e300'")
    assert log.audit(pages=processes(log)).findings == log.audit().findings


def dies(row: PlacedRow) -> Sequence[Finding]:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError(row)


def test_an_audit_whose_process_was_killed_says_so_and_finds_nothing_sound(log: AuditedLog) -> None:
    """What no row of was compared must not be told as compared."""
    reached: list[int] = []
    with pytest.raises(Unavailable, match="audit from the last place"):
        log.audit(sound=reached.append, pages=processes(log, PagesHere(dies, log.here().read)))
    assert reached == []


def test_a_small_log_is_not_worth_their_start(log: AuditedLog) -> None:
    with pytest.raises(AssertionError, match="here"):
        log.audit(pages=processes(log, PagesHere(here, log.here().read), fewest=ENTRIES + 1))


def here(row: PlacedRow) -> Sequence[Finding]:
    raise AssertionError(f"here: {row.place}")

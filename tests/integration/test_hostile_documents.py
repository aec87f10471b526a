"""Hostile documents against a real instance: a typed answer in time and within memory, and the service goes on."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.errors import DocumentRefused, InvalidPlacement
from seal_service.domain.use import UseState
from seal_service.domain.verdict import Indication
from seal_service.formats.upload import upload_of
from seal_service.usecases.read_use import ListUses
from seal_service.usecases.verify_document import VerifyDocument
from tests.hostile_files import HOSTILE, hostile
from tests.instance import RealOffice, blank_pdf

SECONDS = 40.0
"""A reading may take 4 s of processor time (test_reading_processes); this leaves room for others beside it."""
MEMORY = 512 << 20
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
_PARENT = re.compile(r"^PPid:\s+(\d+)", re.MULTILINE)


@pytest.fixture(scope="module")
def others() -> frozenset[int]:
    """Processes that run before the office does."""
    return frozenset(one for one, _ in _below(os.getpid()))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, others: frozenset[int]) -> Iterator[RealOffice]:
    del others  # looked at before
    made = RealOffice(tmp_path_factory.mktemp("hostile") / "var")
    made.use("first", blank_pdf(mark="first"))
    yield made
    made.service.close()


def _below(process: int) -> Iterator[tuple[int, str]]:
    """The processes that a process has started, and theirs, with what the kernel says of them."""
    told: dict[int, str] = {}
    for path in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            told[int(path.parent.name)] = path.read_text(encoding="utf-8", errors="replace")
    parents = {one: int(found[1]) for one, text in told.items() if (found := _PARENT.search(text))}
    for one in parents:
        above: int | None = one
        while above is not None and above != process:
            above = parents.get(above)
        if above == process and one != process:
            yield one, told[one]


class _Memory(threading.Thread):
    """The most memory that a reading process takes meanwhile; what other tests left running does not count."""

    def __init__(self, others: frozenset[int]) -> None:
        super().__init__(daemon=True)
        self._others = others
        self.peak = 0
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.05):
            for process, status in _below(os.getpid()):
                found = _PEAK.search(status) if process not in self._others else None
                self.peak = max(self.peak, int(found[1]) << 10 if found else 0)

    def __enter__(self) -> _Memory:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()


@pytest.mark.parametrize("defect", list(HOSTILE))
@pytest.mark.parametrize("allow_repair", [False, True])
def test_what_is_to_be_sealed_gets_a_typed_answer_in_time_and_within_memory(
    office: RealOffice, others: frozenset[int], defect: str, allow_repair: bool
) -> None:
    content, key = hostile(defect), f"hostile-{list(HOSTILE).index(defect)}-{allow_repair}"
    began = time.monotonic()
    with _Memory(others) as memory, contextlib.suppress(DocumentRefused, InvalidPlacement):
        office.service.apply_seal(office.system, replace(office.request(key, content), allow_repair=allow_repair))
    assert time.monotonic() - began < SECONDS
    assert memory.peak < MEMORY
    began = time.monotonic()
    after = office.use(f"after-{key}", blank_pdf(mark=key))
    assert after.use.state is UseState.COMPLETED
    assert time.monotonic() - began < SECONDS


def test_every_refused_use_is_in_the_log_as_failed_and_nothing_of_it_is_kept(office: RealOffice) -> None:
    for defect in ("half a document", "a page tree that holds itself"):
        with pytest.raises(DocumentRefused):
            office.use(f"kept-{len(defect)}", hostile(defect))
    uses = office.service.list_uses(office.system, ListUses(seal_code=office.made.code)).items
    failed = [one for one in uses if one.state is UseState.FAILED]
    assert len(failed) >= 2
    assert all(one.sealed_sha256 is None and one.document_kept_until is None for one in failed)
    assert all(one.terminal_entry_id is not None for one in failed)


@pytest.mark.parametrize("defect", list(HOSTILE))
def test_verification_answers_in_time_and_within_memory_and_never_that_it_is_valid(
    office: RealOffice, others: frozenset[int], defect: str
) -> None:
    document = upload_of(hostile(defect))
    began = time.monotonic()
    report = None
    with _Memory(others) as memory, contextlib.suppress(DocumentRefused):
        report = office.service.verify_document(PUBLIC_CALLER, VerifyDocument(document=document))
    assert time.monotonic() - began < SECONDS
    assert memory.peak < MEMORY
    if report is not None:
        assert report.indication is not Indication.TOTAL_PASSED
        assert not report.technically_valid

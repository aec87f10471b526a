"""Hostile documents sent to a served instance, many at once: typed answers, bounded memory, other requests unharmed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.hostile_files import hostile
from tests.instance import blank_pdf
from tests.live import SCENARIO, LiveOffice, expect, live_city
from tests.served import ROOT, Served, served

WORST = (
    "a million objects in a table",
    "ten million values in one array",
    "an object stream that unpacks to 640 MB",
    "a cross-reference stream that unpacks to 640 MB",
    "a million fields",
    "twenty thousand annotations that five hundred pages share",
    "a string of ten million open parentheses",
    "five thousand revisions",
)
"""Those that cost most, of each kind."""
SECONDS = 40.0
"""A reading may take 4 s of processor time; of the flood, eight share two processors."""
MEMORY = 512 << 20
_STATUS = re.compile(r"^PPid:\s+(\d+)$.*^VmRSS:\s+(\d+) kB$", re.MULTILINE | re.DOTALL)


@dataclass
class Flooded:
    """A served instance with an office that may apply its seal."""

    server: Served
    code: str
    bearer: str

    def use(self, key: str, content: bytes, **query: str) -> httpx.Response:
        """Apply the seal, over a connection of its own."""
        return httpx.post(
            f"{self.server.url}/v1/seals/{self.code}/uses",
            content=content,
            params={"scenario": SCENARIO, **query},
            headers={"Authorization": self.bearer, "Content-Type": "application/pdf", "Idempotency-Key": key},
            timeout=SECONDS,
        )

    def verify(self, content: bytes) -> httpx.Response:
        """Verify, as anyone may."""
        headers = {"Content-Type": "application/pdf", "Accept": "application/json"}
        return httpx.post(f"{self.server.url}/v1/verifications", content=content, headers=headers, timeout=SECONDS)


@pytest.fixture(scope="module")
def flooded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flooded]:
    home = tmp_path_factory.mktemp("flooded") / "home"
    with live_city(home) as city:
        office = LiveOffice(city)
    with served(home, 2) as server:
        yield Flooded(server, office.code, office.system.headers["Authorization"])


def processes_of(root: int) -> dict[int, int]:
    """The processes below one, and the bytes of memory each holds."""
    told: dict[int, tuple[int, int]] = {}
    for path in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            found = _STATUS.search(path.read_text(encoding="utf-8", errors="replace"))
            if found:
                told[int(path.parent.name)] = int(found[1]), int(found[2]) << 10
    below, held = [root], dict[int, int]()
    while below:
        parent = below.pop()
        children = [one for one, (above, _) in told.items() if above == parent]
        held |= {one: told[one][1] for one in children}
        below += children
    return held


class Watch(threading.Thread):
    """The most memory that any one process of the service holds meanwhile."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self._root, self._done, self.peak = root, threading.Event(), 0

    def run(self) -> None:
        while not self._done.wait(0.1):
            self.peak = max(self.peak, *processes_of(self._root).values(), 0)

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()


def is_typed(answer: httpx.Response) -> bool:
    """A report that it is not valid, a problem with a type of its own, or a sealed document."""
    if answer.headers["content-type"] == "application/problem+json":
        code = answer.json()["type"].removeprefix("urn:seal:problem:")
        return 400 <= answer.status_code < 500 and code not in {"internal", "invalid-request"}
    if answer.status_code == 201:
        return answer.content.startswith(b"%PDF-") or "use" in answer.json()
    return answer.status_code == 200 and answer.json()["indication"] != "TOTAL_PASSED"


@pytest.mark.parametrize("defect", WORST)
def test_each_alone_gets_a_typed_answer_in_time(flooded: Flooded, defect: str) -> None:
    """5 s for one that has the machine to itself; twice that, as tests run side by side."""
    content = hostile(defect)
    began = time.monotonic()
    report = flooded.verify(content)
    verified = time.monotonic()
    use = flooded.use(f"alone-{WORST.index(defect)}", content)
    assert max(verified - began, time.monotonic() - verified) < 10
    assert is_typed(report), report.text[:500]
    assert is_typed(use), use.text[:500]


def test_a_flood_of_them_harms_no_other_request(flooded: Flooded) -> None:
    """Eight senders of hostile files; beside them a city goes on sealing and verifying, each answer right."""
    calm = expect(200, flooded.verify(flooded.use("calm", blank_pdf(mark="calm")).content))
    assert calm["indication"] == "TOTAL_PASSED"
    over, answers = threading.Event(), list[httpx.Response]()

    def flood(number: int) -> None:
        turn = 0
        while not over.is_set():
            turn += 1
            content = hostile(WORST[(number + turn) % len(WORST)])
            repair = "true" if turn % 3 == 0 else "false"
            one = (
                flooded.verify(content) if turn % 2 else flooded.use(f"f{number}-{turn}", content, allow_repair=repair)
            )
            answers.append(one)

    with Watch(flooded.server.process.pid) as memory, ThreadPoolExecutor(8) as senders:
        sent = [senders.submit(flood, number) for number in range(8)]
        try:
            for number in range(5):
                sealed = flooded.use(f"ordinary-{number}", blank_pdf(mark=str(number)))
                assert sealed.status_code == 201, sealed.text
                report = expect(200, flooded.verify(sealed.content))
                assert report["indication"] == "TOTAL_PASSED"
        finally:
            over.set()
        for one in sent:
            one.result()
    assert len(answers) >= 8
    for answer in answers:
        assert is_typed(answer), answer.text[:500]
    assert 0 < memory.peak < MEMORY
    assert flooded.server.answers(), "it is ready when the flood is over"


def test_the_command_verifies_one_within_time_and_memory_too(flooded: Flooded, tmp_path: Path) -> None:
    """`seal verify FILE` of a citizen: a sentence and an exit code, in a process that the kernel watched.

    Its time has room for a machine that runs other tests too, and for the program's start.
    """
    for number, defect in enumerate(WORST[:4]):
        (file := tmp_path / f"{number}.pdf").write_bytes(hostile(defect))
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "seal_service", "verify", str(file)],
            env=flooded.server.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with Watch(os.getpid()) as memory:
            told, complaint = process.communicate(timeout=SECONDS)
        assert time.monotonic() - began < 20, defect
        assert process.returncode in {1, 2}, (defect, told, complaint)
        assert "Traceback" not in told + complaint
        assert told or complaint
        assert 0 < memory.peak < MEMORY


def test_when_it_is_stopped_no_process_is_left(flooded: Flooded) -> None:
    """Last of this module: the flood's readers end with the service."""
    before = processes_of(flooded.server.process.pid)
    assert before
    assert flooded.server.stopped_by(signal.SIGTERM) == 0
    end = time.monotonic() + 10
    while left := {one for one in before if Path(f"/proc/{one}").exists()}:
        assert time.monotonic() < end, left
        time.sleep(0.05)

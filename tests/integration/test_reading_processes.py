"""隔离解析: real processes, their limits, and what becomes of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seal_service.domain.errors import DocumentEncrypted, DocumentOverLimit, Unavailable
from seal_service.formats.upload import upload_of
from seal_service.isolation.limits import ReadingLimits
from seal_service.isolation.processes import ReadingFault, ReadingProcesses
from tests import reading_functions as functions
from tests.kernel_limits import without_descriptors
from tests.reading_functions import Asked

LIMITS = ReadingLimits(seconds=0.5, bytes=64 << 20, patience=10)
DOCUMENT = upload_of(b"%PDF-2.0 a document").content


@pytest.fixture(scope="module")
def processes() -> Iterator[ReadingProcesses]:
    made = ReadingProcesses(["tests.reading_functions"], LIMITS, 2)
    yield made
    made.close()


def test_arguments_and_results_cross_unchanged(processes: ReadingProcesses) -> None:
    asked = Asked(number=2**60, octets=bytes(range(256)), names=frozenset({"示例", "样章"}), parts=(b"", b"\xff"))
    told = processes.run(functions.echo, DOCUMENT, asked)
    assert told.asked == asked
    assert told.document == b"%PDF-2.0 a document"
    assert told.process != os.getpid()


def test_an_empty_document_and_one_in_plain_memory_are_read_too(processes: ReadingProcesses) -> None:
    assert processes.run(functions.echo, b"", Asked()).document == b""
    assert processes.run(functions.echo, b"plain", Asked()).document == b"plain"


def test_one_process_reads_document_after_document(processes: ReadingProcesses) -> None:
    assert len({processes.run(functions.echo, DOCUMENT, Asked()).process for _ in range(20)}) == 1


def test_a_function_writes_a_document_within_its_limit(processes: ReadingProcesses) -> None:
    written, times = processes.rewrite(functions.copy, DOCUMENT, Asked(number=3), 1000)
    assert (written.content[:], times) == (DOCUMENT[:] * 3, 3)
    assert written.sha256_hex == upload_of(DOCUMENT[:] * 3).sha256_hex
    with pytest.raises(DocumentOverLimit):
        processes.rewrite(functions.copy, DOCUMENT, Asked(number=3), 10)


def test_the_caller_goes_on_while_a_document_is_read(processes: ReadingProcesses) -> None:
    with processes.begun(functions.echo, DOCUMENT, Asked(number=1)) as first:
        assert processes.run(functions.echo, DOCUMENT, Asked(number=2)).asked.number == 2
        assert first().asked.number == 1


def test_a_reading_that_is_given_up_is_not_answered_to_the_next_one(processes: ReadingProcesses) -> None:
    with pytest.raises(LookupError), processes.begun(functions.echo, DOCUMENT, Asked(number=1)):
        raise LookupError
    assert processes.run(functions.echo, DOCUMENT, Asked(number=2)).asked.number == 2


def test_a_rewriting_has_half_of_a_readings_time(processes: ReadingProcesses) -> None:
    """So that a hostile document which is repaired, and once more to check that, takes no longer than another one."""
    _, left = processes.rewrite(functions.write_time_left, DOCUMENT, Asked(), 1000)
    assert left == pytest.approx(LIMITS.seconds / 2, abs=0.1)
    assert processes.run(functions.time_left, DOCUMENT, Asked()) == pytest.approx(LIMITS.seconds, abs=0.1)


def test_refusals_come_out_typed_with_what_they_say(processes: ReadingProcesses) -> None:
    with pytest.raises(DocumentEncrypted):
        processes.run(functions.refuse, DOCUMENT, Asked())
    with pytest.raises(DocumentOverLimit, match="too many") as refused:
        processes.run(functions.refuse, DOCUMENT, Asked(number=7))
    assert refused.value.details == {"what": "pages", "limit": 7}


def test_a_fault_of_the_program_is_told_as_one(processes: ReadingProcesses) -> None:
    with pytest.raises(ReadingFault, match="ZeroDivisionError"):
        processes.run(functions.fail, DOCUMENT, Asked())
    with pytest.raises(ReadingFault):
        processes.run(functions.lie, DOCUMENT, Asked())


@pytest.mark.parametrize(
    ("function", "asked"), [("hold", Asked(number=1 << 30)), ("work", Asked()), ("crash", Asked())]
)
def test_what_takes_too_much_or_crashes_is_refused_and_the_next_document_is_read(
    processes: ReadingProcesses, function: str, asked: Asked
) -> None:
    began = time.monotonic()
    with pytest.raises(DocumentOverLimit) as refused:
        processes.run(getattr(functions, function), DOCUMENT, asked)
    assert refused.value.details == {"what": "reading"}
    assert time.monotonic() - began < 5
    assert processes.run(functions.echo, DOCUMENT, Asked(number=1)).asked.number == 1


def test_a_process_that_cannot_be_started_is_missing_for_a_while() -> None:
    made = ReadingProcesses(["tests.reading_functions"], LIMITS, 1)
    with without_descriptors(), pytest.raises(Unavailable, match="can be started"):
        made.run(functions.echo, DOCUMENT, Asked())
    assert made.run(functions.echo, DOCUMENT, Asked(number=1)).asked.number == 1
    made.close()


def test_a_process_killed_in_the_middle_is_refused_and_replaced(processes: ReadingProcesses) -> None:
    victim = processes.run(functions.echo, DOCUMENT, Asked()).process
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(processes.run, functions.sleep, DOCUMENT, Asked(number=5000))
        time.sleep(0.3)
        os.kill(victim, signal.SIGKILL)
        with pytest.raises(DocumentOverLimit):
            asked.result(timeout=5)
    assert processes.run(functions.echo, DOCUMENT, Asked()).process != victim


def test_a_process_killed_while_it_waits_is_not_missed(processes: ReadingProcesses) -> None:
    victim = processes.run(functions.echo, DOCUMENT, Asked()).process
    os.kill(victim, signal.SIGKILL)
    time.sleep(0.1)
    assert processes.run(functions.echo, DOCUMENT, Asked()).process != victim


def test_no_more_processes_than_allowed_and_the_others_wait() -> None:
    processes = ReadingProcesses(["tests.reading_functions"], ReadingLimits(patience=6, waiting=2), 2)
    try:
        processes.run(functions.echo, DOCUMENT, Asked())  # what is waited for below is no start of a process
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(processes.run, functions.sleep, DOCUMENT, Asked(number=100)) for _ in range(8)]
            assert len({one.result() for one in asked}) == 2
            busy = [pool.submit(processes.run, functions.sleep, DOCUMENT, Asked(number=4000)) for _ in range(2)]
            time.sleep(0.5)
            with pytest.raises(Unavailable):
                processes.run(functions.echo, DOCUMENT, Asked())
            del busy
    finally:
        processes.close()


def test_a_process_knows_no_secret_and_holds_no_file_of_the_service(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEAL_MASTER_KEY", "the-master-key")
    processes = ReadingProcesses(["tests.reading_functions"], LIMITS, 1)
    try:
        with (tmp_path / "database").open("wb"):
            environment, line, files, limits = processes.run(functions.surroundings, DOCUMENT, Asked())
    finally:
        processes.close()
    assert "SEAL_" not in environment
    assert "the-master-key" not in environment + line
    assert "database" not in files
    assert files.count("socket:") == 1
    held = {name.strip(): rest.split()[0] for name, rest in ((one[:26], one[26:]) for one in limits.splitlines())}
    assert held["Max core file size"] == "0"
    assert int(held["Max data size"]) < 512 << 20
    assert held["Max open files"] == "64"


def test_no_process_outlives_the_one_that_started_it() -> None:
    program = (
        "import sys, time\n"
        "from seal_service.isolation.limits import ReadingLimits\n"
        "from seal_service.isolation.processes import ReadingProcesses\n"
        "from tests import reading_functions as functions\n"
        "processes = ReadingProcesses(['tests.reading_functions'], ReadingLimits(), 1)\n"
        "print(processes.run(functions.echo, b'x', functions.Asked()).process, flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(one for one in sys.path if one)}
    started = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment)
    assert started.stdout is not None
    reader = int(started.stdout.readline())
    started.kill()
    started.wait()
    started.stdout.close()
    for _ in range(100):
        if not Path(f"/proc/{reader}").exists():
            return
        time.sleep(0.1)
    pytest.fail("a reading process went on after its parent was killed")


def test_many_threads_ask_at_once(processes: ReadingProcesses) -> None:
    wrong: list[object] = []

    def ask(first: int) -> None:
        for number in range(first, first + 50):
            told = processes.run(functions.echo, DOCUMENT, Asked(number=number))
            if told.asked.number != number:
                wrong.append(told)

    threads = [threading.Thread(target=ask, args=(100 * one,)) for one in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert wrong == []

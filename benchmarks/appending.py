"""Entries appended by processes of their own, each entry durable before the next: `python -m benchmarks.appending`."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass

from benchmarks.machine import ROOT
from benchmarks.office import Office
from benchmarks.serve import environment_of
from seal_service.bootstrap import settings_from_environment
from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.bootstrap.rooms import Rooms, open_rooms
from seal_service.domain.events import Event, EventKind, Result


@dataclass(frozen=True, slots=True)
class Appending:
    """What a process is to do."""

    callers: int
    """Threads, each with a connection."""
    group: int
    """Entries in a commit."""
    seconds: float


def entries_a_second(office: Office, order: Appending, processes: int) -> float:
    """Of all processes together, which begin together."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.appending"],
            cwd=ROOT,
            env=environment_of(office.settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for one in started:
        assert one.stdout is not None
        one.stdout.readline()  # it has opened the database
    rates = []
    for one in started:
        assert one.stdin is not None
        one.stdin.write(json.dumps(asdict(order)) + "\n")
        one.stdin.close()
    for one in started:
        assert one.stdout is not None
        rates.append(float(one.stdout.read()))
        if one.wait() != 0:
            raise RuntimeError("a process that appends failed")
    return sum(rates)


def event_of(number: int) -> Event:
    """An entry like those of which a log has most, without a seal's counter to wait for."""
    return Event(
        kind=EventKind.DOCUMENT_VERIFIED,
        result=Result.SUCCESS,
        account_id="01980000-0000-7000-8000-000000000000",
        document_sha256=f"{number:064x}",
        scenario="license.issue",
        facts={"indication": "TOTAL_PASSED", "signatures": 1, "document_sm3": f"{number:064x}"},
    )


def append_group(rooms: Rooms, first: int, count: int) -> list[str]:
    """One commit; the entries' ids."""
    with rooms.records.write() as transaction:
        entries = [rooms.log.append(transaction, event_of(number)).entry_id for number in range(first, first + count)]
        transaction.commit()
    return entries


def _append_until(rooms: Rooms, order: Appending, until: float, counts: list[int]) -> None:
    count = 0
    while time.perf_counter() < until:
        append_group(rooms, count, order.group)
        count += order.group
    counts.append(count)


def _main() -> None:
    rooms = open_rooms(settings_from_environment(), SystemClock(), SystemEntropy())
    append_group(rooms, 0, 1)
    print("ready", flush=True)
    order = Appending(**json.loads(sys.stdin.readline()))
    began, counts = time.perf_counter(), list[int]()
    until = began + order.seconds
    threads = [threading.Thread(target=_append_until, args=(rooms, order, until, counts)) for _ in range(order.callers)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    print(sum(counts) / (time.perf_counter() - began))
    rooms.database.close()


if __name__ == "__main__":
    _main()

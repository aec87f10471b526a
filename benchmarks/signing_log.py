"""The signing log (签章日志): durable entries, the sequencer, publication, proofs, the audit."""

from __future__ import annotations

import gc
import subprocess
import threading
import time
from collections.abc import Callable
from random import Random

import httpx

from benchmarks.appending import Appending, append_group, entries_a_second
from benchmarks.databases import POSTGRESQL, SQLITE
from benchmarks.figures import VoidMeasurement, quantile
from benchmarks.office import Office
from benchmarks.serve import SECONDS, served
from benchmarks.session import Session
from seal_service.bootstrap.machine import SystemClock, SystemEntropy
from seal_service.bootstrap.rooms import Rooms, open_rooms
from seal_service.bootstrap.transparency import publication_of
from seal_service.formats.checkpoint import read_checkpoint
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.note import read_note
from seal_service.jobs.maintenance import MACHINE
from seal_service.log.merkle import compact_range, inclusion_holds, inclusion_path, root_of
from seal_service.log.tiles import WIDTH, Tile, TiledNodes
from seal_service.usecases.audit_log import AuditLog
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.publish_checkpoint import PublishCheckpoint
from seal_service.usecases.read_log_key import ReadLogKey
from seal_service.usecases.sequence_log import SequenceLog
from tests.interop.tools import ToolsMissing, prepared

PART = "log"
LEAST_DURABLE = {SQLITE: 3000, POSTGRESQL: 1200}
LEAST_SEQUENCED = {SQLITE: 40_000, POSTGRESQL: 25_000}
PUBLISHED_SECONDS = {"p50": 0.5, "p99": 2.0}
LONGEST_PROOF_MS = 10
LARGEST_PROOF_BYTES = 2048
LONGEST_AUDIT_SECONDS = 15
LONGEST_OUTSIDE_AUDIT_SECONDS = 5
_GROUP = 32
"""Entries in a commit: of callers whose acts are one transaction (a batch)."""
_CALLERS = 8
_FILL = 1000
_EVERY_SECONDS = 0.05
_POLL_SECONDS = 0.01
_PROOFS = 500
_HUGE = 10**8


def measure(session: Session) -> None:
    """On each database; proofs and audit of the large log on SQLite, whose tree and files are as PostgreSQL's."""
    for database in session.databases():
        office = session.instances.apart(f"log-{database}", database)
        _durable(session, office, database)
        _published(session, office, database)
        _sequenced(session, office, database)
    _proofs_of_a_huge_tree(session)


def _durable(session: Session, office: Office, database: str) -> None:
    amounts = session.amounts
    session.say(f"log: {database}, durable entries")
    alone = Appending(callers=_CALLERS // amounts.processes, group=1, seconds=amounts.in_process_seconds)
    grouped = Appending(callers=_CALLERS // amounts.processes, group=_GROUP, seconds=amounts.in_process_seconds)
    rates = {
        f"{_CALLERS} callers, each entry a commit": entries_a_second(office, alone, amounts.processes),
        f"{_CALLERS} callers, {_GROUP} entries a commit": entries_a_second(office, grouped, amounts.processes),
    }
    # SQLite writes one transaction after the other: its target is for groups; PostgreSQL's for single entries.
    for position, (name, rate) in enumerate(rates.items()):
        target = LEAST_DURABLE[database] if position == (database == SQLITE) else None
        session.add(PART, f"{database}, durable entries, {name}", rate, "/s", at_least=target)


def _published(session: Session, office: Office, database: str) -> None:
    """From the commit of an entry to the first checkpoint that a stranger reads with it, of a running server."""
    session.say(f"log: {database}, from commit to checkpoint")
    office.service.transparency.initialise(MACHINE, InitialiseLog())
    _sequence(office)
    rooms = open_rooms(office.settings, SystemClock(), SystemEntropy())
    try:
        with served(office, 1) as server, httpx.Client(base_url=server.url) as client:
            _until(lambda: _size(client) > 0)
            seen, stop = list[tuple[float, int]](), threading.Event()
            watching = threading.Thread(target=_watch, args=(server.url, seen, stop))
            watching.start()
            committed = []
            for number in range(session.amounts.published_entries):
                committed.append((append_group(rooms, number, 1)[0], time.perf_counter()))
                time.sleep(_EVERY_SECONDS)
            _until(lambda: None not in _places(rooms, committed))
            indices = _places(rooms, committed)
            last = max(index or 0 for index in indices)
            _until(lambda: seen[-1][1] > last)
            stop.set()
            watching.join()
    finally:
        rooms.database.close()
    delays = []
    for (_, at), index in zip(committed, indices, strict=True):
        found = next((when for when, size in seen if index is not None and size > index), None)
        if found is None:
            raise VoidMeasurement("an entry was not published")
        delays.append(max(0.0, found - at))
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        title = f"{database}, from commit to published checkpoint, {name}"
        session.add(PART, title, quantile(delays, share), "s", at_most=PUBLISHED_SECONDS[name])


def _places(rooms: Rooms, committed: list[tuple[str, float]]) -> list[int | None]:
    with rooms.records.read() as transaction:
        return [transaction.tree.index_of(entry_id) for entry_id, _ in committed]


def _watch(url: str, seen: list[tuple[float, int]], stop: threading.Event) -> None:
    with httpx.Client(base_url=url) as client:
        while not stop.is_set():
            size = _size(client)
            if not seen or seen[-1][1] < size:
                seen.append((time.perf_counter(), size))
            time.sleep(_POLL_SECONDS)


def _size(client: httpx.Client) -> int:
    answer = client.get("/v1/log/checkpoint")
    return read_checkpoint(read_note(answer.content).text).size if answer.status_code == 200 else 0


def _until(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not reached():
        if time.monotonic() > until:
            raise VoidMeasurement("the log was not published in time")
        time.sleep(_POLL_SECONDS)


def _sequenced(session: Session, office: Office, database: str) -> None:
    """The queue emptied by one process; on SQLite of so many entries that proofs and audit are of the same log."""
    amounts = session.amounts
    count = amounts.log_entries if database == SQLITE else amounts.log_entries // 10
    session.say(f"log: {database}, {count:,} entries written")
    rooms = open_rooms(office.settings, SystemClock(), SystemEntropy())
    try:
        for first in range(0, count, _FILL):
            append_group(rooms, first, min(_FILL, count - first))
    finally:
        rooms.database.close()
    session.say(f"log: {database}, sequenced")
    gc.freeze()  # as every process that serves does with what is loaded
    began = time.perf_counter()
    placed = _sequence(office)
    rate = placed / (time.perf_counter() - began)
    if placed < count:
        raise VoidMeasurement(f"{placed} of {count} entries were sequenced")
    session.add(PART, f"{database}, sequencer, {count:,} entries", rate, "/s", at_least=LEAST_SEQUENCED[database])
    if database != SQLITE:
        return
    began = time.perf_counter()
    published = office.service.transparency.publish(MACHINE, PublishCheckpoint())
    session.add(PART, f"{database}, {placed:,} entries published in", time.perf_counter() - began, "s")
    _proofs(session, office, published.size)
    _audited(session, office, published.size)


def _sequence(office: Office) -> int:
    placed = 0
    while done := office.service.transparency.sequence(MACHINE, SequenceLog()).placed:
        placed += done
    return placed


def _proofs(session: Session, office: Office, size: int) -> None:
    session.say(f"log: proofs from {size:,} entries")
    rooms = open_rooms(office.settings, SystemClock(), SystemEntropy())
    log = publication_of(office.settings, rooms).published
    chosen = Random(size)
    times, largest = [], 0
    try:
        for _ in range(_PROOFS):
            index = chosen.randrange(size)
            with rooms.records.read() as transaction:
                (leaf,) = transaction.tree.leaves(index, 1)
            began = time.perf_counter()
            proof = log.inclusion(leaf.leaf_hash, index, None)
            times.append((time.perf_counter() - began) * 1000)
            largest = max(largest, len(proof or b""))
    finally:
        rooms.database.close()
    session.add(PART, f"inclusion proof of {size:,}, p99", quantile(times, 0.99), "ms", at_most=LONGEST_PROOF_MS)
    session.add(PART, "the largest of these proofs", largest, "bytes", at_most=LARGEST_PROOF_BYTES)


def _audited(session: Session, office: Office, size: int) -> None:
    """By the service, from its database, and by a program of others' libraries, from the published files."""
    session.say(f"log: audit of {size:,} entries")
    began = time.perf_counter()
    checked = office.service.transparency.checks.audit(MACHINE, AuditLog())
    seconds = time.perf_counter() - began
    if checked.findings:
        raise VoidMeasurement(f"the audit found {checked.findings[0]}")
    session.add(PART, f"audit of {size:,} entries", seconds, "s", at_most=LONGEST_AUDIT_SECONDS)
    try:
        logcheck = prepared().logcheck
    except ToolsMissing as missing:
        session.skip(f"the audit by Go: {missing}")
        return
    key = office.home / "log.vkey"
    key.write_text(office.service.transparency.read_key(MACHINE, ReadLogKey()), encoding="utf-8")
    began = time.perf_counter()
    done = subprocess.run(
        [logcheck, "audit", "-key", key, office.settings.published_log], capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        raise VoidMeasurement(f"the outside verifier said: {done.stdout}{done.stderr}")
    title = f"audit of {size:,} entries by Go's sumdb/note and tlog"
    session.add(PART, title, seconds, "s", at_most=LONGEST_OUTSIDE_AUDIT_SECONDS)


def _proofs_of_a_huge_tree(session: Session) -> None:
    """Of 10^8 equal leaves, whose tiles of a level are all alike: a true tree, with one file a level and width."""
    session.say(f"log: proofs from {_HUGE:,} entries")
    leaf = leaf_hash(b"an entry")
    levels = [leaf]
    for _ in range(4):
        levels.append(root_of([levels[-1]] * WIDTH))
    directory = session.directory / "huge"
    directory.mkdir()

    def read(tile: Tile) -> bytes:
        place = directory / f"{tile.level}-{tile.width}"
        if not place.exists():
            place.write_bytes(levels[tile.level or 0] * tile.width)
        return place.read_bytes()

    root = compact_range(_HUGE, TiledNodes(_HUGE, read)).root()
    chosen, times = Random(_HUGE), []
    for _ in range(_PROOFS):
        index = chosen.randrange(_HUGE)
        began = time.perf_counter()
        path = inclusion_path(index, _HUGE, TiledNodes(_HUGE, read))
        times.append((time.perf_counter() - began) * 1000)
        if not inclusion_holds(leaf, index, _HUGE, path, root):
            raise VoidMeasurement("a proof does not hold")
    session.add(PART, f"inclusion path of {_HUGE:,}, p99", quantile(times, 0.99), "ms", at_most=LONGEST_PROOF_MS)

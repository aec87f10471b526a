"""A whole use in process: how many a second, where the time goes, what the self-check costs."""

from __future__ import annotations

from benchmarks.session import Session
from benchmarks.using import SEAL, USE, UsingProcesses, rate
from seal_service.domain.algorithms import Suite

PART = "use"
LARGEST_CHECK_PERCENT = 15


def measure(session: Session) -> None:
    """P-256, 30 KB, one seal, on each database."""
    for database in session.databases():
        with _processes(session, database) as processes:
            for level in session.amounts.levels:
                _measure_level(session, processes, database, level)


def _processes(session: Session, database: str) -> UsingProcesses:
    office, seal = session.instances.on(database), session.instances.seal(Suite.ECDSA_P256, database)
    return UsingProcesses(office, seal, session.amounts.processes)


def rate_of_all(session: Session, database: str, level: str) -> float:
    """Uses a second of all processes at once, as `measure` found it; measured now where it did not."""
    if (database, level) not in session.rates:
        with _processes(session, database) as processes:
            _measure_level(session, processes, database, level)
    return session.rates[database, level]


def _measure_level(session: Session, processes: UsingProcesses, database: str, level: str) -> None:
    session.say(f"use: {database}, {level}")
    count = session.amounts.processes
    title, seconds = f"{database}, P-256 {level}", session.amounts.in_process_seconds
    one = processes.work(USE, level, seconds, 1)
    session.add(PART, f"{title}: one process", rate(one), "documents/s")
    session.add(PART, f"{title}: one process, processor", one[0].cpu / one[0].count * 1000, "ms")
    for step, milliseconds in one[0].metrics.milliseconds().items():
        session.add(PART, f"{title}: {step}", milliseconds, "ms")
    share = one[0].metrics.steps["check"] / one[0].metrics.in_steps * 100
    session.add(PART, f"{title}: the self-check's share", share, "%", at_most=LARGEST_CHECK_PERCENT)
    both = rate(processes.work(USE, level, seconds, count))
    session.rates[database, level] = both
    session.add(PART, f"{title}: {count} processes", both, "documents/s")
    sealing = rate(processes.work(SEAL, level, seconds, count))
    session.sealing_rates[database, level] = sealing
    session.add(PART, f"{title}: {count} processes, sealing alone", sealing, "documents/s")

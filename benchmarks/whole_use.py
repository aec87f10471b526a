"""A whole use in process: how many a second, where the time goes, what the self-check costs."""

from __future__ import annotations

from benchmarks.databases import lent, measured_on
from benchmarks.office import GrantedSeal, Office
from benchmarks.session import Session
from benchmarks.using import SEAL, USE, UsingProcesses, rate
from seal_service.domain.algorithms import Suite

PART = "use"
PROCESSES = 2
LARGEST_CHECK_PERCENT = 15


def measure(session: Session) -> None:
    """P-256, 30 KB, one seal, on each database."""
    for database in measured_on(session):
        with lent(database, session) as changes:
            office = Office(session.directory / f"use-{database}", changes)
            try:
                seal = office.granted_seal(Suite.ECDSA_P256)
                with UsingProcesses(office, seal, PROCESSES) as processes:
                    for level in session.amounts.levels:
                        _measure_level(session, processes, database, level)
            finally:
                office.close()


def rate_of_two(session: Session, office: Office, seal: GrantedSeal, database: str, level: str) -> float:
    """Uses a second of two processes at once, as `measure` found it; measured now where it did not."""
    if (database, level) not in session.rates:
        with UsingProcesses(office, seal, PROCESSES) as processes:
            _measure_level(session, processes, database, level)
    return session.rates[database, level]


def _measure_level(session: Session, processes: UsingProcesses, database: str, level: str) -> None:
    session.say(f"use: {database}, {level}")
    title, seconds = f"{database}, P-256 {level}", session.amounts.in_process_seconds
    one = processes.work(USE, level, seconds, 1)
    session.add(PART, f"{title}: one process", rate(one), "documents/s")
    session.add(PART, f"{title}: one process, processor", one[0].cpu / one[0].count * 1000, "ms")
    for step, milliseconds in one[0].metrics.milliseconds().items():
        session.add(PART, f"{title}: {step}", milliseconds, "ms")
    share = one[0].metrics.steps["check"] / one[0].metrics.in_steps * 100
    session.add(PART, f"{title}: the self-check's share", share, "%", at_most=LARGEST_CHECK_PERCENT)
    both = rate(processes.work(USE, level, seconds, PROCESSES))
    session.rates[database, level] = both
    session.add(PART, f"{title}: two processes", both, "documents/s")
    sealing = rate(processes.work(SEAL, level, seconds, PROCESSES))
    session.sealing_rates[database, level] = sealing
    session.add(PART, f"{title}: two processes, sealing alone", sealing, "documents/s")

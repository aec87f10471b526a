"""`seal serve` with two processes under sixteen callers: documents a second, latencies, where the time goes."""

from __future__ import annotations

import os
from statistics import median

from benchmarks.calling import CALLERS, Caller, calling
from benchmarks.documents import one_page
from benchmarks.figures import quantile
from benchmarks.processes import all_cpu_seconds, tree_cpu_seconds
from benchmarks.session import Session
from benchmarks.whole_use import rate_of_all

PART = "http"
LEAST_PERCENT = 45
"""Of the rate of as many processes without HTTP."""


def measure(session: Session) -> None:
    """P-256, 30 KB as a raw body, on each database."""
    for database in session.databases():
        for level in session.amounts.levels:
            in_process = rate_of_all(session, database, level)
            with calling(session, database) as caller:
                _measure_level(session, caller, database, level, in_process)


def _measure_level(session: Session, caller: Caller, database: str, level: str, in_process: float) -> None:
    session.say(f"http: {database}, {level}, {CALLERS} callers")
    title, content = f"{database}, P-256 {level}", one_page().content
    caller.call(content, level, seconds=session.amounts.http_warm_up_seconds)
    before, all_before, cpu_before = caller.server.scrape(), all_cpu_seconds(), tree_cpu_seconds(caller.server.pid)
    called = caller.call(content, level, seconds=session.amounts.http_seconds)
    cpu, everything = tree_cpu_seconds(caller.server.pid) - cpu_before, all_cpu_seconds() - all_before
    told = caller.server.scrape().since(before)
    caller.judge(called)
    count, capacity = len(called.latencies), called.seconds * len(os.sched_getaffinity(0))

    session.add(PART, f"{title}: rate", called.rate, "documents/s")
    session.add(PART, f"{title}: p50", median(called.latencies) * 1000, "ms")
    session.add(PART, f"{title}: p99", quantile(called.latencies, 0.99) * 1000, "ms")
    session.add(
        PART, f"{title}: of as many processes without HTTP", called.rate / in_process * 100, "%", at_least=LEAST_PERCENT
    )
    alone = session.sealing_rates[database, level]
    session.add(PART, f"{title}: of as many processes that seal alone", called.rate / alone * 100, "%")
    session.add(PART, f"{title}: processor of the server", cpu / count * 1000, "ms/document")
    session.add(PART, f"{title}: the server's share of all cores", cpu / capacity * 100, "%")
    session.add(PART, f"{title}: the client's share of all cores", called.cpu / capacity * 100, "%")
    others = max(0.0, everything - cpu - called.cpu)
    session.add(
        PART, f"{title}: the share of all others (PostgreSQL, and what is not measured)", others / capacity * 100, "%"
    )
    for step, milliseconds in told.milliseconds().items():
        session.add(PART, f"{title}: {step}", milliseconds, "ms")
    beside = (told.requests - told.in_steps) / told.uses * 1000
    session.add(PART, f"{title}: the request beside these (body, token, waiting for a thread)", beside, "ms")

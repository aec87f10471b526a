"""Memory of a server: what one large document takes, and whether many small ones leave anything."""

from __future__ import annotations

import time
from statistics import median

from benchmarks.calling import calling
from benchmarks.documents import large, one_page
from benchmarks.processes import MemorySampler, tree_memory
from benchmarks.session import Session

PART = "memory"
LEVEL = "B-B"
LARGEST_MULTIPLE = 3
LARGEST_DRIFT_MB = 8
"""Of both processes together; what is left of one document in a thousand would be more."""
_MEGABYTE = 1_000_000
_QUIET_SECONDS = 2
_TENTHS = 10


def measure(session: Session) -> None:
    """On SQLite, P-256 B-B; all processes of the server together."""
    amounts = session.amounts
    with calling(session) as caller:
        small = one_page().content
        tenth = amounts.small_documents // _TENTHS
        session.say("memory: warming up")
        caller.call(small, LEVEL, answers=tenth // 2 or 1)

        session.say(f"memory: {amounts.small_documents} small documents")
        levels = []
        for _ in range(_TENTHS):
            with MemorySampler(caller.server.pid, 0.25) as sampled:
                called = caller.call(small, LEVEL, answers=tenth)
            levels.append(median(sampled.samples) / _MEGABYTE)
        caller.judge(called)
        session.add(PART, f"during the first {tenth} of {tenth * _TENTHS} small documents", levels[0], "MB")
        session.add(PART, f"during the sixth {tenth}", levels[5], "MB")
        session.add(PART, f"during the last {tenth}", levels[-1], "MB")
        session.add(PART, "drift from the first to the last", levels[-1] - levels[0], "MB", at_most=LARGEST_DRIFT_MB)

        sample = large(amounts.large_bytes)
        peaks = []
        for number in range(amounts.large_documents):
            session.say(f"memory: {sample.name}, document {number + 1}")
            time.sleep(_QUIET_SECONDS if amounts.large_documents > 1 else 0)
            idle = tree_memory(caller.server.pid)
            with MemorySampler(caller.server.pid, 0.005) as sampled:
                called = caller.call(sample.content, LEVEL, answers=1, callers=1)
            peaks.append(max(sampled.samples) - idle)
        caller.judge(called)
        session.add(PART, f"above idle for one document of {sample.name}", max(peaks) / _MEGABYTE, "MB")
        multiple = max(peaks) / len(sample.content)
        session.add(
            PART,
            f"above idle for one document of {sample.name}, in its sizes",
            multiple,
            "×",
            at_most=LARGEST_MULTIPLE,
        )

"""Paired rounds: variants of one work in turn, under the same conditions, so that their ratio holds."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Generic, TypeVar

from benchmarks.processes import CpuMeter

Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Variant(Generic[Outcome]):
    """One way to do the work."""

    name: str
    prepare: Callable[[], Callable[[], Outcome]]
    """What is ready before the clock starts; what it returns is timed."""
    judge: Callable[[Outcome], None]
    """Raises when the outcome is not what it should be; outside the timing."""


@dataclass
class Timings(Generic[Outcome]):
    """What the rounds of a variant took, in seconds; a value a round, in the order of the rounds."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Of this process and of all below it."""
    last: Outcome | None = None

    @property
    def wall_ms(self) -> float:
        """Median wall time in milliseconds."""
        return median(self.wall) * 1000

    @property
    def cpu_ms(self) -> float:
        """Median processor time in milliseconds."""
        return median(self.cpu) * 1000


def paired_rounds(variants: Sequence[Variant[Outcome]], rounds: int, warm_up: int = 1) -> dict[str, Timings[Outcome]]:
    """Every variant once a round, every other round in the opposite order; the first `warm_up` rounds do not count.

    Garbage is collected before each, so that none pays for what another left; within its own time it pays for its own.
    """
    timings: dict[str, Timings[Outcome]] = {one.name: Timings() for one in variants}
    for number in range(-warm_up, rounds):
        for variant in variants if number % 2 == 0 else reversed(variants):
            work = variant.prepare()
            gc.collect()
            meter = CpuMeter()
            began = time.perf_counter()
            outcome = work()
            wall = time.perf_counter() - began
            cpu = meter.seconds()
            variant.judge(outcome)
            if number >= 0:
                measured = timings[variant.name]
                measured.wall.append(wall)
                measured.cpu.append(cpu)
                measured.last = outcome
    return timings

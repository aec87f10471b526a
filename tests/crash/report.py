"""What was done and what was found: rounds, kill points, violations."""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Report:
    """The figures of a run; violations are told at once."""

    engine: str
    began: float = field(default_factory=time.monotonic)
    points: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Part and fault → kill points that were met."""
    missed: int = 0
    """Points that a run was to meet, and whose call was not made again, on a fresh instance neither."""
    rounds: Counter[str] = field(default_factory=Counter)
    """Victim, or kind of round → how many."""
    released: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)

    def violations(self, where: str, found: list[str]) -> None:
        """Note what does not hold."""
        for one in found:
            self.found.append(f"{where}: {one}")
            print(f"crash: VIOLATION ({self.engine}) {self.found[-1]}", file=sys.stderr, flush=True)

    def lines(self) -> list[str]:
        """As it is printed."""
        told = [f"{self.engine}: {time.monotonic() - self.began:.0f} s"]
        told += [f"  kill points, {part}, {fault}: {count}" for (part, fault), count in sorted(self.points.items())]
        if self.missed:
            told.append(f"  calls that were not made again: {self.missed}")
        told += [f"  rounds, {name}: {count}" for name, count in sorted(self.rounds.items())]
        told.append(f"  documents released: {self.released}")
        told += [f"  answers, {name}: {count}" for name, count in self.answers.most_common()]
        told.append(
            f"  rounds: {self.rounds.total()}, kill points: {self.points.total()}, violations: {len(self.found)}"
        )
        return told

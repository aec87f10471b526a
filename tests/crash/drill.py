"""故障演练: the parts of a run on one engine, with as much of each as is asked for."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.crash.invariants import settled
from tests.crash.report import Report
from tests.crash.restored import RestoredBackup
from tests.crash.rounds import BESIDE, Rounds
from tests.crash.scene import Scene, Template, scene, template
from tests.crash.standby import ReplicatedRounds, replicated
from tests.crash.syscalls import PARTS, Injection, Part, Point
from tests.crash.victims import Zygote
from tests.postgresql import Cluster
from tests.provincial_registry import ProvincialRegistry

SQLITE, POSTGRESQL = "sqlite", "postgresql"
ROUNDS_A_COPY = 100
"""After which a fresh copy of the instance takes over: what is looked at after each round grows with the log."""
Told = Callable[[str], None]


@dataclass
class Drill:
    """One engine's run. Everything lies in `directory`, but for a PostgreSQL cluster, which may lie in memory."""

    engine: str
    directory: Path
    zygote: Zygote
    registry: ProvincialRegistry
    chance: random.Random
    told: Told
    report: Report = field(init=False)

    def __post_init__(self) -> None:
        self.report = Report(self.engine)
        self._number = count(1)

    def injected(self, cluster: Cluster | None, every: int, parts: Sequence[Part] = PARTS) -> None:
        """Every kill point, or one of `every`."""
        made = self._template(cluster)
        for part in parts:
            with self._scene(made, cluster, ()) as opened:
                injection = Injection(opened, self.report)
                points = list(injection.points(part))
                chosen = points[self.chance.randrange(min(every, len(points) or 1)) :: every]
                self.told(f"{part.name}: {len(points)} kill points, {len(chosen)} chosen")
                left = []
                for number, point in enumerate(chosen, 1):
                    if not injection.strike(point):
                        left.append(point)
                    if number % ROUNDS_A_COPY == 0:
                        self.told(f"{part.name}: {number} of {len(chosen)}")
                self._looked_at_whole(opened, part.name)
            self._strike_anew(made, cluster, left)

    def _strike_anew(self, made: Template, cluster: Cluster | None, points: Sequence[Point]) -> None:
        """Calls of a part's first work alone, as a first publication makes directories: on an instance each."""
        for point in points:
            with self._scene(made, cluster, ()) as opened:
                if not Injection(opened, self.report).strike(point):
                    self.report.missed += 1
        if points:
            self.told(f"{points[0].part.name}: {len(points)} of them on an instance of their own")

    def killed(self, cluster: Cluster | None, rounds: int) -> None:
        """Rounds of chance."""
        made = self._template(cluster)
        for start in range(0, rounds, ROUNDS_A_COPY):
            with self._scene(made, cluster, BESIDE) as opened:
                some = Rounds(opened, self.report, self.chance)
                for _ in range(start, min(start + ROUNDS_A_COPY, rounds)):
                    some.run()
                self._looked_at_whole(opened, "rounds")
            self.told(f"{min(start + ROUNDS_A_COPY, rounds)} of {rounds} rounds")

    def restored(self, cluster: Cluster | None) -> None:
        """An old backup put back."""
        made = self._template(cluster)
        with self._scene(made, cluster, BESIDE) as opened:
            RestoredBackup(opened, self.report).run()
        self.told("an old backup was restored")

    def replicated(self, rounds: int) -> None:
        """Rounds with two database servers."""
        with replicated() as cluster:
            made = self._template(cluster)
            with self._scene(made, cluster, BESIDE) as opened:
                some = ReplicatedRounds(opened, self.report, self.chance)
                try:
                    for number in range(rounds):
                        some.run(sorted(some.kinds)[number % len(some.kinds)])
                finally:
                    some.close()
        self.told(f"{rounds} rounds with a standby")

    def _looked_at_whole(self, opened: Scene, where: str) -> None:
        """At the end of an instance, at everything that there is."""
        self.report.violations(f"{where}, at the end", settled(opened, whole=True))

    def _template(self, cluster: Cluster | None) -> Template:
        place = self.directory / f"{self.engine}-{next(self._number)}"
        place.mkdir()
        return template(place, cluster)

    @contextmanager
    def _scene(self, made: Template, cluster: Cluster | None, tasks: Sequence[str]) -> Iterator[Scene]:
        home = made.home.parent / f"copy-{next(self._number)}"
        with scene(made, home, cluster, self.registry, self.zygote, tasks) as opened:
            try:
                yield opened
            finally:
                self.report.released += len(opened.ledger.released)
                self.report.answers += opened.ledger.answers

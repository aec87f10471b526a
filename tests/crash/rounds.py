"""Rounds of chance: callers at work, and somewhere between two instructions something is killed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from threading import Event

import psycopg

from tests.crash.caller import Caller, Outcome
from tests.crash.invariants import settled
from tests.crash.report import Report
from tests.crash.scene import Scene
from tests.crash.syscalls import SERVE
from tests.crash.victims import Died

CALLERS = 3
USES_EACH = 2
LONGEST_PAUSE = 0.15
"""Seconds, until something is killed; the uses of a round take about as long."""
PAUSE_AFTER = 0.05
"""Seconds between two runs of a task when the round's blow has fallen: it would only delay who is starting."""
TASKS = ("file", "publish log")
"""What also works in processes of its own, beside what the server does."""
BESIDE = ("reconcile", *TASKS)
"""What the server does beside serving: what has nothing to do with this would only make starting slow."""
_DATABASE_PROCESSES = """SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()
    AND backend_type IN ('client backend', 'walwriter', 'checkpointer') ORDER BY pid"""


@dataclass
class Rounds:
    """Callers, a server with its whole maintenance, more processes with one task each, and who kills them."""

    scene: Scene
    report: Report
    chance: random.Random

    @property
    def victims(self) -> Mapping[str, Callable[[], None]]:
        """Who may be killed in a round, and how."""
        named: dict[str, Callable[[], None]] = {one: partial(self._kill, one) for one in (SERVE, *TASKS)}
        named["all of the service"] = partial(self._kill, SERVE, *TASKS)
        if self.scene.cluster is not None:
            named["postmaster"] = self.scene.cluster.crash
            named["a database process"] = self._kill_database_process
            named["postmaster and all of the service"] = self._kill_everything
        return named

    def run(self) -> None:
        """One round: at work, killed, started again, at its end, looked at."""
        self._revive()
        victims = self.victims
        # The server is what matters most: half of the rounds are its.
        name = SERVE if self.chance.random() < 0.5 else self.chance.choice(sorted(victims))
        moment = time.monotonic() + self.chance.uniform(0, LONGEST_PAUSE)
        with ThreadPoolExecutor(CALLERS + len(TASKS)) as threads:
            keys = [[self.scene.key() for _ in range(USES_EACH)] for _ in range(CALLERS)]
            callers = [self.scene.caller(number) for number in range(CALLERS)]
            using = [threads.submit(uses, caller, own) for caller, own in zip(callers, keys, strict=True)]
            struck = Event()
            working = [threads.submit(work, self.scene, task, using, struck) for task in TASKS]
            time.sleep(max(0.0, moment - time.monotonic()))
            victims[name]()
            struck.set()
            while wait(using, 0.01).not_done:
                self._revive()
            for one in (*using, *working):
                one.result()
        self._revive()
        if self.scene.cluster is not None:
            self.scene.cluster.recovered()
        self.report.rounds[name] += 1
        violations = settled(self.scene)
        if self.scene.caller().use(self.scene.key()) is not Outcome.RELEASED:
            violations.append("nothing is sealed any more")
        self.report.violations(f"round {self.report.rounds.total()}, {name}", violations)

    def _revive(self) -> None:
        if self.scene.cluster is not None:
            self.scene.cluster.revive()
        for role in (SERVE, *TASKS):
            self.scene.living(role)

    def _kill(self, *roles: str) -> None:
        for role in roles:
            self.scene.processes[role].kill()

    def _kill_everything(self) -> None:
        assert self.scene.cluster is not None
        self.scene.cluster.crash()
        self._kill(SERVE, *TASKS)

    def _kill_database_process(self) -> None:
        """The server cuts every session then and recovers, as after a loss of power."""
        assert self.scene.cluster is not None
        try:
            with self.scene.cluster.superuser() as connection:
                rows = connection.execute(_DATABASE_PROCESSES).fetchall()
        except psycopg.OperationalError:
            return
        self.scene.cluster.kill(self.chance.choice(rows)[0])


def uses(caller: Caller, keys: Sequence[str]) -> None:
    """One after another."""
    for key in keys:
        caller.use(key)


def work(scene: Scene, task: str, using: Sequence[Future[None]], struck: Event) -> None:
    """A task, over and over, as long as the callers call; with pauses when nobody is about to be killed any more."""
    while not all(one.done() for one in using):
        try:
            scene.processes[task].run()
        except Died:
            time.sleep(0.01)  # another thread starts it again
        if struck.is_set():
            time.sleep(PAUSE_AFTER)

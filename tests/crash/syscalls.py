"""Kill points: every write, fsync and rename of each part of the service, one after another, meets every fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from seal_service.usecases.sequence_log import SequenceLog
from tests.crash.caller import Outcome
from tests.crash.invariants import settled
from tests.crash.report import Report
from tests.crash.scene import MACHINE, Scene
from tests.crash.tracing import CALLS, Fault, counted, faults_at, injected
from tests.crash.victims import Died

SERVE = "serve"
_WORKER = "AnyIO worker th"
_MAIN = "main"


@dataclass(frozen=True)
class Part:
    """A part of the service: the thread of a process that does its work."""

    name: str
    role: str
    thread: str
    follows: bool = False
    """Whether the threads that it starts are followed too."""


API = Part("API, worker", SERVE, _WORKER)
API_ANSWER = Part("API, answering", SERVE, _MAIN)
RELAY = Part("relay", "file", _MAIN)
RELAY_SENDING = Part("relay, a seal's turn", "file", _MAIN, follows=True)
SEQUENCER = Part("sequencer", "sequence", _MAIN)
PUBLISHER = Part("publisher", "publish", _MAIN)
PARTS = (API, API_ANSWER, SEQUENCER, PUBLISHER, RELAY, RELAY_SENDING)


@dataclass(frozen=True)
class Point:
    """One call at which something happens."""

    part: Part
    call: str
    number: int
    fault: Fault

    def __str__(self) -> str:
        return f"{self.part.name}: {self.call} {self.number} {self.fault}"


@dataclass
class Injection:
    """The scenario of a part, with and without faults. `seal serve` runs beside it, without its maintenance."""

    scene: Scene
    report: Report

    def points(self, part: Part) -> Iterator[Point]:
        """Every call that the part makes in its scenario, counted once."""
        self._prepared(part)
        with counted(self._thread(part), *_options(part)) as trace:
            self._act(part)
        for call in CALLS:
            for number in range(1, trace.calls[call] + 1):
                for fault in faults_at(call):
                    yield Point(part, call, number, fault)

    def strike(self, point: Point) -> bool:
        """Meet the fault, start again what died, let the callers ask again, and look at what holds.

        False: the call was not made this time.
        """
        part = point.part
        self._prepared(part)
        with injected(self._thread(part), point.call, point.fault, point.number, *_options(part)) as trace:
            self._act(part, lambda: self.scene.living(part.role))
        if trace.struck:
            self.report.points[part.name, str(point.fault)] += 1
        violations = settled(self.scene)
        if part.role != SERVE and (told := self._task(part)) != "well":
            violations.append(f"{part.role} does not recover: {told}")
        self.scene.living(SERVE)
        if self.scene.caller().use(self.scene.key()) is not Outcome.RELEASED:
            violations.append("nothing is sealed any more")
        self.report.violations(str(point), violations)
        return trace.struck

    def _prepared(self, part: Part) -> None:
        """Everything runs and has done its first work; a task has something to do."""
        self.scene.living(SERVE)
        self.scene.caller().use(self.scene.key())
        self.scene.living(part.role)
        if part is PUBLISHER:
            with self.scene.service() as service:
                service.transparency.sequence(MACHINE, SequenceLog())

    def _thread(self, part: Part) -> int:
        return self.scene.processes[part.role].threads()[part.thread]

    def _act(self, part: Part, revived: Callable[[], object] = lambda: None) -> None:
        """The scenario, once; what dies in it is started again meanwhile."""
        if part.role == SERVE:
            self.scene.use_with(self.scene.key(), revived)
        else:
            try:
                self.scene.processes[part.role].run()
            except Died:
                revived()

    def _task(self, part: Part) -> str:
        try:
            return self.scene.living(part.role).run()
        except Died:
            return "it died"


def _options(part: Part) -> tuple[str, ...]:
    return ("-f",) if part.follows else ()

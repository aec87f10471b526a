"""见证: witnesses are asked to cosign a checkpoint, and what they say is kept."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Thread

from seal_service.domain.errors import LogDamaged, LogHalted, SealServiceError, Unavailable
from seal_service.domain.publication import ANSWER, CONFLICT
from seal_service.ports.records import Observation, Records
from seal_service.ports.system import Clock
from seal_service.ports.transparency import Cosigned, TreeFiles, Witness, WitnessKnowsMore

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Asked:
    """A witness that is being asked, in a thread of its own, which only talks to it."""

    witness: Witness
    size: int
    began: float
    answer: Future[Cosigned]
    seconds: float = 0.0
    """How long it took to answer."""


@dataclass
class AskWitnesses:
    """见证, by one publisher at a time. All are asked at once, each by a thread of its own, so that one that is away
    keeps nobody waiting; one that did not answer is asked again after a while.
    """

    records: Records
    files: TreeFiles
    witnesses: Sequence[Witness]
    needed: int
    """How many have to cosign before a checkpoint is published."""
    clock: Clock
    rest: timedelta = timedelta(seconds=10)
    """For which one that did not answer is left alone."""
    patience: float = 1.0
    """Seconds for which those that are not needed are waited for, once the checkpoint is out."""
    _known: dict[str, int] = field(default_factory=dict)
    """The size up to which each has cosigned, as far as this process knows."""
    _failed_at: dict[str, datetime] = field(default_factory=dict)
    """When those failed that did."""
    _slow: set[str] = field(default_factory=set)
    """Those that took longer than the patience when they were asked last."""
    _under_way: dict[str, _Asked] = field(default_factory=dict)
    """Those that are being asked."""
    _short: bool = False
    """Whether too few cosigned when they were asked last."""

    def lines(self, size: int) -> list[str]:
        """The signature lines of the named witnesses that are kept under the checkpoint of a size."""
        if not self.witnesses:
            return []
        with self.records.read() as transaction:
            kept = transaction.tree.cosignatures(size)
        return [next(line for line in kept if _is_of(line, one)) for one in self._having(kept)]

    def __call__(self, content: bytes, size: int) -> list[str]:
        """Ask those that have not cosigned yet; the lines that there are as soon as they are enough, or nobody else may
        add one.

        Raises LogHalted when one knows a tree that this one does not follow: every process then knows it.
        """
        asked: set[str] = set()
        while True:
            for witness in self._missing(size):
                if witness.name not in asked:
                    asked.add(witness.name)
                    self._begin(witness, content, size)
            overtaken = self._take()
            lines = self.lines(size)
            if len(lines) >= self.needed or not self._under_way:
                break
            wait([one.answer for one in self._under_way.values()], return_when=FIRST_COMPLETED)
        self._short = len(lines) < self.needed and not overtaken
        return lines

    def others(self, size: int) -> list[str]:
        """The lines when those have answered too that are not needed: as long as the patience lasts, and never one that
        was slow or did not answer when it was asked last.
        """
        quick = [one for name, one in self._under_way.items() if name not in self._slow and name not in self._failed_at]
        wait([one.answer for one in quick], self.patience)
        self._slow.update(one.witness.name for one in quick if not one.answer.done())
        self._take()
        return self.lines(size)

    @property
    def are_under_way(self) -> bool:
        """Whether one is being asked, for whom a path may be wanted from the tiles."""
        return bool(self._under_way)

    def may_be_asked(self, size: int) -> bool:
        """Whether one has answered, or there is one that has not cosigned the checkpoint of a size, is not being asked
        and did not just fail to."""
        return self._has_answers() or bool(self._missing(size))

    def are_waited_for(self) -> bool:
        """Whether too few have cosigned and none of the others is to be asked again yet."""
        rested = any(self._is_rested(one) for one in self.witnesses if one.name in self._failed_at)
        return self._short and not rested and not self._has_answers()

    def again(self, witness: Witness, content: bytes, size: int) -> Cosigned:
        """What one says now; Unavailable, or LogHalted, which every process then knows."""
        try:
            return self._unless_overtaken(witness, lambda: self._ask(witness, content, size))
        except _Overtaken as error:
            raise Unavailable(error.message) from error
        except LogHalted as error:
            self._note(f"{CONFLICT}{witness.name}", error.message, well=False)
            raise

    def _ask(self, witness: Witness, content: bytes, size: int) -> Cosigned:
        def prove(old: int) -> Sequence[bytes]:
            return self.files.consistency(old, size)

        return witness.add_checkpoint(content, size, prove, self._known.get(witness.name))

    def _begin(self, witness: Witness, content: bytes, size: int) -> None:
        asked = _Asked(witness, size, time.monotonic(), Future())

        def run() -> None:
            try:
                given = self._ask(witness, content, size)
            except BaseException as error:  # whoever takes the answer raises it
                asked.answer.set_exception(error)
            else:
                asked.seconds = time.monotonic() - asked.began
                asked.answer.set_result(given)

        self._under_way[witness.name] = asked
        Thread(target=run, name=f"witness {witness.name}", daemon=True).start()

    def _has_answers(self) -> bool:
        return any(one.answer.done() for one in self._under_way.values())

    def _take(self) -> bool:
        """Keep what came; whether one was shown a later checkpoint by another process. What one said that stops the log
        is raised when all are kept."""
        stopped: list[LogHalted | LogDamaged] = []
        overtaken = False
        for asked in [one for one in self._under_way.values() if one.answer.done()]:
            name = asked.witness.name
            del self._under_way[name]
            try:
                given = self._unless_overtaken(asked.witness, asked.answer.result)
            except LogHalted as error:
                self._failed_at[name] = self.clock.now()
                self._note(f"{CONFLICT}{name}", error.message, well=False)
                stopped.append(error)
            except LogDamaged as error:  # what was to be sent is wrong: no word about the witness
                stopped.append(error)
            except _Overtaken as error:
                _log.info(error.message)
                overtaken = True
            except SealServiceError as error:
                if name not in self._failed_at:
                    _log.warning("the witness %s does not cosign: %s", name, error.message)
                self._failed_at[name] = self.clock.now()
                self._note(f"{ANSWER}{name}", error.message, well=False)
            else:
                self._keep(asked, given)
        if stopped:
            raise stopped[0]
        return overtaken

    def _unless_overtaken(self, witness: Witness, ask: Callable[[], Cosigned]) -> Cosigned:
        """A larger tree that a witness knows may be one that another process has signed meanwhile: the next time, that
        one's checkpoint is shown, and the witness says whether it follows."""
        try:
            return ask()
        except WitnessKnowsMore as error:
            with self.records.read() as transaction:
                newest = transaction.tree.latest_checkpoint()
            if newest is None or newest.size < error.size:
                raise
            raise _Overtaken(
                f"The witness {witness.name} was shown {error.size} entries by another process meanwhile: try again"
            ) from error

    def _keep(self, asked: _Asked, given: Cosigned) -> None:
        name = asked.witness.name
        with self.records.write() as transaction:
            for line in given.lines:
                transaction.tree.insert_cosignature(asked.size, line, given.at)
            transaction.commit()
        first = name not in self._known or name in self._failed_at
        self._known[name] = asked.size
        self._failed_at.pop(name, None)
        if asked.seconds <= self.patience:
            self._slow.discard(name)
        if first:
            self._note(f"{ANSWER}{name}", f"{name} cosigns", well=True)

    def _missing(self, size: int) -> list[Witness]:
        if not self.witnesses:
            return []
        with self.records.read() as transaction:
            having = self._having(transaction.tree.cosignatures(size))
        idle = (one for one in self.witnesses if one not in having and one.name not in self._under_way)
        return [one for one in idle if self._is_rested(one)]

    def _having(self, kept: Sequence[str]) -> list[Witness]:
        return [one for one in self.witnesses if any(_is_of(line, one) for line in kept)]

    def _is_rested(self, witness: Witness) -> bool:
        failed_at = self._failed_at.get(witness.name)
        return failed_at is None or not timedelta(0) <= self.clock.now() - failed_at < self.rest

    def _note(self, name: str, detail: str, *, well: bool) -> None:
        with self.records.write() as transaction:
            transaction.observations.put(Observation(name=name, at=self.clock.now(), well=well, detail=detail[:500]))
            transaction.commit()


class _Overtaken(Unavailable):
    """What a witness was asked to cosign is no longer the newest."""


def _is_of(line: str, witness: Witness) -> bool:
    return line.split(" ")[1:2] == [witness.name]

"""备案上报: what the log says is handed to the province, of each seal in its order, until all is there (8, 22)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import FilingRefused, IntegrityFailed, SealServiceError, SignatureRefused, Unavailable
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.filing import Filing, FilingState, wait_after
from seal_service.ports.filing import FiledSource, ProvincialRegistry, Receipt
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock, Entropy

SEALS_AT_ONCE = 16
"""A filing waits for two answers, one after the other: by four seals at once, with 100 ms an answer, fewer than twenty
filings a second went out, and a city may apply more."""
SEALS_A_ROUND = 100
FILINGS_A_TURN = 20
"""Of one seal, before what was acknowledged is written down."""
LONGEST_RUN = timedelta(seconds=15)
"""A run ends, so that the process can; the next one goes on."""
LONGEST_RECEIPT = 200

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayFilings:
    """备案上报 now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayed:
    """What came of a run."""

    acknowledged: int = 0
    refused: int = 0
    unreached: int = 0
    """Seals for whose next filing the province did not answer."""
    failed: tuple[str, ...] = ()
    """The filings that did not get through."""

    def __add__(self, other: Relayed) -> Relayed:
        """Both together."""
        return Relayed(
            acknowledged=self.acknowledged + other.acknowledged,
            refused=self.refused + other.refused,
            unreached=self.unreached + other.unreached,
            failed=self.failed + other.failed,
        )

    @property
    def moved(self) -> bool:
        """Whether anything happened at all."""
        return bool(self.acknowledged or self.refused or self.unreached)


@dataclass(frozen=True, slots=True)
class _Turn:
    """What a seal's turn gave: what the province has, and what stopped it."""

    done: Sequence[tuple[Filing, Receipt]]
    stopped_at: Filing | None = None
    failure: Exception | None = None


@dataclass(frozen=True)
class RelayFilingsUseCase:
    """备案上报, as often as one likes and by any number of processes: at least once, within a seal in order.

    Nothing is sent inside a transaction. A seal's next filing is claimed for a while first, which keeps other relays
    from the seal; a relay that dies leaves a claim that ends, and what it had sent is sent again: the province knows
    the serial. What fails is tried again, more and more slowly, and never given up.
    """

    permission: ClassVar[Permission] = Permission.RECONCILE
    records: Records
    log: SigningLog
    registry: ProvincialRegistry | None
    """None: no registry is configured, and the table grows."""
    clock: Clock
    entropy: Entropy
    claim: timedelta
    """For how long a seal is claimed; several times what one filing can take."""

    def __call__(self, caller: Caller, _command: RelayFilings) -> Relayed:
        """What was done; it goes on until nothing is due, the province does not answer, or the run has taken long."""
        registry = self.registry
        if registry is None:
            return Relayed()
        total, end, away = Relayed(), self.clock.now() + LONGEST_RUN, False
        with ThreadPoolExecutor(SEALS_AT_ONCE, "filing") as threads:
            while not away and self.clock.now() < end:
                with self.records.read() as transaction:
                    due = transaction.filings.due(self.clock.now(), SEALS_A_ROUND)
                round_ = Relayed()
                for start in range(0, len(due), SEALS_AT_ONCE):
                    together = due[start : start + SEALS_AT_ONCE]
                    done = sum(threads.map(lambda one: self._turn_of_seal(caller, registry, one), together), Relayed())
                    round_ += done
                    # Of one seal that never gets an answer the others must not have to wait.
                    away = bool(done.unreached) and not done.acknowledged
                    if away or self.clock.now() >= end:
                        break
                total += round_
                if not round_.moved:
                    break
        if total.acknowledged:
            self._hurry_the_others(total.failed)
        return total

    def _turn_of_seal(self, caller: Caller, registry: ProvincialRegistry, head: Filing) -> Relayed:
        now = self.clock.now()
        until = now + self.claim
        with self.records.write() as transaction:
            if not transaction.filings.claim(head.id, now, until):
                return Relayed()
            following = transaction.filings.following(head, FILINGS_A_TURN)
            transaction.commit()
        done: list[tuple[Filing, Receipt]] = []
        for filing in following:
            # The claim must outlast what is sent under it, or another relay would begin before this one ends.
            if done and self.clock.now() > until - self.claim / 2:
                break
            try:
                done.append((filing, registry.file(self._source(filing))))
            except Exception as error:
                return self._note(caller, _Turn(done, filing, error))
        return self._note(caller, _Turn(done))

    def _source(self, filing: Filing) -> FiledSource:
        with self.records.read() as transaction:
            entry, seal = transaction.log.find(filing.entry_id), transaction.seals.find(filing.seal_code)
            if entry is None or seal is None:
                raise IntegrityFailed(f"Entry or seal of filing {filing.id} is gone")
            unit = transaction.units.get(seal.unit_id)
        private = self.log.private_fields(entry)
        return FiledSource(filing=filing, entry=entry, private=private, seal=seal, unit=unit)

    def _note(self, caller: Caller, turn: _Turn) -> Relayed:
        refused = turn.failure is not None and not _is_passing(turn.failure)
        now = self.clock.now()
        with self.records.write() as transaction:
            fresh = []
            if turn.done:
                seal = transaction.seals.lock(turn.done[0][0].seal_code)  # as every act on a seal, before its counter
                for filing, receipt in turn.done:
                    if transaction.filings.acknowledge(filing.id, receipt.text[:LONGEST_RECEIPT], now):
                        fresh.append((filing, receipt))
            if fresh:
                event = Event(
                    kind=EventKind.FILING_ACKNOWLEDGED,
                    seal_code=seal.code,
                    unit_id=seal.unit_id,
                    facts={
                        "filings": tuple(filing.id for filing, _ in fresh),
                        "receipts": tuple(receipt.text[:LONGEST_RECEIPT] for _, receipt in fresh),
                        "already_there": sum(receipt.already_there for _, receipt in fresh),
                    },
                )
                self.log.append(transaction, act_of(caller, event))
            if turn.stopped_at is not None:
                one, words = turn.stopped_at, _words(turn.failure)
                state = FilingState.REFUSED if refused else FilingState.WAITING
                chance = int.from_bytes(self.entropy.token(4), "big") / 2**32
                wait = wait_after(one.attempts + 1, chance, refused=refused)
                transaction.filings.fail(one, state, words, now + wait)
            transaction.commit()
        if turn.stopped_at is not None:
            self._tell(turn.stopped_at, turn.failure, refused)
        return Relayed(
            acknowledged=len(fresh),
            refused=int(refused),
            unreached=int(turn.failure is not None and not refused),
            failed=() if turn.stopped_at is None else (turn.stopped_at.id,),
        )

    def _tell(self, filing: Filing, failure: Exception | None, refused: bool) -> None:
        told = {"filing": filing.id, "seal_code": filing.seal_code, "attempts": filing.attempts + 1}
        if not refused:
            _log.warning("the provincial registry was not reached: %s", _words(failure), extra=told)
        elif isinstance(failure, SealServiceError):
            _log.error("filing refused, the seal's later ones wait: %s", _words(failure), extra=told)
        else:
            _log.error("filing failed here, the seal's later ones wait", extra=told, exc_info=failure)

    def _hurry_the_others(self, failed: Sequence[str]) -> None:
        """The province answers: what waited for that alone need not wait its time out, unless it failed just now."""
        with self.records.write() as transaction:
            if transaction.filings.hurry_waiting(self.clock.now(), failed):
                transaction.commit()


def _is_passing(failure: Exception) -> bool:
    """Whether time alone may mend it: the other side, the key store or the database does not answer."""
    return isinstance(failure, Unavailable | SignatureRefused) and not isinstance(failure, FilingRefused)


def _words(failure: Exception | None) -> str:
    """Why, for the table; of a fault of the program only what it was."""
    return failure.message[:500] if isinstance(failure, SealServiceError) else type(failure).__name__

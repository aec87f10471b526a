"""日志密钥轮换: the log's tree goes on under another key, by the word of the one before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import (
    AlreadyRegistered,
    Conflict,
    InstanceNotReady,
    InvalidInput,
    LogDamaged,
    LogHalted,
    NoteRefused,
    Unavailable,
)
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.key_use import SETTLING
from seal_service.domain.log_keys import LogKeyPeriod, log_key_reference
from seal_service.domain.publication import SignedTree
from seal_service.formats.log_keys import closing_entry, closing_facts, opening_facts
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock
from seal_service.ports.transparency import LogKeyMaker, TreeFiles
from seal_service.usecases.known_keys import KnownKey, known_key
from seal_service.usecases.log_condition import NOT_BEGUN, LogCondition, LogLook
from seal_service.usecases.log_key_periods import LogKeyPeriods
from seal_service.usecases.publish_checkpoint import PublishCheckpoint, PublishCheckpointUseCase
from seal_service.usecases.sequence_log import MOST_AT_ONCE, SequenceLog, SequenceLogUseCase

_ATTEMPTS = 50
"""A process that publishes already is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateLogKey:
    """日志密钥轮换."""

    pause: Callable[[], object]
    """Between attempts to publish while another process does."""
    again: bool = False
    """Also when the key in force followed another one less than an hour ago."""
    lost_key: str | None = None
    """密钥遗失: name+id+key of the one in force, whose private key is gone for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareLogKey:
    """日志密钥备用: the next key is made, for witnesses to be told of it, and signs nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKeyRotated:
    """Which key ended with which tree, and which one follows."""

    previous_key: str
    last: SignedTree
    """The last tree that the key before signed."""
    verifier_key: str
    key_reference: str
    size: int
    """That is published under the key that follows."""


@dataclass(frozen=True)
class PrepareLogKeyUseCase:
    """日志密钥备用; the same key however often it is asked for. InstanceNotReady for a log without a key."""

    permission: ClassVar[Permission] = Permission.MANAGE_KEYS
    records: Records
    log: SigningLog
    maker: LogKeyMaker
    keys: LogKeyPeriods

    def __call__(self, caller: Caller, _command: PrepareLogKey) -> str:
        """name+id+key of the next key."""
        with self.records.read() as transaction:
            period = self.keys.read(transaction)[-1]
        self.maker.verifier_key_of(period.number)
        return next_log_key(self.records, self.log, self.maker, caller, period.number + 1)


def next_log_key(records: Records, log: SigningLog, maker: LogKeyMaker, caller: Caller, number: int) -> str:
    """The verifier key of a number, made if it is not there; the log says so before it is.

    Raises SoftwareKeysRefused.
    """
    if not maker.is_there(number):
        maker.require_permitted(number)
        made = {"role": "log", "key_reference": log_key_reference(number)}
        with records.write() as transaction:
            log.append(transaction, act_of(caller, Event(kind=EventKind.KEY_CREATED, facts=made)))
            transaction.commit()
        with suppress(AlreadyRegistered):  # another process was first
            maker.create(number)
    return maker.verifier_key_of(number)


@dataclass(frozen=True)
class RotateLogKeyUseCase:
    """日志密钥轮换 (log.md of the design, keys and signatures). It may be broken off anywhere and is repeated.

    One tree and one origin for good: every proof can be had anew under the next key, and who trusts the key before
    finds the next one in `log.close`, under that key's last checkpoint. Raises InstanceNotReady for a log that was not
    initialised, LogHalted, LogDamaged, Unavailable while the last checkpoint cannot be published, Conflict when another
    rotation came first.

    A key that is lost has signed its last checkpoint: no `log.close` is needed, and the next key has this log's word
    alone. Raises Conflict for a key that is here, InvalidInput for one that is not this log's.
    """

    permission: ClassVar[Permission] = Permission.MANAGE_KEYS
    records: Records
    log: SigningLog
    condition: LogCondition
    maker: LogKeyMaker
    keys: LogKeyPeriods
    sequence: SequenceLogUseCase
    publish: PublishCheckpointUseCase
    files: TreeFiles
    clock: Clock

    def __call__(self, caller: Caller, command: RotateLogKey) -> LogKeyRotated:
        """Steps 1–5."""
        with self.records.read() as transaction:
            periods = self.keys.read(transaction)
        period, lost, number = periods[-1], command.lost_key, periods[-1].number + 1
        if lost is None and period.number > 1 and not command.again:
            if self._signed_size() <= period.above:
                return self._finished(caller, periods, command)  # an earlier rotation, of which step 5 is missing
            self._require_settled(period)
        if lost is None:
            _require_standing(self.condition.look())
            ending = self.maker.verifier_key_of(period.number)
        else:
            ending = self._lost(period, known_key(lost))
            condition = self.condition if period.verifier_key else self.condition.by(KnownKey(ending))
            _require_standing(condition.look(), but_for_key=True)
        # 1 the next key, as it was prepared or made now
        following = next_log_key(self.records, self.log, self.maker, caller, number)
        closed = None
        if lost is None:  # 2 the log says so, and 3 the key that ends signs that
            closed = self._closed(caller, period, ending, following)
            self._publish_up_to(caller, closed, command)
        # 4 from here on the next key signs
        self._opened(caller, period, closed, ending, following)
        # 5 its first checkpoint
        return self._finished(caller, self.keys(), command)

    def _finished(self, caller: Caller, periods: Sequence[LogKeyPeriod], command: RotateLogKey) -> LogKeyRotated:
        """Step 5."""
        before, period = periods[-2:]
        following = self.maker.verifier_key_of(period.number)
        with self.records.read() as transaction:
            signed = transaction.tree.checkpoint_of(period.above)
        if signed is None or before.verifier_key is None or following != period.verifier_key:
            raise LogDamaged(
                f"The last checkpoint of the log's key {before.reference} is not here: run `seal log audit`"
            )
        return LogKeyRotated(
            previous_key=before.verifier_key,
            last=SignedTree(size=signed.size, root=signed.root),
            verifier_key=following,
            key_reference=period.reference,
            size=self._publish_beyond(caller, signed.size, command),
        )

    def _require_settled(self, period: LogKeyPeriod) -> None:
        """Conflict just after a rotation: who repeats one that was broken off has no further one in mind."""
        if period.since is not None and self.clock.now() - period.since < SETTLING:
            raise Conflict(
                f"The log's key {period.reference} is in force since {period.since.isoformat(timespec='seconds')}: a "
                "rotation that was broken off is complete. To end this key too, repeat with --again"
            )

    def _signed_size(self) -> int:
        with self.records.read() as transaction:
            signed = transaction.tree.latest_checkpoint()
        return 0 if signed is None else signed.size

    def _lost(self, period: LogKeyPeriod, lost: KnownKey) -> str:
        """The key that is lost, as the log names it; by what it signed where the log does not name it."""
        if self.maker.is_there(period.number) and self.maker.verifier_key_of(period.number) == lost.verifier_key:
            raise Conflict(f"The key {period.reference} is here: `seal log rotate-key` without --key-lost ends it")
        with self.records.read() as transaction:
            signed = transaction.tree.latest_checkpoint()
        try:
            if period.verifier_key is not None and lost.verifier_key != period.verifier_key:
                raise NoteRefused(f"the log names {period.verifier_key}")
            if period.verifier_key is None:
                lost.open(b"" if signed is None else signed.note)
        except NoteRefused as error:
            told = f"This is not the key that signs this log: {error.message}"
            raise InvalidInput(told, field="lost_key") from error
        return lost.verifier_key

    def _closed(self, caller: Caller, period: LogKeyPeriod, ending: str, following: str) -> str:
        """The entry `log.close`; one that a rotation wrote which was broken off."""
        with self.records.write() as transaction:
            transaction.tree.lock_head()
            self._require_in_force(transaction, period)
            there = closing_entry(transaction.log.changes_of_key(), following)
            if there is not None:
                return there
            facts = closing_facts(self.log.origin, period, ending, following)
            entry = self.log.append(transaction, act_of(caller, Event(kind=EventKind.LOG_CLOSED, facts=facts)))
            transaction.commit()
        return entry.entry_id

    def _opened(self, caller: Caller, period: LogKeyPeriod, closed: str | None, ending: str, following: str) -> None:
        """Write `log.open` after the tree that was signed last, which has `log.close` in it where there is one."""
        with self.records.write() as transaction:
            transaction.tree.lock_head()
            self._require_in_force(transaction, period)
            signed = transaction.tree.latest_checkpoint()
            place = -1 if closed is None else transaction.tree.index_of(closed)
            if signed is None or place is None or place >= signed.size:
                raise Conflict("The log was restored meanwhile: repeat this")
            last = SignedTree(size=signed.size, root=signed.root)
            facts = opening_facts(self.log.origin, period, ending, following, last, key_lost=closed is None)
            self.log.append(transaction, act_of(caller, Event(kind=EventKind.LOG_OPENED, facts=facts)))
            transaction.commit()
        with self.records.read() as transaction:
            self.keys.read(transaction)

    def _require_in_force(self, transaction: Transaction, period: LogKeyPeriod) -> None:
        if self.keys.read(transaction)[-1].number != period.number:
            raise Conflict("Another rotation of the log's key came first: `seal log key --all` tells which keys it has")

    def _publish_up_to(self, caller: Caller, entry_id: str, command: RotateLogKey) -> None:
        for _ in range(_ATTEMPTS):
            self._publish(caller)
            with self.records.read() as transaction:
                place = transaction.tree.index_of(entry_id)
            if place is not None and self._published() > place:
                return
            command.pause()
        raise Unavailable(
            "The last checkpoint under the log's key is not published yet (`seal doctor` tells why): the key stays in "
            "force; repeat this when it is"
        )

    def _publish_beyond(self, caller: Caller, size: int, command: RotateLogKey) -> int:
        """The published size. The key is changed by now: who finds it published no further publishes it later."""
        for _ in range(_ATTEMPTS):
            self._publish(caller)
            if self._published() > size:
                break
            command.pause()
        return self._published()

    def _publish(self, caller: Caller) -> None:
        while self.sequence(caller, SequenceLog()).placed >= MOST_AT_ONCE:
            pass
        self.publish(caller, PublishCheckpoint())

    def _published(self) -> int:
        tree = self.files.tree()
        return 0 if tree is None else tree.size


def _require_standing(looked: LogLook, *, but_for_key: bool = False) -> None:
    """LogHalted, InstanceNotReady. `but_for_key`: what a publication would put right waits for the next key."""
    reason = looked.halted_with_key if but_for_key else looked.halted or looked.damage
    if reason is not None:
        raise LogHalted(reason)
    if not looked.begun:
        raise InstanceNotReady(NOT_BEGUN)

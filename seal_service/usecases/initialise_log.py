"""日志启用: the log gets its key and its guard, by an explicit act alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import AlreadyRegistered, Conflict, LogHalted, NoteRefused
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.publication import LOG_KEY
from seal_service.formats.checkpoint import Checkpoint
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.records.tree import StoredCheckpoint, TreeHead
from seal_service.ports.transparency import Guard, GuardedCheckpoint, LogKeyMaker, NoteSigner, TreeFiles
from seal_service.usecases.log_key_periods import LogKeyPeriods


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialiseLog:
    """日志启用."""

    guard_lost: bool = False
    """Whether the guard of a log that was published is gone for good, and a new one is to begin with what is here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogInitialised:
    """What the guard begins with."""

    verifier_key: str | None
    """None: the key that signed this log is not here."""
    size: int
    key_made: bool


@dataclass(frozen=True)
class InitialiseLogUseCase:
    """日志启用. What is there is never made anew; an interrupted one is repeated.

    Raises AlreadyRegistered when there is a guard, Conflict when the log was published and its guard is missing,
    LogHalted when the guard holds something else than this log's checkpoint.
    """

    permission: ClassVar[Permission] = Permission.MANAGE_KEYS
    records: Records
    log: SigningLog
    files: TreeFiles
    maker: LogKeyMaker
    keys: LogKeyPeriods
    signer: NoteSigner
    guard: Guard

    def __call__(self, caller: Caller, command: InitialiseLog) -> LogInitialised:
        """Key, entries that say so, guard."""
        with self.records.read() as transaction:
            signed, opened = transaction.tree.latest_checkpoint(), bool(transaction.log.changes_of_key())
        lost = self._lost(guard_lost=command.guard_lost)
        self._require_unpublished(signed, guard_lost=command.guard_lost)
        number = self.keys()[-1].number
        key_there = self.maker.is_there(number)
        key_made = not key_there and signed is None  # one that signed and is not here is lost: no other takes its place
        size = 0 if signed is None else signed.size
        events = []
        if not opened:
            events.append(Event(kind=EventKind.LOG_OPENED, facts={"origin": self.log.origin}))
        if key_made:
            events.append(Event(kind=EventKind.KEY_CREATED, facts={"role": "log", "key_reference": LOG_KEY}))
        events.append(Event(kind=EventKind.LOG_GUARDED, facts={"size": size, "guard_lost": command.guard_lost}))
        with self.records.write() as transaction:
            for event in events:
                self.log.append(transaction, act_of(caller, event))
            transaction.commit()
        if key_made:
            self.maker.create()
        first = self._begin() if signed is None else signed.note
        if command.guard_lost and self.guard.is_there():
            self.guard.renew(lost, first)
        else:
            self.guard.create(first)
        there = key_there or key_made
        return LogInitialised(verifier_key=self.signer.verifier_key if there else None, size=size, key_made=key_made)

    def _lost(self, *, guard_lost: bool) -> GuardedCheckpoint | None:
        """What a guard holds that is no checkpoint of this log; AlreadyRegistered for one that holds one."""
        if not self.guard.is_there():
            return None
        try:
            held = self.guard.read()
        except LogHalted:  # its making was interrupted, or its content is lost
            return None
        try:
            with self.records.read() as transaction:
                size = transaction.tree.head().size
            self.signer.open(held.content, beyond=size)
        except NoteRefused as error:
            if guard_lost:
                return held
            raise LogHalted(
                f"The log's guard (SEAL_LOG_GUARD) holds no checkpoint of this log: {error.message}. Put the right one "
                "back; when it is lost for good, repeat this with --guard-lost, which keeps this one aside"
            ) from error
        raise AlreadyRegistered("The signing log is initialised already: its guard is there")

    def _require_unpublished(self, signed: StoredCheckpoint | None, *, guard_lost: bool) -> None:
        published = self.files.tree()
        if (signed is not None or published is not None) and not guard_lost:
            raise Conflict(
                "The signing log was published before, so it had a guard (SEAL_LOG_GUARD): mount its volume or put it "
                "back. When it is lost for good, compare the published checkpoint with what witnesses and auditors "
                "have, then repeat this with --guard-lost"
            )
        if published is not None and (signed is None or published.size > signed.size):
            raise LogHalted(
                f"The published checkpoint has {published.size} entries, more than this log ever signed: it was "
                "restored from an old backup"
            )

    def _begin(self) -> bytes:
        root = self.files.head_root(TreeHead(size=0, hashes=()))
        return self.signer.sign(Checkpoint(origin=self.log.origin, size=0, root=root).text)

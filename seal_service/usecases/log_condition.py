"""日志比对: the log beside its guard and what witnesses said of it, asked before anything is sealed or published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from seal_service.domain.errors import (
    InstanceNotReady,
    IntegrityFailed,
    LogDamaged,
    LogHalted,
    NoteRefused,
    SealServiceError,
    SoftwareKeysRefused,
)
from seal_service.domain.publication import CONFLICT, DAMAGES, Compared, SignedTree, halted_because
from seal_service.ports.records import Records
from seal_service.ports.records.tree import StoredCheckpoint, TreeHead
from seal_service.ports.system import Clock
from seal_service.ports.transparency import CheckpointReader, Guard, GuardedCheckpoint

KEPT_FOR = timedelta(seconds=1)
NOT_BEGUN = "The signing log is not published yet: run `seal log init`"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLook:
    """What was seen of the log at a moment."""

    head: TreeHead
    signed: StoredCheckpoint | None
    """The newest checkpoint that was signed, published or not."""
    guarded: GuardedCheckpoint | None
    """None: the log was never initialised, or it is halted."""
    guarded_tree: SignedTree | None
    contradicted: str | None = None
    """By guard or clock: why the log is halted; with what to do."""
    keyless: str | None = None
    """Why the key in force does not sign; with what to do."""
    conflicts: Mapping[str, str] = field(default_factory=dict)
    """What witnesses said that know another tree, by their names."""
    damage: str | None = None
    """What sequencer or publisher met; nothing is sealed, and they go on trying, since it may be put right."""

    @property
    def halted(self) -> str | None:
        """Why; with what to do."""
        return self.halted_with_key or self.keyless

    @property
    def halted_with_key(self) -> str | None:
        """Why it would be, were its key here."""
        if self.contradicted is not None or not self.conflicts:
            return self.contradicted
        name, told = next(iter(self.conflicts.items()))
        return f"{told}; when that is cleared up with its operator, `seal log resume {name}` asks it again"

    @property
    def begun(self) -> bool:
        """Whether the log was ever initialised."""
        return self.guarded is not None or self.halted is not None


class LogCondition:
    """日志比对, the same for every process; what `halted` saw is believed for a second. Safe for threads."""

    def __init__(
        self,
        records: Records,
        guard: Guard,
        signer: CheckpointReader,
        clock: Clock,
        witnesses: Sequence[str],
        clock_allowed: timedelta,
        *,
        required: bool,
    ) -> None:
        """`required`: nothing is sealed before the log was initialised."""
        self._records = records
        self._guard = guard
        self._signer = signer
        self._clock = clock
        self._witnesses = witnesses
        self._clock_allowed = clock_allowed
        self._required = required
        self._seen: tuple[datetime, str | None] | None = None
        self._lock = Lock()

    def by(self, signer: CheckpointReader) -> LogCondition:
        """The same to who knows another key."""
        return LogCondition(
            self._records,
            self._guard,
            signer,
            self._clock,
            self._witnesses,
            self._clock_allowed,
            required=self._required,
        )

    def halted(self) -> str | None:
        """Why nothing may be sealed, with what to do; None: the log stands."""
        now = self._clock.now()
        with self._lock:
            if self._seen is None or not timedelta(0) <= now - self._seen[0] < KEPT_FOR:
                self._seen = now, self._reason()
            return self._seen[1]

    def contradiction(self) -> str | None:
        """Why no entry may get a place, asked now; None: nobody remembers another tree, or there is no guard yet."""
        looked = self.look()
        return None if looked.halted is None else self.look().halted  # a guard made between two reads is no lost one

    def look(self) -> LogLook:
        """The guard first: what the log has signed since then is no contradiction."""
        try:
            guarded = self._guard.read() if self._guard.is_there() else None
            tree = None if guarded is None else self._opened(guarded)
        except (LogHalted, LogDamaged, InstanceNotReady, IntegrityFailed) as error:
            return LogLook(head=self._head(), signed=None, guarded=None, guarded_tree=None, contradicted=error.message)
        with self._records.read() as transaction:
            head, signed = transaction.tree.head(), transaction.tree.latest_checkpoint()
            there = None if tree is None else transaction.tree.checkpoint_of(tree.size)
            observed = transaction.observations.all()
        contradicted = None
        if tree is None and signed is not None:
            contradicted = (
                "The log's guard is missing (SEAL_LOG_GUARD): mount its volume or put it back; when it is lost for "
                "good, `seal log init --guard-lost`"
            )
        if tree is not None:
            compared = Compared(
                guarded=tree,
                size=head.size,
                root_here=None if there is None else there.root,
                last_signed_at=None if signed is None else signed.at,
            )
            contradicted = halted_because(compared, self._clock.now(), self._clock_allowed)
        told = {one.name: one.detail for one in observed if not one.well}
        conflicts = {name: told[f"{CONFLICT}{name}"] for name in self._witnesses if f"{CONFLICT}{name}" in told}
        return LogLook(
            head=head,
            signed=signed,
            guarded=guarded,
            guarded_tree=tree,
            contradicted=contradicted,
            keyless=None if tree is None else self._keyless(),
            conflicts=conflicts,
            damage=next((told[one] for one in DAMAGES if one in told), None),
        )

    def _reason(self) -> str | None:
        looked = self.look()
        if looked.halted is not None:
            looked = self.look()  # a guard that was made between two reads is no lost one
        if not looked.begun:
            return NOT_BEGUN if self._required else None
        return looked.halted or looked.damage

    def _head(self) -> TreeHead:
        try:
            with self._records.read() as transaction:
                return transaction.tree.head()
        except SealServiceError:
            return TreeHead(size=0, hashes=())

    def _keyless(self) -> str | None:
        try:
            _ = self._signer.verifier_key
        except (InstanceNotReady, IntegrityFailed, SoftwareKeysRefused) as error:
            return error.message
        return None

    def _opened(self, guarded: GuardedCheckpoint) -> SignedTree:
        try:
            with suppress(NoteRefused, InstanceNotReady):
                return self._signer.open(guarded.content)
            return self._signer.open(guarded.content, beyond=self._head().size)
        except NoteRefused as error:
            raise LogHalted(f"The log's guard holds no checkpoint of this log: {error.message}") from error

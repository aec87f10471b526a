"""日志公布: the order of writes by which a tree becomes a checkpoint that others may rely on (log.md of the design)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import LogDamaged, LogHalted, NoteRefused
from seal_service.domain.log_keys import LogKeyPeriod, period_of
from seal_service.formats.checkpoint import Checkpoint
from seal_service.ports.records import Records, Transaction
from seal_service.ports.records.tree import StoredCheckpoint
from seal_service.ports.system import Clock
from seal_service.ports.transparency import Guard, NoteSigner, PublishedTree, TreeFiles
from seal_service.usecases.ask_witnesses import AskWitnesses
from seal_service.usecases.log_condition import LogCondition, LogLook
from seal_service.usecases.log_damage import LogDamage
from seal_service.usecases.log_key_periods import LogKeyPeriods


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishCheckpoint:
    """日志公布 of the tree as it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """How far the log is published."""

    size: int
    """Of the tree of the published checkpoint."""
    waiting: int = 0
    """Entries with a place that no published checkpoint has yet."""
    begun: bool = True
    """Whether the log was ever initialised."""
    cosigned: int = 0
    """Witnesses under the checkpoint that this call published."""


@dataclass(frozen=True)
class PublishCheckpointUseCase:
    """日志公布, as often as one likes and by any number of processes: whoever holds the files' lock does it, and where
    they have directories of their own, the guard lets one of them.

    It may die between any two steps: the next call goes on with the same bytes. Raises LogHalted, and LogDamaged for
    what contradicts the tree: nothing is sealed then by any process, until a publication goes through.
    """

    permission: ClassVar[Permission] = Permission.RECONCILE
    records: Records
    condition: LogCondition
    files: TreeFiles
    signer: NoteSigner
    guard: Guard
    witnesses: AskWitnesses
    damage: LogDamage
    keys: LogKeyPeriods
    clock: Clock
    origin: str

    def __call__(self, _caller: Caller, _command: PublishCheckpoint) -> Published:
        """What is published then."""
        try:
            done, alone = self._published()
        except LogDamaged as error:
            self.damage.tell(error.message)
            raise
        if alone:
            self.damage.tell(None)
        return done

    def _published(self) -> tuple[Published, bool]:
        """What is published then, and whether this process has looked at all that its publication needs."""
        idle = self._unless_waiting()
        if idle is not None:
            return idle, False
        with self.files.publishing() as alone:
            if not alone:
                return self._as_it_is(), False
            looked = self.condition.look()
            if not looked.begun:
                return Published(size=0, waiting=looked.head.size, begun=False), False
            since = self._checked(looked, self.files.tree())
            if looked.signed is not None and not looked.head.size > looked.signed.size == since:
                # What one signed who died is published as it is; what is published may miss a witness.
                if looked.signed.size > since:
                    self._publish(looked, looked.signed.size, looked.signed, since)
                elif looked.head.size == since:
                    self._cosign_and_show(looked.signed)
                looked = self.condition.look()
                since = self._checked(looked, self.files.tree())
            if looked.head.size > since and (looked.signed is None or looked.signed.size == since):
                self._publish(looked, looked.head.size, None, since)
            self.files.tidy()
            return self._as_it_is(), not self.witnesses.are_under_way

    def _unless_waiting(self) -> Published | None:
        """What is published, when there is nothing to do: no entry waits, or all wait for witnesses to come back."""
        head, published = self._sizes()
        if not self.files.is_tidy or head < published or self.damage.told() is not None:
            return None
        rests = self.witnesses.are_waited_for() if head > published else not self.witnesses.may_be_asked(published)
        return self._as_it_is() if rests or not head else None

    def _as_it_is(self) -> Published:
        head, published = self._sizes()
        lines = self.witnesses.lines(published) if published else []
        return Published(size=published, waiting=max(0, head - published), cosigned=len(lines))

    def _sizes(self) -> tuple[int, int]:
        """Of the tree, and of the published one."""
        with self.records.read() as transaction:
            head = transaction.tree.head().size
        tree = self.files.tree()
        return head, 0 if tree is None else tree.size

    def _checked(self, looked: LogLook, tree: PublishedTree | None) -> int:
        """The published size, when guard, database and files agree; LogHalted, LogDamaged."""
        if looked.halted is not None:
            raise LogHalted(looked.halted)
        if tree is None:
            return 0
        try:
            self.signer.open(tree.content)
        except NoteRefused as error:
            raise LogDamaged(f"The published checkpoint is not this log's: {error.message}") from error
        with self.records.read() as transaction:
            signed = transaction.tree.checkpoint_of(tree.size)
        if signed is None or signed.root != tree.root:
            raise LogHalted(
                f"The published checkpoint of {tree.size} entries was never signed here: this log was restored from "
                "an old backup, or the directory is another log's (SEAL_LOG_DIRECTORY)"
            )
        return tree.size

    def _publish(self, looked: LogLook, size: int, signed: StoredCheckpoint | None, since: int) -> None:
        """Steps 1–7."""
        self.records.confirm()  # what one machine alone has is neither signed nor written: a failover takes it back
        root = signed.root if signed is not None else self.files.head_root(looked.head)
        with self.records.read() as transaction:  # 1 bundles and tiles, of which the root then follows
            self.files.write(transaction.tree, size, since)
        guarded = looked.guarded_tree
        if self.files.root(size, size) != root:
            raise LogDamaged(f"The tiles of {size} entries do not give the root of the tree: run `seal log fsck`")
        if guarded is not None and guarded.size and self.files.root(guarded.size, size) != guarded.root:
            raise LogHalted(f"The tree does not follow the one of {guarded.size} entries that the guard knows")
        if signed is None:
            text = Checkpoint(origin=self.origin, size=size, root=root).text
            before = self.keys()
            note = self.signer.sign(text, size, before)  # 2 always the same
            with self.records.write() as transaction:  # 3 one root for a size, for good
                transaction.tree.lock_head()  # who changes the key holds it too
                periods = self.keys.read(transaction)
                if not _may_sign(transaction, period_of(periods, size), size):
                    return
                if period_of(before, size).number != period_of(periods, size).number:
                    note = self.signer.sign(text, size, periods)
                signed = StoredCheckpoint(size=size, root=root, note=note, at=self.clock.now())
                transaction.tree.insert_checkpoint(signed)
                transaction.commit()
        if looked.guarded is not None and looked.guarded.content != signed.note:
            self.guard.advance(looked.guarded, signed.note)  # 4 whoever has another history stops here
        if self._cosign_and_show(signed):  # 5, 6
            self.files.collect(size, since)  # 7 partial tiles that nobody needs any more

    def _cosign_and_show(self, signed: StoredCheckpoint) -> bool:
        """Whether it is published now: with the witnesses that are needed; the others' word is added when it comes."""
        lines = self.witnesses(signed.note, signed.size)
        if len(lines) < self.witnesses.needed:
            return False
        self._show(signed, lines)
        more = self.witnesses.others(signed.size)
        if more != lines:
            self._show(signed, more)
        return True

    def _show(self, signed: StoredCheckpoint, lines: list[str]) -> None:
        self.files.publish(signed.note + "".join(lines).encode())


def _may_sign(transaction: Transaction, period: LogKeyPeriod, size: int) -> bool:
    """Whether a key's `log.open` is in a tree of this size: in every tree that it signs is by what right it does."""
    if period.opened_by is None:
        return True
    place = transaction.tree.index_of(period.opened_by)
    return place is not None and place < size

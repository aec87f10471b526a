"""日志恢复: what a restored database lacks comes back from the published log, which is a full second copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import Conflict, InstanceNotReady, LogDamaged, LogHalted, NoteRefused
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.log_keys import LogKeyPeriod
from seal_service.domain.publication import SignedTree
from seal_service.domain.recovery import RECOVERY, ToDoAgain
from seal_service.domain.seal import SealState
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.note import signed_by
from seal_service.ports.backup import Told, untold
from seal_service.ports.log_recovery import PublishedEntries, ReplayedEntry
from seal_service.ports.records import (
    GrowTree,
    Observation,
    Records,
    SigningLog,
    StoredCheckpoint,
    Transaction,
    TreeHead,
)
from seal_service.ports.system import Clock
from seal_service.ports.transparency import CheckpointReader, TreeFiles
from seal_service.usecases.known_keys import AlsoKnown, KnownKey, known_key
from seal_service.usecases.log_condition import NOT_BEGUN, LogCondition
from seal_service.usecases.log_key_periods import LogKeyPeriods
from seal_service.usecases.recovered_states import Followed, FollowEntries
from seal_service.usecases.sequence_log import counted_again

_PAGE = 256
_MOST_NAMED = 100
"""Seals in the entry about the recovery; all are in the answer, and in the entries themselves."""


Notes = Mapping[int, tuple[bytes, bytes]]
"""Roots and signed notes, without cosignatures, by the sizes of their trees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverLog:
    """日志恢复."""

    confirmed: bool = False
    """Without it everything is read and compared, and nothing is changed."""
    told: Told = untold
    lost_key: str | None = None
    """密钥遗失: name+id+key of one that signed what is missing here, and is in no backup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What came back, or would; of what it means for registers only what was done is told."""

    before: int
    """Entries that had a place."""
    size: int
    done: bool
    uses: int = 0
    stopped: tuple[tuple[str, SealState], ...] = ()
    open: tuple[ToDoAgain, ...] = ()


@dataclass(frozen=True)
class RecoverLogUseCase:
    """日志恢复. It may be broken off and is repeated; until its last transaction the log stays halted.

    Raises Conflict when nothing is missing or another process publishes, LogHalted without a guard's word, LogDamaged
    when bundles, guard and database are not of one history; nothing was changed then.
    """

    permission: ClassVar[Permission] = Permission.BACK_UP
    records: Records
    log: SigningLog
    condition: LogCondition
    files: TreeFiles
    entries: PublishedEntries
    signer: CheckpointReader
    keys: LogKeyPeriods
    grow: GrowTree
    follow: FollowEntries
    clock: Clock

    def __call__(self, caller: Caller, command: RecoverLog) -> Recovered:
        """Steps 1–6."""
        with self.files.publishing() as alone:
            if not alone:
                raise Conflict("Another process publishes the log: stop `seal serve` before the log is recovered")
            lost = None if command.lost_key is None else known_key(command.lost_key)
            reader = self.signer if lost is None else AlsoKnown(self.signer, lost)
            head, target, guarded = self._missing(reader)  # 1 what the guard knows and this database does not
            notes = self._signed(reader, head, target, guarded)
            trees = {size: root for size, (root, _) in notes.items()}
            self._require_one_history(head, trees, command.told)  # 2 before anything is written
            before = self._begun(head, write=command.confirmed)  # 3 where it began, for whoever has to repeat it
            if not command.confirmed:
                return Recovered(before=before, size=target.size, done=False)
            self._replay(head, target, command.told)  # 4
            followed = self._finish(caller, before, target, notes, lost)  # 5, 6
        return Recovered(
            before=before,
            size=target.size,
            done=True,
            uses=followed.uses,
            stopped=tuple(sorted(followed.stopped.items())),
            open=tuple(followed.open),
        )

    def _missing(self, reader: CheckpointReader) -> tuple[TreeHead, SignedTree, bytes]:
        looked = self.condition.by(reader).look()
        if looked.guarded is None or looked.guarded_tree is None:
            raise LogHalted(looked.halted or NOT_BEGUN)
        head, target = looked.head, looked.guarded_tree
        with self.records.read() as transaction:
            there = transaction.tree.checkpoint_of(target.size) if target.size else None
        if not target.size or there is not None or head.size > target.size:
            raise Conflict("The log lacks nothing that its guard knows: there is nothing to recover")
        return head, target, looked.guarded.content

    def _signed(self, reader: CheckpointReader, head: TreeHead, target: SignedTree, guarded: bytes) -> Notes:
        """Roots and notes by size: the guard's, and the published checkpoint's where that is another one."""
        notes = {target.size: (target.root, guarded)}
        published = self.files.tree()
        if published is None:
            return notes
        try:
            # Its key may be named by entries that are to come back: 6 asks again.
            with suppress(NoteRefused, InstanceNotReady):
                reader.open(published.content, beyond=head.size)
            note = signed_by(published.content, self.log.origin)
        except NoteRefused as error:
            raise LogDamaged(f"The published checkpoint is not this log's: {error.message}") from error
        if published.size > target.size or notes.get(published.size, (published.root, b""))[0] != published.root:
            raise LogDamaged("The published checkpoint does not follow the guard's: keep all files of both")
        return {published.size: (published.root, note)} | notes

    def _require_one_history(self, head: TreeHead, trees: dict[int, bytes], told: Told) -> None:
        """The tree as it stands here, grown by the bundles, has the roots that were signed; else LogDamaged."""
        size, waiting = max(trees), self._waiting()
        if head.size in trees:
            self._require_root(head, trees)
        for canons in self.entries.groups(head.size, size):
            for canon in canons:
                row = self.entries.entry(canon).row
                if row.seq is not None and waiting.get((row.seal_code, row.seq), row.entry_id) != row.entry_id:
                    raise Conflict(
                        f"Something was done to the seal {row.seal_code} after the restore, in the place of what the "
                        "published log has: restore the backup again, and recover before anything else is done"
                    )
            for at in (one for one in sorted(trees) if head.size < one < head.size + len(canons)):
                self._require_root(self.grow(head, [leaf_hash(one) for one in canons[: at - head.size]]), trees)
            head = self.grow(head, [leaf_hash(one) for one in canons])
            if head.size in trees:
                self._require_root(head, trees)
            told("comparing entries", head.size, size)
        if head.size != size:
            raise LogDamaged("The bundles of the log do not reach the size that its guard knows")

    def _require_root(self, head: TreeHead, trees: dict[int, bytes]) -> None:
        if self.files.head_root(head) != trees[head.size]:
            raise LogDamaged(
                f"This database and the bundles do not give the root that was signed for {head.size} entries: the "
                "database has another history, or the bundles were changed. Nothing was written; keep all files"
            )

    def _waiting(self) -> dict[tuple[str | None, int], str]:
        """Counters of seals that entries without a place have taken."""
        with self.records.read() as transaction:
            pending = transaction.tree.pending(transaction.tree.pending_count() + _PAGE)
            rows = [transaction.log.find(one.entry_id) for one in pending]
        return {(row.seal_code, row.seq): row.entry_id for row in rows if row is not None and row.seq is not None}

    def _begun(self, head: TreeHead, *, write: bool) -> int:
        with self.records.write() as transaction:
            noted = next((one for one in transaction.observations.all() if one.name == RECOVERY), None)
            if noted is not None and not noted.well:
                return int(noted.detail)
            if write:
                self._note(transaction, str(head.size), well=False)
                transaction.commit()
        return head.size

    def _note(self, transaction: Transaction, detail: str, *, well: bool) -> None:
        transaction.observations.put(Observation(name=RECOVERY, at=self.clock.now(), well=well, detail=detail))

    def _replay(self, head: TreeHead, target: SignedTree, told: Told) -> None:
        for canons in self.entries.groups(head.size, target.size):
            rows = [self.entries.entry(one).row for one in canons]
            after = self.grow(head, [row.leaf_hash for row in rows])
            with self.records.write() as transaction:
                if transaction.tree.lock_head() != head:
                    raise Conflict("Another process gives places in the log: stop `seal serve` and repeat")
                transaction.tree.replay(rows, after, counted_again(rows))
                transaction.commit()
            head = after
            told("writing entries", head.size, target.size)
        if self.files.head_root(head) != target.root:  # a bundle that changed after it was compared
            raise LogDamaged("The bundles of the log changed while they were read: restore the backup again")

    def _finish(self, caller: Caller, before: int, target: SignedTree, notes: Notes, lost: KnownKey | None) -> Followed:
        now = self.clock.now()
        with self.records.write() as transaction:
            followed = self.follow(transaction, caller, self._replayed(transaction, before, target.size), now)  # 5
            periods = self.keys.read(transaction)
            for size, (root, note) in notes.items():  # 6 from here on the log is no longer halted
                if size >= before and size and transaction.tree.checkpoint_of(size) is None:
                    self._require_signed(note, periods, lost)
                    transaction.tree.insert_checkpoint(StoredCheckpoint(size=size, root=root, note=note, at=now))
            codes = tuple(sorted(followed.stopped))
            facts: dict[str, Scalar] = {
                "from_size": before,
                "size": target.size,
                "root": target.root.hex(),
                "uses_after_backup": followed.uses,
                "seals_stopped": len(codes),
                "seals": codes[:_MOST_NAMED],
                "to_be_done_again": sum(one.done != "done" for one in followed.open),
            }
            self.log.append(transaction, act_of(caller, Event(kind=EventKind.LOG_RECOVERED, facts=facts)))
            self._note(transaction, f"{target.size - before} entries recovered", well=True)
            transaction.commit()
        return followed

    def _require_signed(self, note: bytes, periods: Sequence[LogKeyPeriod], lost: KnownKey | None) -> None:
        """LogDamaged for a note by no key that the log names, now that its entries are back, nor by the lost one."""
        why = ""
        for reader in (self.signer,) if lost is None else (self.signer, lost):
            try:
                reader.open(note, periods=periods)
            except (NoteRefused, InstanceNotReady) as error:
                why = error.message
            else:
                return
        raise LogDamaged(f"Guard or published checkpoint have a key that the log does not name: {why}")

    def _replayed(self, transaction: Transaction, first: int, size: int) -> Iterator[tuple[int, ReplayedEntry]]:
        for begin in range(first, size, _PAGE):
            canons = transaction.tree.entries(begin, min(_PAGE, size - begin))
            yield from enumerate((self.entries.entry(one) for one in canons), begin)

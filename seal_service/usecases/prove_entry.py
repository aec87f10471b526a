"""收录证明: that an entry is in the published log, for whoever it concerns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from seal_service.domain.access import Caller, Permission, Role
from seal_service.domain.errors import EntryNotPublished, LogEntryNotFound, LogNotPublished, UseNotFound
from seal_service.ports.records import LogRow, Records, Transaction
from seal_service.ports.transparency import PublishedLog
from seal_service.usecases.read_use import ReadUse, visible_use


class UseEntry(StrEnum):
    """Which of the two entries of a use: the intent, or the one that ended it (completed, failed, abandoned)."""

    INTENT = "intent"
    TERMINAL = "terminal"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveEntry:
    """Which entry, by its id."""

    entry_id: str
    with_entry: bool = True
    """Whether the entry's canonical bytes stand in the proof (`extra`), so that a stranger can hash them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveUse:
    """Which entry, by the intent's leaf hash: the seal on a document carries it, so who has the document knows it."""

    intent_leaf_hash: bytes
    entry: UseEntry = UseEntry.TERMINAL
    with_entry: bool = True


@dataclass(frozen=True)
class ProveEntryUseCase:
    """收录证明 of an entry: an auditor has any, others those of the uses that they may see.

    Raises LogEntryNotFound, LogNotPublished, EntryNotPublished, LogDamaged.
    """

    permission: ClassVar[Permission] = Permission.READ_USES
    records: Records
    published: PublishedLog

    def __call__(self, caller: Caller, command: ProveEntry) -> bytes:
        """The tlog-proof@v1."""
        _require_published(self.published)
        with self.records.read() as transaction:
            row = transaction.log.find(command.entry_id)
            if row is None or not _concerns(transaction, caller, row):
                raise LogEntryNotFound
            index = transaction.tree.index_of(row.entry_id)
        return _proof(self.published, row, index, with_entry=command.with_entry)


@dataclass(frozen=True)
class ProveUseUseCase:
    """收录证明 for whoever has the sealed document: nobody else knows the hash that it is asked for by.

    Raises LogEntryNotFound, LogNotPublished, EntryNotPublished, LogDamaged.
    """

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    published: PublishedLog

    def __call__(self, _caller: Caller, command: ProveUse) -> bytes:
        """The tlog-proof@v1."""
        _require_published(self.published)
        with self.records.read() as transaction:
            use = transaction.uses.by_intent(command.intent_leaf_hash)
            lost = None if use else transaction.log.recovered(command.intent_leaf_hash)
            named = (use.intent.entry_id, use.terminal_entry_id) if use else lost
            if named is None:
                raise LogEntryNotFound
            entry_id = named[0 if command.entry is UseEntry.INTENT else 1]
            if entry_id is None:
                raise EntryNotPublished("The use has not ended yet")
            row = transaction.log.find(entry_id)
            if row is None:
                raise LogEntryNotFound
            index = transaction.tree.index_of(entry_id)
        return _proof(self.published, row, index, with_entry=command.with_entry)


def _require_published(published: PublishedLog) -> None:
    if published.tree() is None:
        raise LogNotPublished("The log has published no checkpoint yet: its operator begins with `seal log init`")


def _concerns(transaction: Transaction, caller: Caller, row: LogRow) -> bool:
    if Role.AUDITOR in caller.roles:
        return True
    if row.use_id is None or row.seal_code is None:
        return False
    try:
        visible_use(transaction, caller, ReadUse(seal_code=row.seal_code, use_id=row.use_id))
    except UseNotFound:
        return False
    return True


def _proof(published: PublishedLog, row: LogRow, index: int | None, *, with_entry: bool) -> bytes:
    extra = row.canon if with_entry else None
    proof = None if index is None else published.inclusion(row.leaf_hash, index, extra)
    if proof is None:
        raise EntryNotPublished("The entry is under no published checkpoint yet; ask again in a second")
    return proof

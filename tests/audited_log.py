"""A log of 600 entries, of which 530 are published, for audits of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seal_service.domain.events import EventKind
from seal_service.domain.invariants import Checked
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.jobs.maintenance import MACHINE
from seal_service.log.entry import utc
from seal_service.log.growth import grown
from seal_service.log.page_check import PagesHere, PlacedRowCheck, compare_group
from seal_service.log.tiles import WIDTH, entries_of, is_log_file
from seal_service.log.tree_check import TiledTreeCheck, bundle_paths
from seal_service.ports.log_checking import ComparePages
from seal_service.ports.records import LogRow, StoredCheckpoint
from seal_service.storage.engine import Database
from seal_service.storage.log_files import DirectoryLogFiles
from seal_service.storage.log_guard import DirectoryGuard
from seal_service.storage.tree_scan import SqlTreeScans
from seal_service.storage.unit_of_work import SqlRecords
from seal_service.testing.transparency import MemoryLogKey
from seal_service.usecases.audit_log import AuditLog, AuditLogUseCase, CheckFiles, CheckFilesUseCase, PublishedFiles
from seal_service.usecases.sequence_log import SequenceLog, SequenceLogUseCase
from tests.behind_the_triggers import change_behind_the_triggers
from tests.engines import lent_at
from tests.published_log import ORIGIN, checkpoint_of, merkle, publish
from tests.storage_samples import NOW, later, log_row

ENTRIES = 600
PUBLISHED = 530


def entry(number: int) -> LogRow:
    kind = EventKind.GRANT_MADE if number % 3 else EventKind.DOCUMENT_VERIFIED
    row = log_row(
        f"e{number}", kind, at=later(minutes=2 + number).replace(microsecond=123_000), account_id=f"a{number % 2}"
    )
    leaf: dict[str, Any] = {"id": row.entry_id, "log": ORIGIN, "at": utc(row.at), "kind": kind.value}
    leaf |= {"result": row.result, "account_id": row.account_id}
    canon = json.dumps(leaf, sort_keys=True, separators=(",", ":")).encode()
    return replace(row, canon=canon, leaf_hash=leaf_hash(canon))


@dataclass
class AuditedLog:
    """A log of 600 entries, of which 530 are published."""

    database: Database
    address: str
    directory: Path
    key: MemoryLogKey
    entries: list[bytes]

    def audit(
        self, first: int = 0, sound: Callable[[int], None] = lambda _: None, pages: ComparePages | None = None
    ) -> Checked:
        scans, compare = SqlTreeScans(self.database), pages or self.here()
        use_case = AuditLogUseCase(scans, self._published(), TiledTreeCheck, compare, compare_group)
        return use_case(MACHINE, AuditLog(first=first, sound_up_to=sound))

    def here(self) -> PagesHere:
        """Pages compared in this process."""
        return PagesHere(PlacedRowCheck(ORIGIN), self._published().files.read, page=WIDTH)

    def fsck(self) -> Checked:
        def signed_root(size: int) -> bytes | None:
            with SqlRecords(self.database).read() as transaction:
                signed = transaction.tree.checkpoint_of(size)
            return None if signed is None else signed.root

        use_case = CheckFilesUseCase(
            self._published(), TiledTreeCheck, compare_group, bundle_paths, entries_of, signed_root
        )
        return use_case(MACHINE, CheckFiles())

    def file(self, path: str) -> Path:
        return self.directory / "log" / path

    def guard(self) -> DirectoryGuard:
        return DirectoryGuard(self.directory / "guard")

    def tamper(self, sql: str) -> None:
        """What whoever owns the tables can do."""
        change_behind_the_triggers(self.database.owner, sql)

    def _published(self) -> PublishedFiles:
        return PublishedFiles(DirectoryLogFiles(self.directory / "log", is_log_file), self.key, self.guard())


@contextmanager
def audited_log(engine: str, directory: Path) -> Iterator[AuditedLog]:
    """The log on an engine, until the block ends."""
    rows = [entry(number) for number in range(ENTRIES)]
    entries = [one.canon for one in rows]
    key = MemoryLogKey(ORIGIN)
    with lent_at(engine, directory) as (database, address):
        records = SqlRecords(database)
        with records.write() as transaction:
            for row in rows:
                transaction.log.insert(row)
            transaction.commit()
        SequenceLogUseCase(records, grown)(MACHINE, SequenceLog())
        with records.write() as transaction:
            for size in (5, PUBLISHED):
                root = merkle([leaf_hash(one) for one in entries[:size]])
                note = checkpoint_of(key, entries[:size])
                transaction.tree.insert_checkpoint(StoredCheckpoint(size=size, root=root, note=note, at=NOW))
            transaction.commit()
        publish(directory / "log", key, entries[:PUBLISHED])
        made = AuditedLog(database, address, directory, key, entries)
        made.guard().create(checkpoint_of(key, entries[:PUBLISHED]))
        yield made

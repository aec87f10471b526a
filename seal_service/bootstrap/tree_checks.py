"""日志审计: the use cases that compare the log's tree with all that was said of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from seal_service.bootstrap.audit_processes import PagesByProcesses
from seal_service.bootstrap.filing import Guard as Guarding
from seal_service.bootstrap.rooms import Rooms
from seal_service.bootstrap.service import Guarded
from seal_service.config import Settings
from seal_service.domain.invariants import Checked
from seal_service.log.page_check import PagesHere, PlacedRowCheck, compare_group
from seal_service.log.tiles import entries_of
from seal_service.log.tree_check import TiledTreeCheck, bundle_paths
from seal_service.storage.tree_scan import SqlTreeScans
from seal_service.usecases.audit_keys import key_changes
from seal_service.usecases.audit_log import AuditLog, AuditLogUseCase, CheckFiles, CheckFilesUseCase, PublishedFiles


@dataclass(frozen=True, kw_only=True)
class TreeChecks:
    """日志审计: the ready use cases."""

    audit: Guarded[AuditLog, Checked]
    files: Guarded[CheckFiles, Checked]


def checks_of(settings: Settings, rooms: Rooms, published: PublishedFiles, guarded: Guarding) -> TreeChecks:
    """The use cases."""

    def signed_root(size: int) -> bytes | None:
        with rooms.records.read() as transaction:
            signed = transaction.tree.checkpoint_of(size)
        return None if signed is None else signed.root

    here = PagesHere(PlacedRowCheck(rooms.log.origin), published.files.read)
    pages = PagesByProcesses(settings.database_address, settings.published_log, here)
    scans = SqlTreeScans(rooms.database)
    return TreeChecks(
        audit=guarded(
            AuditLogUseCase(scans, published, TiledTreeCheck, pages, compare_group, partial(key_changes, rooms.records))
        ),
        files=guarded(
            CheckFilesUseCase(published, TiledTreeCheck, compare_group, bundle_paths, entries_of, signed_root)
        ),
    )

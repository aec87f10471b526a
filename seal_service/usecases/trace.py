"""溯源 (article 22): from a document, its digest, a use or a log number to the whole story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.approval import UseApproval
from seal_service.domain.errors import InvalidInput, LogEntryNotFound, UseNotFound
from seal_service.domain.events import EventKind
from seal_service.domain.grant import Grant
from seal_service.domain.lifecycle import StatusChange
from seal_service.domain.organization import Unit
from seal_service.domain.paging import PageRequest
from seal_service.domain.seal import Seal
from seal_service.domain.use import SealUse
from seal_service.ports.reading import LogFilter, Queries
from seal_service.ports.records import LogRow, Records

MOST_USES = 100
"""Uses that are followed; beyond them the story says that it is cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """溯源 from exactly one of: a document's SHA-256 (original or sealed), a use, a log entry."""

    document_sha256: str | None = None
    use_id: str | None = None
    entry_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedUse:
    """One use with all that stands behind it."""

    use: SealUse
    seal: Seal
    unit: Unit
    grant: Grant
    approval: UseApproval | None
    """None: the scenario set it aside."""
    seal_history: tuple[StatusChange, ...]
    entries: tuple[LogRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """溯源结果: every use on the document's way, earlier and later seals alike, oldest first."""

    uses: tuple[TracedUse, ...]
    further_entries: tuple[LogRow, ...]
    """Entries that belong to no use: refusals for this document; the entry asked for."""
    complete: bool
    """False when there are more uses than are followed."""
    upto_size: int
    """How many entries the log had."""


@dataclass(frozen=True)
class TraceUseCase:
    """溯源. Raises InvalidInput (not exactly one start), UseNotFound, LogEntryNotFound; no use is an empty story."""

    permission: ClassVar[Permission] = Permission.TRACE
    records: Records
    queries: Queries

    def __call__(self, _caller: Caller, command: Trace) -> Story:
        """The story."""
        given = [one for one in (command.document_sha256, command.use_id, command.entry_id) if one is not None]
        if len(given) != 1:
            raise InvalidInput("Trace from exactly one of document, use or log entry")
        size = self.queries.log_size()
        start, further = self._start(command)
        uses = self._followed(start)
        complete = len(uses) <= MOST_USES
        uses = uses[:MOST_USES]
        entries = self.queries.log_of_uses([use.id for use in uses])
        with self.records.read() as transaction:
            traced = []
            for use in uses:
                seal = transaction.seals.lock(use.seal_code)
                traced.append(
                    TracedUse(
                        use=use,
                        seal=seal,
                        unit=transaction.units.get(seal.unit_id),
                        grant=transaction.grants.lock(use.grant_id),
                        approval=transaction.approvals.lock(use.approval_id) if use.approval_id is not None else None,
                        seal_history=tuple(transaction.log.status_changes(seal.code)),
                        entries=tuple(row for row in entries if row.use_id == use.id),
                    )
                )
        return Story(uses=tuple(traced), further_entries=tuple(further), complete=complete, upto_size=size)

    def _start(self, command: Trace) -> tuple[Sequence[SealUse], Sequence[LogRow]]:
        if command.document_sha256 is not None:
            refused = LogFilter(document_sha256=command.document_sha256, kind=EventKind.SEAL_DENIED)
            denials = self.queries.log(PageRequest(limit=MOST_USES), refused).items
            return self.queries.uses_of_document(command.document_sha256, MOST_USES + 1), denials
        with self.records.read() as transaction:
            use_id = command.use_id
            row: LogRow | None = None
            if command.entry_id is not None:
                row = transaction.log.find(command.entry_id)
                if row is None:
                    raise LogEntryNotFound
                use_id = row.use_id
            use = transaction.uses.find(use_id) if use_id is not None else None
        if use is not None:
            return [use], ()
        if row is None:
            raise UseNotFound
        return (), (row,)

    def _followed(self, start: Sequence[SealUse]) -> list[SealUse]:
        """The uses, those that made what they were applied to, and those applied to what they made."""
        found = {use.id: use for use in start}
        waiting = list(start)
        while waiting and len(found) <= MOST_USES:
            current = waiting.pop()
            for digest in (current.document_sha256, current.sealed_sha256):
                if digest is None:
                    continue
                for other in self.queries.uses_of_document(digest, MOST_USES + 1):
                    linked = digest in (other.sealed_sha256, current.sealed_sha256)
                    if linked and other.id not in found:
                        found[other.id] = other
                        waiting.append(other)
        return sorted(found.values(), key=lambda use: use.reserved_at)

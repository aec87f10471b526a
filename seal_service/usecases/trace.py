"""溯源 (article 22): from a document, its digest, a use or a log number to the whole story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import InvalidInput, LogEntryNotFound, UseNotFound
from seal_service.domain.grant import Grant
from seal_service.domain.lifecycle import StatusChange
from seal_service.domain.organization import Unit
from seal_service.domain.seal import Seal
from seal_service.domain.use import SealUse
from seal_service.ports.reading import Queries
from seal_service.ports.records import LogRow, Records

DEEPEST = 100
"""Seals on one document that are followed back."""


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
    seal_history: tuple[StatusChange, ...]
    entries: tuple[LogRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """溯源结果: the uses that led to the document, oldest first, and how many entries the log had."""

    uses: tuple[TracedUse, ...]
    upto_size: int


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
        uses = self._followed_back(self._start(command))
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
                        seal_history=tuple(transaction.log.status_changes(seal.code)),
                        entries=tuple(row for row in entries if row.use_id == use.id),
                    )
                )
        return Story(uses=tuple(traced), upto_size=size)

    def _start(self, command: Trace) -> Sequence[SealUse]:
        if command.document_sha256 is not None:
            return self.queries.uses_of_document(command.document_sha256)
        with self.records.read() as transaction:
            use_id = command.use_id
            if command.entry_id is not None:
                row = transaction.log.find(command.entry_id)
                if row is None:
                    raise LogEntryNotFound
                use_id = row.use_id
            use = transaction.uses.find(use_id) if use_id is not None else None
        if use is None:
            raise UseNotFound
        return [use]

    def _followed_back(self, start: Sequence[SealUse]) -> list[SealUse]:
        """The uses and, for each, those that made the document it was applied to (an earlier seal on the file)."""
        found = {use.id: use for use in start}
        waiting = list(start)
        while waiting and len(found) < DEEPEST:
            current = waiting.pop()
            for earlier in self.queries.uses_of_document(current.document_sha256):
                if earlier.sealed_sha256 == current.document_sha256 and earlier.id not in found:
                    found[earlier.id] = earlier
                    waiting.append(earlier)
        return sorted(found.values(), key=lambda use: use.reserved_at)

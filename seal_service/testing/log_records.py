"""A fake of the signing log's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seal_service.domain import errors
from seal_service.domain.events import TERMINAL_KINDS, EventKind
from seal_service.domain.filing import filings_of
from seal_service.domain.lifecycle import StatusChange
from seal_service.domain.seal import SealState
from seal_service.formats.recovered_places import recovered_places
from seal_service.ports.records import LogRow
from seal_service.testing.state import State

STATE_AFTER = {
    EventKind.SEAL_MADE: SealState.MADE,
    EventKind.SEAL_ACTIVATED: SealState.ACTIVE,
    EventKind.SEAL_RESUMED: SealState.ACTIVE,
    EventKind.SEAL_SUSPENDED: SealState.SUSPENDED,
    EventKind.SEAL_CANCELLED: SealState.CANCELLED,
    EventKind.SEAL_INVALIDATED: SealState.CANCELLED,
}


@dataclass
class MemoryLogRecords:
    """Log rows."""

    state: State

    def next_seq(self, seal_code: str) -> int:
        """Count."""
        return 1 + sum(row.seal_code == seal_code for row in self.state.entries.values())

    def insert(self, row: LogRow) -> None:
        """Insert."""
        if row.kind in TERMINAL_KINDS and row.intent_id is not None:
            if row.intent_id in self.state.terminals:
                raise errors.Conflict("The intent has its terminal entry")
            self.state.terminals[row.intent_id] = row.entry_id
        self.state.entries[row.entry_id] = row
        self.state.queue[len(self.state.entries)] = row.entry_id
        filed = filings_of(row.kind, row.entry_id, row.seal_code, row.seq, row.at)
        self.state.filings |= {one.id: one for one in filed}

    def find(self, entry_id: str) -> LogRow | None:
        """Read."""
        return self.state.entries.get(entry_id)

    def changes_of_key(self) -> Sequence[bytes]:
        """In order."""
        kinds = (EventKind.LOG_OPENED, EventKind.LOG_CLOSED)
        rows = [row for row in self.state.entries.values() if row.kind in kinds]
        return [row.canon for row in sorted(rows, key=lambda row: (row.at, row.entry_id))]

    def recovered(self, leaf_hash: bytes) -> tuple[str, str | None] | None:
        """By place."""
        recoveries = [row for row in self.state.entries.values() if row.kind is EventKind.LOG_RECOVERED]
        for first, size in (recovered_places(row.canon) for row in recoveries):
            for at, leaf in self.state.leaves.items():
                if first <= at < size and leaf.leaf_hash == leaf_hash:
                    return leaf.entry_id, self.state.terminals.get(leaf.entry_id)
        return None

    def status_changes(self, seal_code: str) -> Sequence[StatusChange]:
        """In order."""
        return [
            StatusChange(at=row.at, state=STATE_AFTER[row.kind])
            for row in self.state.entries.values()
            if row.seal_code == seal_code and row.kind in STATE_AFTER
        ]

    def status_changes_counted(self) -> int:
        """Count."""
        kinds = {*STATE_AFTER, EventKind.SEAL_CHANGED, EventKind.SEAL_RENEWED}
        kinds -= {EventKind.SEAL_MADE, EventKind.SEAL_ACTIVATED}
        return sum(row.kind in kinds for row in self.state.entries.values())

    def maker_of(self, seal_code: str) -> str | None:
        """Of the entry that it was made."""
        rows = (row for row in self.state.entries.values() if row.seal_code == seal_code)
        return next((row.account_id for row in rows if row.kind is EventKind.SEAL_MADE), None)

    def seals_stopped(self) -> Sequence[str]:
        """In order."""
        stopping = {*STATE_AFTER, EventKind.SEAL_CHANGED} - {
            EventKind.SEAL_MADE,
            EventKind.SEAL_ACTIVATED,
            EventKind.SEAL_RESUMED,
        }
        rows = self.state.entries.values()
        return sorted({row.seal_code for row in rows if row.seal_code is not None and row.kind in stopping})

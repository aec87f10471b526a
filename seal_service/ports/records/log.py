"""The signing log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from seal_service.domain.events import EventKind
from seal_service.domain.lifecycle import StatusChange


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateField:
    """A personal field of an entry: its key and value, encrypted; erasable after retention."""

    name: str
    ciphertext: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """A log entry as stored: the canonical bytes, and columns projected from them for queries."""

    entry_id: str
    kind: EventKind
    at: datetime
    seq: int | None
    """Per-seal counter from 1; None for an entry without seal."""
    result: str
    canon: bytes
    leaf_hash: bytes
    account_id: str | None
    unit_id: str | None
    seal_code: str | None
    scenario: str | None
    operator_ref: str | None
    document_sha256: str | None
    use_id: str | None
    intent_id: str | None
    private: tuple[PrivateField, ...] = ()


class LogRecords(Protocol):
    """The signing log's rows: insert and read, never change."""

    def next_seq(self, seal_code: str) -> int:
        """The next value of a seal's counter, from 1, without gap once committed; held until the transaction ends."""

    def insert(self, row: LogRow) -> None:
        """Insert the row, its private fields, its place in the queue for the tree, what is to be filed of it and, for a
        terminal kind, the one terminal entry of its intent (Conflict when the intent has one)."""

    def find(self, entry_id: str) -> LogRow | None:
        """Read with private fields, or None."""

    def changes_of_key(self) -> Sequence[bytes]:
        """The canonical bytes of all entries `log.open` and `log.close`, which are few, the first one first."""

    def recovered(self, leaf_hash: bytes) -> tuple[str, str | None] | None:
        """The intent of this leaf hash, among entries that came back from the published log without rows of uses, and
        the entry that ended it; None when none of these has it."""

    def status_changes(self, seal_code: str) -> Sequence[StatusChange]:
        """The seal's changes of status by the log: sealmgmt.made, activated, suspended, resumed, cancelled, …"""

    def status_changes_counted(self) -> int:
        """How many entries changed what the list of status says of any seal: it only grows."""

    def maker_of(self, seal_code: str) -> str | None:
        """The account that made the seal, by the log."""

    def seals_stopped(self) -> Sequence[str]:
        """Codes of all seals that were ever suspended, changed, cancelled or marked invalid, by the log, in order."""

"""Ports to checks: everything that is kept, read to the end in one consistent state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from seal_service.domain.backup import NamedBlob
from seal_service.domain.invariants import Finding
from seal_service.ports.records import PrivateField


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """A log entry as the database has it, taken for nothing more: its columns may say anything."""

    entry_id: str
    columns: Mapping[str, str | int | datetime | None]
    """Those that are projected from the canonical bytes, by the names which the fields have there."""
    canon: bytes
    leaf_hash: bytes
    operator_ref: str | None
    private: tuple[PrivateField, ...]
    intent_leaf_hash: bytes | None
    """Leaf hash of the entry that `intent_id` names, when it is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedKey:
    """A key that a credential in force names."""

    reference: str
    owner: str
    """The seal, or the role of the service's own certificate."""


class Scan(Protocol):
    """One state of the database from beginning to end."""

    def log_size(self) -> int:
        """How many entries there are."""

    def entries(self) -> Iterator[StoredEntry]:
        """Every log entry, in pages."""

    def contradictions(self, limit: int) -> Iterator[tuple[int, Sequence[Finding]]]:
        """What rows say against one another, question by question: how often, and the first few."""

    def blobs(self) -> AbstractContextManager[Iterator[NamedBlob]]:
        """Every picture and held document, in a block in which they are read."""

    def keys(self, now: datetime) -> Iterator[UsedKey]:
        """Every key of a credential in force."""


class Scans(Protocol):
    """The database as checks read it."""

    def open(self) -> AbstractContextManager[Scan]:
        """The state now. Writers go on, but what they write is kept apart until the scan ends."""

    def own_faults(self, limit: int) -> Sequence[Finding]:
        """What the database's own means find, at most `limit` of each kind."""


class EntryCheck(Protocol):
    """Whether an entry is what it was when it was written. Stateless."""

    def faults(self, entry: StoredEntry) -> Sequence[Finding]:
        """Where it is not."""

"""备份: what a backup holds, as its manifest states it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from seal_service.domain.operation import KeyPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHead:
    """How far the signing log reached: its size and, when it has one, its newest entry."""

    size: int
    entry_id: str | None
    leaf_hash: str | None
    """Lower-case hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """One consistent state of the database in a few figures."""

    engine: str
    """`sqlite` or `postgresql`: a backup of one is not restored into the other."""
    schema_revision: str
    log: LogHead
    rows: Mapping[str, int]
    """Rows of each table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileList:
    """The list of a backup's files (`SHA256SUMS`): how many, how long together, and the list's own digest."""

    count: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededKey:
    """A private key that the instance had, by reference, and where it was."""

    reference: str
    place: KeyPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedBlob:
    """A picture or document that a state of the database names."""

    digest: str
    removable: bool
    """Whether it may go while the state is read: a held document that is acknowledged; a picture never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """备份清单: what is in a backup and what it was made of. It is sealed under the instance's master key."""

    made_at: datetime
    program: str
    """Version of the program that made it."""
    origin: str
    """Name of the signing log."""
    database: DatabaseFacts
    files: FileList
    with_keys: bool
    """Whether the wrapped private keys are in it; never the master key."""
    keys: tuple[NeededKey, ...]
    removed_meanwhile: int = 0
    """Documents that were acknowledged or whose time passed while the backup was made: the state names them, nobody
    may have them any more."""
    missing: tuple[str, ...] = field(default=())
    """Digests of documents that should have been there and were not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """备份 as it lies in a directory."""

    name: str
    sha256: str
    """Of the manifest: names this backup in the log."""
    manifest: Manifest

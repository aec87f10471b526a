"""Ports of the published log: its key, its files, its guard and its witnesses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from seal_service.domain.errors import LogHalted
from seal_service.domain.log_keys import LogKeyPeriod
from seal_service.domain.publication import SignedTree
from seal_service.ports.records.tree import TreeHead, TreeRecords

LARGEST_PROOF = 64 * 1024
"""Bytes of a proof file, with its entry as extra data."""


class CheckpointReader(Protocol):
    """Knows by which key a checkpoint of the log must be signed. Safe for threads."""

    @property
    def verifier_key(self) -> str:
        """name+id+key (C2SP vkey) of the one in force, for whoever checks.

        Raises InstanceNotReady without that key, IntegrityFailed when the log names another one, SoftwareKeysRefused.
        """

    def open(
        self, content: bytes, *, periods: Sequence[LogKeyPeriod] | None = None, beyond: int | None = None
    ) -> SignedTree:
        """What a checkpoint says, signed by the key of its size.

        `periods`: the log's keys, where they were just read. `beyond`: of a larger tree than this the log may not know
        the key, as a restored database does not; then a key counts too that is here and that it does not name. Raises
        NoteRefused, InstanceNotReady without a key, IntegrityFailed when the key here is not the one that it names.
        """


class NoteSigner(CheckpointReader, Protocol):
    """The log's key, and those that were before it. Safe for threads."""

    @property
    def verifier_keys(self) -> tuple[str, ...]:
        """Of all of them, the one in force first. InstanceNotReady for one that is not here and that none names."""

    def sign(self, text: str, size: int | None = None, periods: Sequence[LogKeyPeriod] | None = None) -> bytes:
        """The signed note of a text, which ends with a line feed, by the key in force; by that of a tree's size where
        one is given. InstanceNotReady without that key, IntegrityFailed as above."""


class LogKeyMaker(Protocol):
    """Makes the log's keys, each once; they are numbered from 1."""

    def is_there(self, number: int = 1) -> bool:
        """Whether there is that one."""

    def require_permitted(self, number: int = 1) -> None:
        """SoftwareKeysRefused when that one may not be made where new keys go."""

    def create(self, number: int = 1) -> None:
        """Make it; AlreadyRegistered, SoftwareKeysRefused."""

    def verifier_key_of(self, number: int) -> str:
        """name+id+key of one that is there; InstanceNotReady, SoftwareKeysRefused."""


class LogFiles(Protocol):
    """The log's published files by their C2SP paths. Safe for processes; durable when a call returns."""

    def create(self, path: str, content: bytes) -> None:
        """Write a file that is to stay as it is; nothing when it is there with these bytes, LogDamaged with others."""

    def read(self, path: str) -> bytes | None:
        """A file, or None; Unavailable when it cannot be read."""

    def publish(self, path: str, content: bytes) -> None:
        """Write a file in the place of an earlier one, at once and whole."""

    def remove_partials(self, path: str) -> None:
        """Remove the partial tiles that the full tile of this path has taken the place of; nothing without any."""

    def publishing(self) -> AbstractContextManager[bool]:
        """Whether this process alone writes here until the context ends; others are not waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedCheckpoint:
    """What a guard holds: the last checkpoint that was signed, for good."""

    content: bytes
    """The signed note."""
    version: str
    """What a compare-and-set names."""


class Guard(Protocol):
    """检查点守护: the last checkpoint, in another failure domain, never restored with the database."""

    def is_there(self) -> bool:
        """Whether anybody made it; LogHalted when that cannot be told."""

    def read(self) -> GuardedCheckpoint:
        """What it holds; LogHalted when it is not there or cannot be read (`seal log init` makes it)."""

    def create(self, content: bytes) -> None:
        """Make it; AlreadyRegistered when it is there."""

    def renew(self, lost: GuardedCheckpoint | None, content: bytes) -> None:
        """Begin anew with another checkpoint where this is held that nobody can use (None: it cannot be read), which is
        kept aside; AlreadyRegistered when it holds something else by now."""

    def advance(self, expected: GuardedCheckpoint, content: bytes) -> None:
        """Put another checkpoint in the place of the expected one, durably; LogHalted when it holds another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """A witness's word."""

    lines: tuple[str, ...]
    """Signature lines, each with its line feed."""
    at: datetime


class WitnessKnowsMore(LogHalted):
    """A witness has cosigned a larger tree than the one that it was asked for: whoever asked knows whose that is."""

    def __init__(self, message: str | None = None, size: int = 0) -> None:
        super().__init__(message)
        self.size = size


class Witness(Protocol):
    """见证方 (C2SP tlog-witness): whoever cosigns that checkpoints follow one another."""

    @property
    def name(self) -> str:
        """As its key has it."""

    def add_checkpoint(
        self, content: bytes, size: int, prove: Callable[[int], Sequence[bytes]], since: int | None
    ) -> Cosigned:
        """Its cosignature of a checkpoint; `prove` gives the consistency path from the size that it knows.

        Raises Unavailable when it does not answer, LogHalted when it knows a tree that this one does not follow,
        WitnessKnowsMore when that is a larger one.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedTree:
    """A published checkpoint: what the log has signed of its tree."""

    content: bytes
    """The note, with the cosignatures that there are."""
    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedTile:
    """A tile or a bundle of entries."""

    content: bytes
    full: bool
    """Whether it stays as it is for good; a partial one gives way to a fuller one."""


class PublishedLog(Protocol):
    """What the log's published files say. Safe for threads."""

    def tree(self) -> PublishedTree | None:
        """The last published checkpoint; None before the first."""

    def tile(self, path: str) -> PublishedTile | None:
        """The tile of a C2SP path below `tile/`; None when the tree has none there, or it is no such path."""

    def inclusion(self, leaf_hash: bytes, index: int, extra: bytes | None) -> bytes | None:
        """收录证明: the tlog-proof@v1 of a leaf in the last published tree; None while that does not reach it.

        Raises LogDamaged when the tree has another leaf in that place, LogIncomplete when a tile is missing.
        """

    def root(self, size: int) -> bytes | None:
        """The root of the first leaves; None when the published tree does not reach so far.

        Raises LogDamaged, LogIncomplete.
        """

    def consistency(self, old: int, size: int) -> Sequence[bytes] | None:
        """The path from a tree to a later one, hashes of 32 bytes; None when the published tree does not reach it.

        Raises InvalidInput for sizes that no tree follows by, LogIncomplete when a tile is missing.
        """


class TreeFiles(Protocol):
    """What the publisher writes. Whatever it writes follows from the leaves, so that another one can go on."""

    def publishing(self) -> AbstractContextManager[bool]:
        """Whether this process alone writes here until the context ends; others are not waited for."""

    def tree(self) -> PublishedTree | None:
        """The last published checkpoint; None before the first. LogDamaged when it is none."""

    def write(self, leaves: TreeRecords, size: int, since: int) -> None:
        """The bundles and tiles that are new since a smaller tree; LogDamaged when they contradict what is there."""

    def head_root(self, head: TreeHead) -> bytes:
        """The root of the tree of a head; LogDamaged."""

    def root(self, size: int, within: int) -> bytes:
        """The root of the first leaves, from the tiles of a tree that is not smaller; LogDamaged."""

    def consistency(self, old: int, size: int) -> Sequence[bytes]:
        """The path from a tree to a later one, from the tiles of the later one; LogDamaged."""

    def publish(self, content: bytes) -> None:
        """Put a checkpoint in the place of the one before, at once and durably."""

    def collect(self, size: int, since: int) -> None:
        """Remove the partial tiles of tiles that are full since a smaller tree."""

    @property
    def is_tidy(self) -> bool:
        """Whether this process has looked for what others left."""

    def tidy(self) -> None:
        """Once for a process: remove what whoever published before may have died before it removed."""

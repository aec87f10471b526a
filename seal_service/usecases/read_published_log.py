"""日志公布: checkpoint, tiles and consistency of the published log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import LogFileNotFound, LogNotPublished
from seal_service.ports.transparency import PublishedLog, PublishedTile, PublishedTree


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCheckpoint:
    """The last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTile:
    """Which file, by its C2SP path from `tile/` on."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveConsistency:
    """Which two trees, by their sizes."""

    old: int
    size: int | None = None
    """None: the published one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsistencyProof:
    """一致性证明: that a tree begins with an earlier one (RFC 6962, 2.1.2)."""

    old: int
    size: int
    path: tuple[bytes, ...]
    """Hashes of 32 bytes."""


@dataclass(frozen=True)
class ReadCheckpointUseCase:
    """检查点, for anyone. Raises LogNotPublished, LogDamaged."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    published: PublishedLog

    def __call__(self, _caller: Caller, _command: ReadCheckpoint) -> PublishedTree:
        """The published tree, with its note."""
        return _published(self.published)


@dataclass(frozen=True)
class ReadTileUseCase:
    """日志文件, for auditors: tiles and bundles hold every entry. Raises LogFileNotFound."""

    permission: ClassVar[Permission] = Permission.READ_LOG
    published: PublishedLog

    def __call__(self, _caller: Caller, command: ReadTile) -> PublishedTile:
        """The file."""
        tile = self.published.tile(command.path)
        if tile is None:
            raise LogFileNotFound
        return tile


@dataclass(frozen=True)
class ProveConsistencyUseCase:
    """一致性证明, for anyone. Raises LogNotPublished, InvalidInput, LogDamaged."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    published: PublishedLog

    def __call__(self, _caller: Caller, command: ProveConsistency) -> ConsistencyProof:
        """The proof."""
        tree = _published(self.published)
        size = tree.size if command.size is None else command.size
        path = self.published.consistency(command.old, size)
        if path is None:
            raise LogNotPublished(f"The last published checkpoint is of {tree.size} entries", size=tree.size)
        return ConsistencyProof(old=command.old, size=size, path=tuple(path))


def _published(log: PublishedLog) -> PublishedTree:
    tree = log.tree()
    if tree is None:
        raise LogNotPublished("The log has published no checkpoint yet: its operator begins with `seal log init`")
    return tree

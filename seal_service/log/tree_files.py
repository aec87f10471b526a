"""The published log as its publisher writes it: the port TreeFiles over C2SP tiles."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial

from seal_service.domain.errors import LogDamaged
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.log.merkle import CompactRange, compact_range, consistency_holds, consistency_path, root_of
from seal_service.log.tiled_log import TiledLog, tile_content
from seal_service.log.tiles import CHECKPOINT, HEIGHT, WIDTH, Tile, TiledNodes, bundle, filled, hashes_of, tiles_of
from seal_service.ports.records.tree import TreeHead, TreeRecords
from seal_service.ports.transparency import LogFiles, PublishedTree

_SWEEP = WIDTH * WIDTH
"""Entries before the published size whose tiles a process looks at once."""


class TiledTreeFiles:
    """Every file follows from the leaves alone, so that whoever goes on writes what the one before would have."""

    def __init__(self, files: LogFiles) -> None:
        self._files = files
        self._published = TiledLog(files)
        self._tidied = False

    def publishing(self) -> AbstractContextManager[bool]:
        """Whether this process alone writes until the context ends."""
        return self._files.publishing()

    def tree(self) -> PublishedTree | None:
        """The last published checkpoint; LogDamaged when it is none."""
        return self._published.tree()

    def write(self, leaves: TreeRecords, size: int, since: int) -> None:
        """The bundles and tiles of a tree that are new since a smaller one; durable on return.

        Raises LogDamaged when an entry has not the hash of its leaf, or a file is there with other bytes.
        """
        for tile in tiles_of(size, since):
            content = self._bundle(leaves, tile) if tile.level is None else self._hashes(leaves, tile, since)
            self._files.create(tile.path, content)

    def head_root(self, head: TreeHead) -> bytes:
        """The root of the tree of a head; LogDamaged for a head that has not the hashes of its size."""
        try:
            return CompactRange(head.size, head.hashes).root()
        except ValueError as error:
            raise LogDamaged("The log's head has not the hashes of its size") from error

    def root(self, size: int, within: int) -> bytes:
        """The root of the first leaves, from the tiles of a tree that is not smaller; LogDamaged."""
        return compact_range(size, TiledNodes(within, partial(tile_content, self._files))).root()

    def consistency(self, old: int, size: int) -> Sequence[bytes]:
        """PROOF(old, D[size]) from the tiles of that tree; LogDamaged when it would not hold, a tile being wrong."""
        node = TiledNodes(size, partial(tile_content, self._files))
        path = consistency_path(old, size, node)
        roots = compact_range(old, node).root(), compact_range(size, node).root()
        if old and not consistency_holds(old, size, path, *roots):
            raise LogDamaged(f"The tiles do not show that the tree of {old} entries begins that of {size}")
        return path

    def publish(self, content: bytes) -> None:
        """Put a checkpoint in the place of the one before."""
        self._files.publish(CHECKPOINT, content)

    def collect(self, size: int, since: int) -> None:
        """Remove the partial tiles of tiles that are full."""
        for tile in filled(size, since):
            self._files.remove_partials(tile.path)

    @property
    def is_tidy(self) -> bool:
        """Whether this process has looked for what others left."""
        return self._tidied

    def tidy(self) -> None:
        """Once for a process: remove what whoever published before may have died before it removed."""
        tree = None if self._tidied else self.tree()
        if tree is not None:
            self.collect(tree.size, max(0, tree.size - _SWEEP))
        self._tidied = True

    def _bundle(self, leaves: TreeRecords, tile: Tile) -> bytes:
        first = tile.index * WIDTH
        entries = leaves.entries(first, tile.width)
        hashes = [one.leaf_hash for one in leaves.leaves(first, tile.width)]
        if [leaf_hash(one) for one in entries] != hashes or len(hashes) != tile.width:
            raise LogDamaged(f"The entries from place {first} on are not those of the tree: run `seal log audit`")
        return bundle(entries)

    def _hashes(self, leaves: TreeRecords, tile: Tile, since: int) -> bytes:
        level, first = tile.level or 0, tile.index * WIDTH
        if level == 0:
            hashes = [one.leaf_hash for one in leaves.leaves(first, tile.width)]
            if len(hashes) != tile.width:
                raise LogDamaged(f"The tree has lost leaves from place {first} on: run `seal log audit`")
            return b"".join(hashes)
        before = self._before(tile, max(0, (since >> HEIGHT * level) - first))
        below = range(first + len(before), first + tile.width)
        return b"".join([*before, *(root_of(self._full(Tile(level - 1, index))) for index in below)])

    def _before(self, tile: Tile, width: int) -> list[bytes]:
        """What the tile had when it was narrower, where that is still there."""
        content = self._files.read(Tile(tile.level, tile.index, width).path) if 0 < width < WIDTH else None
        return [] if content is None else hashes_of(content, width)

    def _full(self, tile: Tile) -> list[bytes]:
        return hashes_of(tile_content(self._files, tile), WIDTH)

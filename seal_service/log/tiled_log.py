"""The published log as its files tell it: checkpoint, tiles, and the proofs that follow from them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from seal_service.domain.errors import InvalidInput, LogDamaged, LogIncomplete
from seal_service.formats.checkpoint import read_checkpoint
from seal_service.formats.note import read_note
from seal_service.log.merkle import (
    HASH_BYTES,
    compact_range,
    consistency_holds,
    consistency_path,
    inclusion_holds,
    inclusion_path,
)
from seal_service.log.proofs import LogProof, write_proof
from seal_service.log.tiles import CHECKPOINT, WIDTH, Tile, TiledNodes, tile_at
from seal_service.ports.transparency import LogFiles, PublishedTile, PublishedTree

Found = TypeVar("Found")

_TRIES = 3
"""A tree grows while it is read: a partial tile of the checkpoint that was read may have given way to a fuller one."""


class TiledLog:
    """The port PublishedLog over C2SP tiles. Stateless; safe for threads."""

    def __init__(self, files: LogFiles) -> None:
        self._files = files

    def tree(self) -> PublishedTree | None:
        """The last published checkpoint; None before the first. LogDamaged when it is none."""
        content = self._files.read(CHECKPOINT)
        if content is None:
            return None
        try:
            checkpoint = read_checkpoint(read_note(content).text)
        except InvalidInput as error:
            raise LogDamaged(f"The published checkpoint cannot be read: {error.message}") from error
        return PublishedTree(content=content, size=checkpoint.size, root=checkpoint.root)

    def tile(self, path: str) -> PublishedTile | None:
        """The tile of a path, in its one spelling."""
        tile = tile_at(path)
        content = None if tile is None else self._files.read(path)
        if tile is None or content is None:
            return None
        return PublishedTile(content=content, full=tile.width == WIDTH)

    def inclusion(self, leaf_hash: bytes, index: int, extra: bytes | None) -> bytes | None:
        """The tlog-proof@v1 of a leaf; it is checked before it is given out."""

        def prove(tree: PublishedTree) -> bytes | None:
            if index >= tree.size:
                return None
            path = inclusion_path(index, tree.size, TiledNodes(tree.size, partial(tile_content, self._files)))
            if not inclusion_holds(leaf_hash, index, tree.size, path, tree.root):
                raise LogDamaged(f"The published tree has another leaf in place {index}, or a tile of it is wrong")
            return write_proof(LogProof(index=index, path=path, checkpoint=tree.content, extra=extra))

        return self._from_tree(prove)

    def root(self, size: int) -> bytes | None:
        """From the tiles."""

        def prove(tree: PublishedTree) -> bytes | None:
            if size > tree.size:
                return None
            found = compact_range(size, TiledNodes(tree.size, partial(tile_content, self._files))).root()
            if size == tree.size and found != tree.root:
                raise LogDamaged("The tiles of the published tree do not give its root")
            return found

        return self._from_tree(prove)

    def consistency(self, old: int, size: int) -> tuple[bytes, ...] | None:
        """PROOF(old, D[size]); it is checked before it is given out."""
        if not 0 < old <= size:
            raise InvalidInput("A tree follows one that is not empty and not larger: 0 < from <= to", field="from")

        def prove(tree: PublishedTree) -> tuple[bytes, ...] | None:
            if size > tree.size:
                return None
            node = TiledNodes(tree.size, partial(tile_content, self._files))
            path = consistency_path(old, size, node)
            roots = compact_range(old, node).root(), compact_range(size, node).root()
            if not consistency_holds(old, size, path, *roots) or (size == tree.size and roots[1] != tree.root):
                raise LogDamaged("The tiles of the published tree do not give its root")
            return path

        return self._from_tree(prove)

    def _from_tree(self, prove: Callable[[PublishedTree], Found | None]) -> Found | None:
        for left in reversed(range(_TRIES)):
            tree = self.tree()
            if tree is None:
                return None
            try:
                return prove(tree)
            except LogDamaged:
                now = self.tree()
                if not left or now is None or now.size == tree.size:
                    raise
        return None


def tile_content(files: LogFiles, tile: Tile) -> bytes:
    """What a tile has to have, also where a fuller one took its place; LogIncomplete when neither is there."""
    content = files.read(tile.path)
    if content is None and tile.width < WIDTH:
        full = files.read(tile.full().path)
        content = None if full is None else full[: tile.width * HASH_BYTES]
    if content is None:
        raise LogIncomplete(f"The log's file {tile.path} is missing: put back SEAL_LOG_DIRECTORY")
    return content

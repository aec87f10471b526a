"""A published log as files: read, and written anew by one who holds the log's key, as a forger of the city would."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seal_service.formats.checkpoint import Checkpoint, read_checkpoint
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.note import read_note
from seal_service.log.merkle import root_of
from seal_service.log.tiles import CHECKPOINT, WIDTH, Tile, bundle, entries_of, tiles_of

Sign = Callable[[str], bytes]
"""A note's text to the signed note."""


@dataclass(frozen=True, slots=True)
class PublishedFiles:
    """The files of a log under a directory."""

    directory: Path

    def checkpoint(self) -> Checkpoint:
        """What it says of itself; no signature is verified."""
        return read_checkpoint(read_note((self.directory / CHECKPOINT).read_bytes()).text)

    def bundles(self) -> list[Tile]:
        """The bundles of its size."""
        return [tile for tile in tiles_of(self.checkpoint().size) if tile.level is None]

    def read(self, tile: Tile) -> bytes:
        """A file's bytes."""
        return (self.directory / tile.path).read_bytes()

    def entries(self) -> list[bytes]:
        """All of them."""
        return [entry for tile in self.bundles() for entry in entries_of(self.read(tile), tile.width)]

    def stored_bytes(self) -> int:
        """Of all its files together."""
        return sum(one.stat().st_size for one in self.directory.rglob("*") if one.is_file())

    def replace(self, path: str, content: bytes) -> None:
        """Write a file; one that shares its bytes with another log is taken away first."""
        file = self.directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        file.write_bytes(content)

    def replace_bundles(self, entries: Sequence[bytes], first: int) -> None:
        """Write the bundles from the one of an index on, under the names that they have; no tile."""
        bundles = self.bundles()
        for tile in bundles[first // WIDTH :]:
            end = None if tile is bundles[-1] else (tile.index + 1) * WIDTH
            self.replace(tile.path, b"".join(framed(one) for one in entries[tile.index * WIDTH : end]))

    def write(self, entries: Sequence[bytes]) -> bytes:
        """Bundles and tiles of these entries in the place of all that there are; their root."""
        shutil.rmtree(self.directory / "tile", ignore_errors=True)
        levels = [[leaf_hash(one) for one in entries]]
        while len(levels[-1]) >= WIDTH:
            below = levels[-1]
            levels.append([root_of(below[at : at + WIDTH]) for at in range(0, len(below) - WIDTH + 1, WIDTH)])
        for tile in tiles_of(len(entries)):
            first, end = tile.index * WIDTH, tile.index * WIDTH + tile.width
            content = bundle(entries[first:end]) if tile.level is None else b"".join(levels[tile.level][first:end])
            self.replace(tile.path, content)
        return root_of(levels[0])

    def sign(self, size: int, root: bytes, sign: Sign) -> None:
        """A checkpoint of its origin."""
        self.replace(CHECKPOINT, sign(Checkpoint(origin=self.checkpoint().origin, size=size, root=root).text))


def framed(entry: bytes) -> bytes:
    """As in a bundle."""
    return len(entry).to_bytes(2) + entry

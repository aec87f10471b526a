"""C2SP tlog-tiles: how a tree and its entries lie in files: which files, what is in them, how nodes are found.

A tile of level L holds up to 256 hashes of complete subtrees of 256^L leaves; a bundle holds up to 256 entries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from seal_service.domain.errors import LogDamaged
from seal_service.log.merkle import HASH_BYTES, root_of

HEIGHT = 8
WIDTH = 1 << HEIGHT
LONGEST_ENTRY = (1 << 16) - 1
CHECKPOINT = "checkpoint"
_HIGHEST_LEVEL = 63
_GROUP = 1000
_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tile:
    """A file of the log: hashes of a level, or a bundle of entries."""

    level: int | None
    """None: a bundle of entries."""
    index: int
    width: int = WIDTH
    """1 to 256; below 256 it is a partial tile, which a wider one follows."""

    @property
    def path(self) -> str:
        """Where it lies: tile/<level>/<index>[.p/<width>]."""
        groups, rest = [f"{self.index % _GROUP:03d}"], self.index // _GROUP
        while rest:
            groups.append(f"x{rest % _GROUP:03d}")
            rest //= _GROUP
        level = "entries" if self.level is None else str(self.level)
        part = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(groups))}{part}"

    def full(self) -> Tile:
        """The tile that it grows to."""
        return replace(self, width=WIDTH)


def tile_at(path: str) -> Tile | None:
    """The tile of a path, in its one spelling; None for anything else."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    level, groups, width = found.groups()
    index = int(groups.replace("x", "").replace("/", ""))
    tile = Tile(None if level == "entries" else int(level), index, int(width or WIDTH))
    return tile if tile.path == path and tile.width <= WIDTH and (tile.level or 0) <= _HIGHEST_LEVEL else None


def is_log_file(path: str) -> bool:
    """Whether a path is one of the published log's: its checkpoint, a tile or a bundle."""
    return path == CHECKPOINT or tile_at(path) is not None


def tiles_of(size: int, since: int = 0) -> Iterator[Tile]:
    """The tiles of a tree that are new since a smaller size, bundles first, then the levels upward."""
    for level in (None, *range(_HIGHEST_LEVEL // HEIGHT + 1)):
        shift = HEIGHT * (level or 0)
        new, old = size >> shift, since >> shift
        if new == 0:
            return
        for index in range(old // WIDTH, -(-new // WIDTH)):
            width = min(WIDTH, new - index * WIDTH)
            if index * WIDTH + width > old:
                yield Tile(level, index, width)


def filled(size: int, since: int) -> Iterator[Tile]:
    """The tiles that are full in a tree and were not in a smaller one: their partial tiles are no longer needed.

    Partial tiles of the others stay as long: whoever has an earlier checkpoint may ask for them.
    """
    return (tile for tile in tiles_of(size, since) if tile.width == WIDTH)


def bundle(entries: Sequence[bytes]) -> bytes:
    """Entries, each after its length in 2 bytes; ValueError for more than 256, or for one that is too long."""
    if not 1 <= len(entries) <= WIDTH or any(len(one) > LONGEST_ENTRY for one in entries):
        raise ValueError(f"a bundle has 1 to {WIDTH} entries of at most {LONGEST_ENTRY} bytes")
    return b"".join(len(one).to_bytes(2) + one for one in entries)


def entries_of(content: bytes, width: int) -> list[bytes]:
    """The entries of a bundle; LogDamaged when they are not exactly so many."""
    entries: list[bytes] = []
    at = 0
    while at < len(content) and len(entries) < width:
        end = at + 2 + int.from_bytes(content[at : at + 2])
        if at + 2 > len(content) or end > len(content):
            raise LogDamaged("A bundle of the log ends within an entry")
        entries.append(content[at + 2 : end])
        at = end
    if len(entries) != width or at != len(content):
        raise LogDamaged(f"A bundle of the log does not have {width} entries")
    return entries


def hashes_of(content: bytes, width: int) -> list[bytes]:
    """The hashes of a tile; LogDamaged when they are not exactly so many."""
    if len(content) != width * HASH_BYTES:
        raise LogDamaged(f"A tile of the log does not have {width} hashes")
    return [content[at : at + HASH_BYTES] for at in range(0, len(content), HASH_BYTES)]


class TiledNodes:
    """Nodes of a tree of a size, from tiles that `read` gives; keeps those that it read. Not safe for threads."""

    def __init__(self, size: int, read: Callable[[Tile], bytes]) -> None:
        self._size = size
        self._read = read
        self._kept: dict[Tile, list[bytes]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """The root over the leaves [index·2^level, (index+1)·2^level); LogDamaged, and what `read` raises."""
        if level < 0 or index < 0 or index + 1 << level > self._size:
            raise ValueError("the subtree is not complete")
        tile_level, within = divmod(level, HEIGHT)
        first = index << within
        hashes = self._tile(tile_level, first // WIDTH)
        return root_of(hashes[first % WIDTH : first % WIDTH + (1 << within)])

    def _tile(self, level: int, index: int) -> list[bytes]:
        width = min(WIDTH, (self._size >> HEIGHT * level) - index * WIDTH)
        tile = Tile(level, index, width)
        if tile not in self._kept:
            self._kept[tile] = hashes_of(self._read(tile), width)
        return self._kept[tile]

"""日志审计: whether the tree over all places is the one of published tiles and of signed roots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from seal_service.domain.invariants import Finding, Invariant
from seal_service.log.merkle import CompactRange, root_of
from seal_service.log.page_check import differs
from seal_service.log.tiles import HEIGHT, WIDTH, Tile, tiles_of
from seal_service.ports.log_checking import ComparedGroup, ReadFile, SignedRoot
from seal_service.ports.records import TreeHead


class TiledTreeCheck:
    """The port TreeCheck: what it keeps is the hashes of one tile a level. Not safe for threads."""

    def __init__(self, published: int, read: ReadFile, roots: Iterator[SignedRoot]) -> None:
        self._published = published
        self._read = read
        self._roots = roots
        self._next = next(roots, None)
        self._complete = CompactRange()
        """Over the roots of complete groups: its hashes are those of the tree over all of their leaves."""
        self._tail: Sequence[bytes] = ()
        self._levels: list[list[bytes]] = []
        """Of the levels from 1 upward: what will be in the next tile."""

    def add(self, group: ComparedGroup) -> Iterator[Finding]:
        """Compare, and go on from there."""
        begin = self._size()
        yield from self._compare_roots(begin, group)
        if begin < self._published < begin + WIDTH:
            yield from self._compare_partial()
        yield from self._take(group, compare=True)
        if self._published == self._size() and not self._tail:
            yield from self._compare_partial()

    def pass_over(self, group: ComparedGroup) -> Iterator[Finding]:
        """Without comparing tiles; roots are."""
        yield from self._compare_roots(self._size(), group)
        yield from self._take(group, compare=False)

    def head(self) -> TreeHead:
        """Of all that was given."""
        all_of_it = self._range(())
        return TreeHead(size=all_of_it.size, hashes=all_of_it.hashes)

    def rest(self) -> Iterator[SignedRoot]:
        """Roots of sizes that were not reached."""
        return self._roots if self._next is None else chain([self._next], self._roots)

    def _size(self) -> int:
        return self._complete.size * WIDTH + len(self._tail)

    def _range(self, hashes: Sequence[bytes]) -> CompactRange:
        complete = CompactRange(self._complete.size * WIDTH, self._complete.hashes)
        return complete.extended(self._tail).extended(hashes)

    def _compare_roots(self, begin: int, group: ComparedGroup) -> Iterator[Finding]:
        while self._next is not None and self._next.size <= begin + len(group.hashes):
            said, self._next = self._next, next(self._roots, None)
            if self._range(group.hashes[: said.size - begin]).root() != said.root:
                detail = f"{said.said_by} has another root for the tree of {said.size} entries"
                yield Finding(invariant=Invariant.CHECKPOINT, subject=str(said.size), detail=detail)

    def _take(self, group: ComparedGroup, compare: bool) -> Iterator[Finding]:
        if self._tail:
            raise ValueError("a group after one that is not full")
        if len(group.hashes) < WIDTH:
            self._tail = group.hashes
            return
        node = group.root
        self._complete = self._complete.extended([node])
        level = 1
        while True:
            if len(self._levels) < level:
                self._levels.append([])
            held = self._levels[level - 1]
            held.append(node)
            if len(held) < WIDTH:
                return
            index = (self._complete.size >> HEIGHT * level) - 1
            if compare and (index + 1) * WIDTH << HEIGHT * level <= self._published:
                yield from differs(Tile(level, index), b"".join(held), self._read)
            node = root_of(held)
            held.clear()
            level += 1

    def _compare_partial(self) -> Iterator[Finding]:
        for level, held in enumerate(self._levels, 1):
            if held:
                index = (self._published >> HEIGHT * level) // WIDTH
                yield from differs(Tile(level, index, len(held)), b"".join(held), self._read)


def bundle_paths(size: int) -> Iterator[tuple[str, int]]:
    """The bundles of a tree of a size."""
    return ((tile.path, tile.width) for tile in tiles_of(size) if tile.level is None)

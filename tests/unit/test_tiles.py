"""Tiles: every file has one path, every tree is in its files, a file that is not whole or not right is found out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import LogDamaged
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.log.merkle import (
    compact_range,
    consistency_holds,
    consistency_path,
    inclusion_holds,
    inclusion_path,
    root_of,
)
from seal_service.log.tiles import (
    LONGEST_ENTRY,
    WIDTH,
    Tile,
    TiledNodes,
    bundle,
    entries_of,
    filled,
    hashes_of,
    tile_at,
    tiles_of,
)
from tests.note_keys import one_bit_mutations

SIZE = 700
ENTRIES = [b"entry %d" % index for index in range(SIZE)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]

tiles = st.builds(Tile, st.none() | st.integers(0, 63), st.integers(0, (1 << 63) // WIDTH), st.integers(1, WIDTH))


def content(tile: Tile) -> bytes:
    """A tile of the tree, from its entries alone."""
    first = tile.index * WIDTH
    if tile.level is None:
        return bundle(ENTRIES[first : first + tile.width])
    span = WIDTH**tile.level
    return b"".join(root_of(LEAVES[at * span : (at + 1) * span]) for at in range(first, first + tile.width))


FILES = {tile.path: content(tile) for size in range(1, SIZE + 1) for tile in tiles_of(size, size - 1)}


def read(tile: Tile) -> bytes:
    """A tile as it was published."""
    return FILES[tile.path]


@given(tiles)
def test_a_tile_is_found_at_its_path(tile: Tile) -> None:
    assert tile_at(tile.path) == tile


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(1, 0, 5), "tile/1/000.p/5"),
        (Tile(None, 999, 1), "tile/entries/999.p/1"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(None, 1234067), "tile/entries/x001/x234/067"),
    ],
)
def test_paths_are_those_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/1000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/entries/000/",
        "tile/entries/x000/000",
        "tile/0/x001/x000",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/999",
        "tile/0/000.p/",
        "tile/0/٠٠٠",
        "tile/0/000\n",
        "/tile/0/000",
        "tile/0/../0/000",
        "tile/0/" + "x001/" * 7 + "000",
        "tile/0/" + "x001/" * 2000 + "000",
    ],
)
def test_no_other_path_is_a_tiles(path: str) -> None:
    assert tile_at(path) is None


@given(st.text(st.sampled_from("tile/entries0123456789x.p/"), max_size=30))
def test_any_path_is_a_tiles_one_path_or_none(path: str) -> None:
    tile = tile_at(path)
    assert tile is None or tile.path == path


def test_the_tiles_of_every_size_hold_its_whole_tree() -> None:
    for size in [*range(1, 20), 255, 256, 257, 511, 512, 513, SIZE]:
        nodes = TiledNodes(size, read)
        assert compact_range(size, nodes).root() == root_of(LEAVES[:size])
        held = {tile.path for tile in tiles_of(size)}
        entries = [
            entry for tile in tiles_of(size) if tile.level is None for entry in entries_of(FILES[tile.path], tile.width)
        ]
        assert entries == ENTRIES[:size]
        assert held <= FILES.keys()


@given(st.tuples(*[st.integers(0, SIZE)] * 3))
def test_tiles_since_a_size_and_those_before_are_the_tiles(sizes: tuple[int, int, int]) -> None:
    first, second, third = sorted(sizes)
    written = {*tiles_of(first), *tiles_of(second, first), *tiles_of(third, second)}
    assert written == {*tiles_of(first), *tiles_of(second), *tiles_of(third)}
    full = [{tile for tile in tiles_of(size) if tile.width == WIDTH} for size in (second, third)]
    assert set(filled(third, second)) == full[1] - full[0]


@given(st.integers(1, 1 << 40), st.integers(0, 600))
def test_tiles_of_a_large_tree_are_few_when_it_grows_little(size: int, more: int) -> None:
    new = list(tiles_of(size + more, size))
    assert len(new) <= 2 * (more // WIDTH + 2) + 8
    assert len(set(new)) == len(new)
    for tile in new:
        span = WIDTH ** (tile.level or 0)
        assert size // span < tile.index * WIDTH + tile.width <= (size + more) // span


@given(st.integers(1, SIZE).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))))
def test_proofs_from_tiles_hold(size_and_index: tuple[int, int]) -> None:
    size, index = size_and_index
    nodes, root = TiledNodes(size, read), root_of(LEAVES[:size])
    assert inclusion_holds(LEAVES[index], index, size, inclusion_path(index, size, nodes), root)
    old = index + 1
    assert consistency_holds(old, size, consistency_path(old, size, nodes), root_of(LEAVES[:old]), root)


def test_no_bit_of_a_tile_can_change() -> None:
    size = 9
    root, (tile,) = root_of(LEAVES[:size]), [tile for tile in tiles_of(size) if tile.level == 0]
    for changed in one_bit_mutations(FILES[tile.path]):
        assert compact_range(size, TiledNodes(size, lambda _, now=changed: now)).root() != root  # type: ignore[misc]


def test_no_bit_of_a_bundle_can_change() -> None:
    root = root_of(LEAVES[:9])
    for changed in one_bit_mutations(bundle(ENTRIES[:9])):
        try:
            entries = entries_of(changed, 9)
        except LogDamaged:
            continue
        assert root_of(leaf_hash(entry) for entry in entries) != root


def test_a_tile_that_is_not_whole_makes_no_proof() -> None:
    nodes = TiledNodes(SIZE, lambda tile: read(tile)[:-1])
    with pytest.raises(LogDamaged):
        inclusion_path(3, SIZE, nodes)


def test_nodes_that_a_tree_does_not_have_are_not_made_up() -> None:
    nodes = TiledNodes(9, read)
    for level, index in ((0, 9), (1, 4), (3, 1), (4, 0), (0, -1), (-1, 0)):
        with pytest.raises(ValueError, match="not complete"):
            nodes(level, index)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=WIDTH))
def test_a_bundle_is_read_as_it_was_written(entries: list[bytes]) -> None:
    assert entries_of(bundle(entries), len(entries)) == entries


@given(st.binary(max_size=60), st.integers(1, WIDTH))
def test_any_bytes_are_a_bundle_that_would_be_written_so_or_damaged(data: bytes, width: int) -> None:
    try:
        entries = entries_of(data, width)
    except LogDamaged:
        return
    assert len(entries) == width
    assert bundle(entries) == data


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=WIDTH))
def test_hashes_are_read_as_they_were_written(hashes: list[bytes]) -> None:
    assert hashes_of(b"".join(hashes), len(hashes)) == hashes
    for wrong in (len(hashes) - 1, len(hashes) + 1):
        with pytest.raises(LogDamaged):
            hashes_of(b"".join(hashes), wrong)


def test_a_bundle_has_limits() -> None:
    assert entries_of(bundle([bytes(LONGEST_ENTRY)]), 1) == [bytes(LONGEST_ENTRY)]
    for entries in ([], [b""] * (WIDTH + 1), [bytes(LONGEST_ENTRY + 1)]):
        with pytest.raises(ValueError, match="a bundle has"):
            bundle(entries)

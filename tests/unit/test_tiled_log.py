"""What the published files prove, and that nothing that is wrong with them is given out as a proof."""

from __future__ import annotations

import hashlib

import pytest

from seal_service.domain.errors import InvalidInput, LogDamaged, NoteRefused
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.log.merkle import consistency_holds, root_of
from seal_service.log.proofs import read_proof, verified_proof
from seal_service.log.tiled_log import TiledLog
from seal_service.log.tiles import CHECKPOINT
from seal_service.testing.transparency import MemoryLogFiles, MemoryLogKey
from tests.published_tree import publish

KEY = MemoryLogKey("log.example.gov.cn/seals")
ENTRIES = [f'{{"id":"{number}"}}'.encode() for number in range(700)]
LEAVES = [leaf_hash(one) for one in ENTRIES]
SIZES = (1, 2, 3, 255, 256, 257, 511, 512, 700)


def log_of(size: int) -> tuple[TiledLog, MemoryLogFiles]:
    files = MemoryLogFiles()
    publish(files, KEY, ENTRIES[:size])
    return TiledLog(files), files


@pytest.mark.parametrize("size", SIZES)
def test_every_entry_of_a_tree_has_a_proof_that_a_stranger_verifies(size: int) -> None:
    log, _ = log_of(size)
    for index in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        content = log.inclusion(LEAVES[index], index, ENTRIES[index])
        assert content is not None
        proof = read_proof(content)
        assert (proof.index, proof.extra) == (index, ENTRIES[index])
        leaf = hashlib.sha256(b"\x00" + (proof.extra or b"")).digest()
        assert verified_proof(proof, leaf, KEY.verifier).checkpoint.size == size
        with pytest.raises(NoteRefused):
            verified_proof(proof, hashlib.sha256(b"\x00another").digest(), KEY.verifier)


def test_an_entry_beyond_the_published_tree_has_no_proof_yet() -> None:
    log, files = log_of(300)
    assert log.inclusion(LEAVES[300], 300, None) is None
    publish(files, KEY, ENTRIES[:301], 300)
    assert log.inclusion(LEAVES[300], 300, None) is not None


def test_before_the_first_checkpoint_there_is_nothing() -> None:
    log = TiledLog(MemoryLogFiles())
    assert log.tree() is None
    assert log.inclusion(LEAVES[0], 0, None) is None
    assert log.consistency(1, 1) is None


@pytest.mark.parametrize("size", SIZES)
def test_every_tree_follows_every_smaller_one(size: int) -> None:
    log, _ = log_of(700)
    for old in {1, 2, 3, 100, 255, 256, 257, 511, size} & set(range(1, size + 1)):
        path = log.consistency(old, size)
        assert path is not None
        assert consistency_holds(old, size, path, root_of(LEAVES[:old]), root_of(LEAVES[:size]))
    assert log.consistency(size, 701) is None


@pytest.mark.parametrize(("old", "size"), [(0, 5), (-1, 5), (6, 5)])
def test_sizes_that_no_tree_follows_by_are_refused(old: int, size: int) -> None:
    with pytest.raises(InvalidInput, match="0 < from <= to"):
        log_of(10)[0].consistency(old, size)


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/002.p/188", "tile/1/000.p/2"])
def test_one_flipped_bit_in_a_tile_is_no_proof_but_an_alarm(path: str) -> None:
    log, files = log_of(700)
    files.kept[path] = files.kept[path][:-1] + bytes([files.kept[path][-1] ^ 1])
    with pytest.raises(LogDamaged):
        log.inclusion(LEAVES[0], 0, None)
    with pytest.raises(LogDamaged):
        log.consistency(10, 700)


def test_an_entry_in_the_place_of_another_is_an_alarm() -> None:
    log, _ = log_of(700)
    with pytest.raises(LogDamaged, match="another leaf in place 3"):
        log.inclusion(LEAVES[4], 3, None)


def test_a_missing_tile_and_a_checkpoint_that_is_none_are_alarms() -> None:
    log, files = log_of(700)
    del files.kept["tile/0/002.p/188"]
    with pytest.raises(LogDamaged, match=r"tile/0/002\.p/188 is missing"):
        log.inclusion(LEAVES[0], 0, None)
    files.kept[CHECKPOINT] = b"nonsense"
    with pytest.raises(LogDamaged, match="cannot be read"):
        log.tree()


class GrowingFiles(MemoryLogFiles):
    """Between the first reading of the checkpoint and that of a tile the log grows and drops its partial tiles."""

    def read(self, path: str) -> bytes | None:
        found = self.kept.get(path)
        if path == CHECKPOINT and "tile/0/002" not in self.kept:
            publish(self, KEY, [*ENTRIES, *(str(one).encode() for one in range(100))], 700)
        return found


def test_a_tree_that_grows_while_it_is_read_gives_a_proof_all_the_same() -> None:
    files = GrowingFiles()
    publish(files, KEY, ENTRIES)
    content = TiledLog(files).inclusion(LEAVES[650], 650, None)
    assert content is not None
    assert "tile/0/002.p/188" not in files.kept
    verified_proof(read_proof(content), LEAVES[650], KEY.verifier)


def test_only_paths_of_tiles_are_read() -> None:
    log, files = log_of(700)
    files.kept |= {"tile/0/../../secret": b"x", "secret": b"x"}
    full, partial = log.tile("tile/0/000"), log.tile("tile/entries/002.p/188")
    assert full is not None
    assert (full.full, len(full.content)) == (True, 256 * 32)
    assert partial is not None
    assert not partial.full
    for path in ("checkpoint", "secret", "tile/0/../../secret", "tile/0/0", "tile/00/000", "tile/0/000.p/256", ""):
        assert log.tile(path) is None

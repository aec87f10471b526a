"""Merkle trees: roots, compact ranges and proofs of every size agree with RFC 6962 read word for word."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.log.merkle import (
    EMPTY_ROOT,
    CompactRange,
    compact_range,
    consistency_holds,
    consistency_path,
    inclusion_holds,
    inclusion_path,
    node_hash,
    root_of,
)
from tests.note_keys import one_bit_mutations

LARGEST = 130
LEAVES = [leaf_hash(b"leaf %d" % index) for index in range(LARGEST)]
PUBLISHED = Path(os.environ.get("SEAL_TEST_CORPORA", "nowhere")) / "merkle"
VECTORS = Path(__file__).parents[1] / "vectors" / "transparency.json"


@cache
def mth(begin: int, end: int) -> bytes:
    """MTH of RFC 6962, 2.1, as it stands there."""
    size = end - begin
    if size == 0:
        return hashlib.sha256().digest()
    if size == 1:
        return LEAVES[begin]
    k = max(1 << n for n in range(size.bit_length()) if 1 << n < size)
    return hashlib.sha256(b"\x01" + mth(begin, begin + k) + mth(begin + k, end)).digest()


def node(level: int, index: int) -> bytes:
    """Any complete subtree."""
    return mth(index << level, index + 1 << level)


def wide_node(level: int, index: int) -> bytes:
    """A complete subtree of a tree too large to hold: in it every leaf is the same."""
    return same_leaves(level)


@cache
def same_leaves(level: int) -> bytes:
    """The root over 2^level equal leaves."""
    return leaf_hash(b"") if level == 0 else node_hash(same_leaves(level - 1), same_leaves(level - 1))


def test_the_root_of_every_size_is_that_of_the_rfc_however_the_tree_grew() -> None:
    grown = CompactRange()
    for size in range(LARGEST + 1):
        root = mth(0, size)
        assert root_of(LEAVES[:size]) == grown.root() == root
        assert compact_range(size, node) == grown
        grown = grown.extended(LEAVES[size : size + 1])
    assert mth(0, 0) == EMPTY_ROOT


@given(st.lists(st.integers(0, 40), max_size=5))
def test_a_tree_grows_to_the_same_range_in_any_steps(steps: list[int]) -> None:
    steps = [step for at, step in enumerate(steps) if sum(steps[: at + 1]) <= LARGEST]
    grown, size = CompactRange(), 0
    for step in steps:
        grown, size = grown.extended(LEAVES[size : size + step]), size + step
    assert grown == CompactRange().extended(LEAVES[:size])


def test_a_range_has_one_hash_for_each_complete_subtree() -> None:
    for size, hashes in ((1, 0), (3, 1), (0, 1), (4, 2), (-1, 1)):
        with pytest.raises(ValueError, match="complete subtrees"):
            CompactRange(size, tuple(LEAVES[:hashes]))


def test_every_leaf_of_every_tree_is_shown_and_by_its_own_path_alone() -> None:
    for size in range(1, LARGEST + 1):
        root = mth(0, size)
        for index in range(size):
            path = inclusion_path(index, size, node)
            assert len(path) <= (size - 1).bit_length()
            assert inclusion_holds(LEAVES[index], index, size, path, root)
            assert not inclusion_holds(LEAVES[index - 1], index, size, path, root) or size == 1
            assert not inclusion_holds(LEAVES[index], index, size, (*path, LEAVES[0]), root)
            assert not inclusion_holds(LEAVES[index], index, size, path[:-1], root) or not path
            for other in (index + 1, index - 1, index + size, index ^ 1):
                assert not inclusion_holds(LEAVES[index], other, size, path, root)


def test_every_tree_is_shown_to_follow_every_earlier_one_and_no_other() -> None:
    for size in range(2, LARGEST + 1):
        root = mth(0, size)
        for old in range(1, size):
            path, old_root = consistency_path(old, size, node), mth(0, old)
            assert consistency_holds(old, size, path, old_root, root)
            assert not consistency_holds(old, size, path, mth(0, old - 1), root)
            assert not consistency_holds(old, size, path, old_root, mth(0, size - 1))
            assert not consistency_holds(old, size, (*path, LEAVES[0]), old_root, root)
            assert not consistency_holds(old, size, path[:-1], old_root, root)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 13])
def test_no_bit_of_an_inclusion_proof_can_change(size: int) -> None:
    root = mth(0, size)
    for index in range(size):
        path = inclusion_path(index, size, node)
        for changed in one_bit_mutations(LEAVES[index]):
            assert not inclusion_holds(changed, index, size, path, root)
        for changed in one_bit_mutations(root):
            assert not inclusion_holds(LEAVES[index], index, size, path, changed)
        for at, one in enumerate(path):
            for changed in one_bit_mutations(one):
                assert not inclusion_holds(LEAVES[index], index, size, (*path[:at], changed, *path[at + 1 :]), root)


@pytest.mark.parametrize("size", [2, 3, 7, 8, 13])
def test_no_bit_of_a_consistency_proof_can_change(size: int) -> None:
    root = mth(0, size)
    for old in range(1, size):
        path, old_root = consistency_path(old, size, node), mth(0, old)
        for changed in one_bit_mutations(old_root):
            assert not consistency_holds(old, size, path, changed, root)
        for changed in one_bit_mutations(root):
            assert not consistency_holds(old, size, path, old_root, changed)
        for at, one in enumerate(path):
            for changed in one_bit_mutations(one):
                assert not consistency_holds(old, size, (*path[:at], changed, *path[at + 1 :]), old_root, root)


@given(st.data())
def test_trees_of_any_size_prove(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, (1 << 63) - 1))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root, old_root = compact_range(size, wide_node).root(), compact_range(old, wide_node).root()
    path, consistency = inclusion_path(index, size, wide_node), consistency_path(old, size, wide_node)
    assert len(path) <= 63
    assert len(consistency) <= 63 + 1
    assert inclusion_holds(leaf_hash(b""), index, size, path, root)
    assert consistency_holds(old, size, consistency, old_root, root)
    assert not inclusion_holds(leaf_hash(b"x"), index, size, path, root)
    assert not consistency_holds(old, size, consistency, leaf_hash(b"x"), root)


@given(
    st.integers(-(1 << 70), 1 << 70),
    st.integers(-(1 << 70), 1 << 70),
    st.lists(st.binary(max_size=40) | st.sampled_from(LEAVES[:4]), max_size=80),
)
@settings(max_examples=300)
def test_hostile_proofs_are_answered_with_no(first: int, size: int, path: list[bytes]) -> None:
    assert not inclusion_holds(LEAVES[9], first, size, path, LEAVES[8])
    assert not consistency_holds(first, size, path, LEAVES[9], LEAVES[8])


def test_hashes_of_another_length_are_in_no_proof() -> None:
    root = mth(0, 2)
    assert not inclusion_holds(LEAVES[0], 0, 2, (LEAVES[1] + b"\x00",), root)
    joined = hashlib.sha256(b"\x01" + LEAVES[0] + LEAVES[1]).digest()
    assert joined == root
    assert not inclusion_holds(LEAVES[0][:31], 0, 2, (LEAVES[0][31:] + LEAVES[1],), root)
    assert not consistency_holds(1, 2, (LEAVES[0][31:] + LEAVES[1],), LEAVES[0][:31], root)


def test_there_is_no_path_to_what_is_not_there() -> None:
    for index, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="none of index"):
            inclusion_path(index, size, node)
    for old, size in ((4, 3), (-1, 3)):
        with pytest.raises(ValueError, match="does not follow"):
            consistency_path(old, size, node)


def test_the_same_tree_follows_itself_without_a_path_and_nothing_is_shown_of_the_empty_one() -> None:
    assert consistency_path(0, 5, node) == consistency_path(5, 5, node) == ()
    assert consistency_holds(5, 5, (), mth(0, 5), mth(0, 5))
    assert not consistency_holds(5, 5, (), mth(0, 5), mth(0, 4))
    assert consistency_holds(0, 0, (), EMPTY_ROOT, EMPTY_ROOT)
    assert not consistency_holds(0, 0, (), LEAVES[0], LEAVES[0])
    assert not consistency_holds(0, 5, (), EMPTY_ROOT, mth(0, 5))


def test_roots_never_change_unnoticed() -> None:
    """Golden vectors: leaf n is the decimal number n; made once from the RFC's own words."""
    roots = json.loads(VECTORS.read_text())["roots"]
    leaves = [leaf_hash(str(index).encode()) for index in range(len(roots))]
    for size, root in enumerate(roots):
        assert root_of(leaves[:size]).hex() == root


@pytest.mark.corpora
@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="SEAL_TEST_CORPORA names no published Merkle vectors")
class TestPublishedVectors:
    """Those of the transparency-dev project."""

    def test_inclusion(self) -> None:
        files = sorted((PUBLISHED / "inclusion").rglob("*.json"))
        assert len(files) > 50
        for file in files:
            one = json.loads(file.read_text())
            held = inclusion_holds(
                base64.b64decode(one["leafHash"]),
                one["leafIdx"],
                one["treeSize"],
                [base64.b64decode(each) for each in one["proof"] or ()],
                base64.b64decode(one["root"]),
            )
            assert held is not one["wantErr"], file

    def test_consistency(self) -> None:
        files = sorted((PUBLISHED / "consistency").rglob("*.json"))
        assert len(files) > 50
        for file in files:
            one = json.loads(file.read_text())
            held = consistency_holds(
                one["size1"],
                one["size2"],
                [base64.b64decode(each) for each in one["proof"] or ()],
                base64.b64decode(one["root1"]),
                base64.b64decode(one["root2"]),
            )
            assert held is not one["wantErr"], file

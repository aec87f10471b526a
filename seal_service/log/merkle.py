"""Merkle trees of RFC 6962: hashes, the compact range of a growing tree, proofs and their verification.

Nothing here reads or stores: a proof takes the hashes of complete subtrees from a function, `node(level, index)` being
the root over the leaves [index·2^level, (index+1)·2^level).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Node = Callable[[int, int], bytes]

EMPTY_ROOT = hashlib.sha256(b"").digest()
HASH_BYTES = 32
_sha256 = hashlib.sha256


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return _sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class CompactRange:
    """The complete subtrees that a tree of a size consists of, the largest first: all that growing it needs."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()
    """One for each bit that is set in size."""

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise ValueError(f"a tree of {self.size} leaves has another number of complete subtrees")

    def extended(self, leaf_hashes: Iterable[bytes]) -> CompactRange:
        """The range after these leaves."""
        size, stack = self.size, list(self.hashes)
        for leaf in leaf_hashes:
            hashed, ones = leaf, size
            while ones & 1:
                hashed = _sha256(b"\x01" + stack.pop() + hashed).digest()
                ones >>= 1
            stack.append(hashed)
            size += 1
        return CompactRange(size, tuple(stack))

    def root(self) -> bytes:
        """MTH of the tree (RFC 6962, 2.1)."""
        if not self.hashes:
            return EMPTY_ROOT
        *rest, root = self.hashes
        for left in reversed(rest):
            root = node_hash(left, root)
        return root


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """MTH over leaf hashes."""
    return CompactRange().extended(leaf_hashes).root()


def compact_range(size: int, node: Node) -> CompactRange:
    """The range of a tree of which the complete subtrees are known."""
    hashes, begin = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            hashes.append(node(level, begin >> level))
            begin += 1 << level
    return CompactRange(size, tuple(hashes))


def inclusion_path(index: int, size: int, node: Node) -> tuple[bytes, ...]:
    """PATH(index, D[size]), from the leaf up (RFC 6962, 2.1.1). ValueError when there is no such leaf."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has none of index {index}")
    begin, end, path = 0, size, []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            path.append(_subtree(middle, end, node))
            end = middle
        else:
            path.append(_subtree(begin, middle, node))
            begin = middle
    return tuple(reversed(path))


def consistency_path(old: int, size: int, node: Node) -> tuple[bytes, ...]:
    """PROOF(old, D[size]) (RFC 6962, 2.1.2); empty for 0 and for equal sizes. ValueError when the old is larger."""
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {size} leaves does not follow one of {old}")
    if old in (0, size):
        return ()
    begin, end, path = 0, size, []
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            path.append(_subtree(middle, end, node))
            end = middle
        else:
            path.append(_subtree(begin, middle, node))
            begin = middle
    if begin:
        path.append(_subtree(begin, end, node))
    return tuple(reversed(path))


def inclusion_holds(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf to the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes(leaf, *path):
        return False
    first, last, hashed = index, size - 1, leaf
    for one in path:
        if last == 0:
            return False
        if first & 1 or first == last:
            hashed = node_hash(one, hashed)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            hashed = node_hash(hashed, one)
        first, last = first >> 1, last >> 1
    return last == 0 and hashed == root


def consistency_holds(old: int, size: int, path: Sequence[bytes], old_root: bytes, root: bytes) -> bool:
    """Whether the path shows the old tree as the beginning of the new one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= size:
        return False
    if old == size:
        return not path and old_root == root and (size > 0 or root == EMPTY_ROOT)
    if old == 0:  # every tree follows the empty one: there is nothing to show, and no proof of it
        return False
    hashes = list(path) if old & (old - 1) else [old_root, *path]
    if not hashes or not _are_hashes(*hashes):
        return False
    first, last = old - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old_hash = new_hash = hashes[0]
    for one in hashes[1:]:
        if last == 0:
            return False
        if first & 1 or first == last:
            old_hash, new_hash = node_hash(one, old_hash), node_hash(one, new_hash)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            new_hash = node_hash(new_hash, one)
        first, last = first >> 1, last >> 1
    return last == 0 and old_hash == old_root and new_hash == root


def _split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << (size - 1).bit_length() - 1


def _subtree(begin: int, end: int, node: Node) -> bytes:
    """MTH(D[begin:end]) of a range as the recursion of RFC 6962 makes them."""
    size = end - begin
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, begin >> level)
    middle = begin + _split(size)
    return node_hash(_subtree(begin, middle, node), _subtree(middle, end, node))


def _are_hashes(*hashes: bytes) -> bool:
    return all(len(one) == HASH_BYTES for one in hashes)

"""见证规则: what a witness answers to the checkpoint of a log that it knows (C2SP tlog-witness)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class SeenTree:
    """A tree as a checkpoint tells of it."""

    size: int
    root: bytes


EMPTY_TREE = SeenTree(0, hashlib.sha256(b"").digest())
"""What a witness has seen of a log of which it saw nothing yet."""


class WitnessFinding(Enum):
    """见证结论: one of these, in the order in which they are looked for."""

    SMALLER_THAN_SAID = auto()
    """The tree is smaller than the one that it is said to follow."""
    OTHER_SIZE = auto()
    """The tree is said to follow another size than the one that was cosigned last."""
    OTHER_ROOT = auto()
    """Of the size that was cosigned last, with another root: a fork."""
    NOT_SHOWN = auto()
    """Nothing shows that it follows the tree that was cosigned last."""
    FOLLOWS = auto()
    """The one finding that is cosigned."""


def witness_finding(
    known: SeenTree, said: int, submitted: SeenTree, shown: Callable[[SeenTree], bool], path_length: int
) -> WitnessFinding:
    """What stands between a submitted tree and the one that was cosigned last.

    `said` is the size that it is said to follow, `shown` whether its consistency path shows so for a tree.
    """
    if said > submitted.size:
        return WitnessFinding.SMALLER_THAN_SAID
    if said != known.size:
        return WitnessFinding.OTHER_SIZE
    if said == submitted.size and known.root != submitted.root:
        return WitnessFinding.OTHER_ROOT
    if said in (0, submitted.size):  # every tree follows the empty one, and itself: the path is empty
        return WitnessFinding.NOT_SHOWN if path_length else WitnessFinding.FOLLOWS
    return WitnessFinding.FOLLOWS if shown(known) else WitnessFinding.NOT_SHOWN

"""tlog-scales (PyPI) reads a log: checkpoint, tiles, bundles, proofs."""

from __future__ import annotations

from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash
from tlog_scales.tlog import Checkpoint, ConsistencyProof, InclusionProof

from tests.interop.outside.question import Question, answer, demand

WIDTH = 256


def check(asked: Question) -> str:
    """Root from the tiles, every entry against the tiles, every tile against the root, and what was seen earlier."""
    key = Vkey.from_string(asked.key)
    reader = TilesReader(LocalBackend(asked.log))
    now = reader.get_checkpoint()
    now.verify(key)
    demand(reader.calculate_root_hash() == now.root_hash, "the tiles have another root than the checkpoint")
    for first in range(0, now.size, WIDTH):
        # A path from the first leaf of a tile has all other hashes of the tile beside it.
        proof = reader.get_inclusion_proof(first, now.size)
        proof.check(leaf_hash(reader.get_entry(first)), now.root_hash)
        for index in range(first, min(now.size, first + WIDTH)):
            hashed = leaf_hash(reader.get_entry(index))
            demand(hashed == reader.mth(index, index + 1), f"entry {index} is not that of its tile")
    earlier = Checkpoint.from_text(asked.earlier)
    earlier.verify(key)
    demand(earlier.size <= now.size, f"the log had {earlier.size} entries and has {now.size}")
    reader.get_consistency_proof(earlier.size, now.size).check(earlier.root_hash, now.root_hash)
    for one in asked.issued:
        path = [bytes.fromhex(part) for part in one["path"]]
        root = bytes.fromhex(one["root"])
        InclusionProof(one["index"], one["size"], path).check(leaf_hash(bytes.fromhex(one["entry"])), root)
    for one in asked.consistency:
        path = [bytes.fromhex(part) for part in one["path"]]
        old_root, root = bytes.fromhex(one["old_root"]), bytes.fromhex(one["root"])
        ConsistencyProof(one["old"], one["size"], path).check(old_root, root)
    return f"{now.size} entries, {len(asked.issued)} proofs, {len(asked.consistency)} consistency proofs"


answer(check)

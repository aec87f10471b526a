"""pymerkle (PyPI) as an oracle: a tree of its own over the entries of the bundles; it knows no tiles and no notes."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

from pymerkle import InmemoryTree, verify_consistency

from tests.interop.outside.question import Question, answer, demand


def check(asked: Question) -> str:
    """Every root from 1 on, the checkpoint's, the earlier one's, and the paths of proofs."""
    size, root = tree_of((asked.log / "checkpoint").read_text())
    old, old_root = tree_of(asked.earlier)
    tree = InmemoryTree(algorithm="sha256")
    wrong = []
    with asked.roots.open() as roots:
        for number, entry in enumerate(entries(asked.log), start=1):
            tree.append_entry(entry)
            expected = next(roots, None)
            if expected is not None and tree.get_root().hex() != expected.strip():
                wrong.append(number)
    demand(tree.get_size() >= size, f"there are {tree.get_size()} entries, the checkpoint says {size}")
    demand(tree.get_root(size) == root, f"the root of {size} entries is {tree.get_root(size).hex()}, not {root.hex()}")
    demand(size >= old, f"the log had {old} entries and has {size}")
    demand(tree.get_root(old) == old_root, f"the root of the first {old} entries was {old_root.hex()}")
    demand(not wrong, f"the roots differ from that of {wrong[:1]} entries on")
    verify_consistency(old_root, root, tree.prove_consistency(old, size), old, size)
    for one in asked.issued:
        proof = tree.prove_inclusion(one["index"] + 1, one["size"])
        demand([part.hex() for part in proof.path[1:]] == one["path"], f"the path of entry {one['index']} differs")
    for one in asked.consistency:
        proof = tree.prove_consistency(one["old"], one["size"])
        old_root, root = bytes.fromhex(one["old_root"]), bytes.fromhex(one["root"])
        verify_consistency(old_root, root, proof, one["old"], one["size"])
    return f"{size} roots, {len(asked.issued)} paths, {len(asked.consistency)} pairs of trees"


def tree_of(checkpoint: str) -> tuple[int, bytes]:
    """Size and root."""
    lines = checkpoint.split("\n")
    return int(lines[1]), base64.b64decode(lines[2], validate=True)


def entries(log: Path) -> Iterator[bytes]:
    """All entries, from the bundles."""
    found: dict[int, tuple[int, Path]] = {}
    below = log / "tile" / "entries"
    for path in below.rglob("*"):
        if path.is_file():
            index, _, width = str(path.relative_to(below)).partition(".p/")
            number = int(index.replace("x", "").replace("/", ""))
            found[number] = max(found.get(number, (0, path)), (int(width or 256), path))
    for number in sorted(found):
        content, at = found[number][1].read_bytes(), 0
        while at < len(content):
            end = at + 2 + int.from_bytes(content[at : at + 2])
            demand(end <= len(content), f"bundle {number} ends within an entry")
            yield content[at + 2 : end]
            at = end


answer(check)

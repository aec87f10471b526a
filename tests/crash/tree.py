"""The published log after a crash: no gap, no fork, and what is published is what the database says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from seal_service.bootstrap import Service
from seal_service.domain.errors import SealServiceError
from seal_service.formats.checkpoint import Checkpoint, open_checkpoint, read_checkpoint
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.note import verifier_key
from seal_service.log.merkle import CompactRange
from seal_service.log.tiles import WIDTH, Tile, entries_of
from seal_service.usecases.audit_log import CheckFiles
from seal_service.usecases.publish_checkpoint import PublishCheckpoint
from seal_service.usecases.read_log_key import ReadLogKey
from seal_service.usecases.sequence_log import SequenceLog
from tests.crash.scene import MACHINE, Scene

_LEAVES = "SELECT idx, entry_id, leaf_hash FROM log_leaf ORDER BY idx"
_ENTRIES = "SELECT entry_id, leaf_hash FROM sign_log"


@dataclass(frozen=True)
class Tree:
    """What the database has of the tree."""

    leaves: Sequence[tuple[int, str, bytes]]
    entries: dict[str, bytes]
    signed: dict[int, bytes]
    """Size → root of every checkpoint in the database."""
    head: int
    pending: int


def published(service: Service) -> list[str]:
    """Give everything its place and publish it, as the maintenance does; why not, if not."""
    try:
        while service.transparency.sequence(MACHINE, SequenceLog()).placed:
            pass
        done = service.transparency.publish(MACHINE, PublishCheckpoint())
    except SealServiceError as error:
        return [f"the log is not published: {error.message}"]
    return [] if done.begun and not done.waiting else [f"{done.waiting} entries are not published"]


def faults_of_tree(scene: Scene, service: Service, connection: Connection) -> list[str]:
    """What does not hold of leaves, checkpoints, guard and files. Every checkpoint that was ever seen counts."""
    tree = _read(connection)
    key = verifier_key(service.transparency.read_key(MACHINE, ReadLogKey()))
    found = _gaps(tree)
    shown = open_checkpoint((scene.log / "checkpoint").read_bytes(), key).checkpoint
    guarded = open_checkpoint((scene.guard / "checkpoint").read_bytes(), key).checkpoint
    if (shown.size, guarded.size) != (tree.head, tree.head):
        found.append(f"the tree has {tree.head} entries, the published one {shown.size}, the guard's {guarded.size}")
    found += [told for one in (shown, guarded) for told in remembered(scene, one)]
    roots = _roots([hashed for _, _, hashed in tree.leaves], {*scene.checkpoints, *tree.signed})
    for size, root in (*scene.checkpoints.items(), *tree.signed.items()):
        if roots.get(size) != root:
            found.append(f"fork: the first {size} entries have not the root that was signed")
    return found + _faults_of_bundles(scene, tree)


def faults_of_files(service: Service) -> list[str]:
    """`seal log fsck`, after a publication that has settled: between guard and checkpoint the guard leads."""
    checked = service.transparency.checks.files(MACHINE, CheckFiles())
    return [f"fsck: {one.invariant.name}: {one.subject}: {one.detail}" for one in checked.findings]


def glimpsed(scene: Scene) -> list[str]:
    """What anyone may have fetched at this moment is remembered: two roots of one size are a fork."""
    try:
        content = (scene.log / "checkpoint").read_text()
    except FileNotFoundError:
        return []
    return remembered(scene, read_checkpoint(content.partition("\n\n")[0] + "\n"))


def remembered(scene: Scene, seen: Checkpoint) -> list[str]:
    """Remember a checkpoint; what is wrong with it beside one of the same size."""
    known = scene.checkpoints.setdefault(seen.size, seen.root)
    return [] if known == seen.root else [f"fork: two checkpoints of {seen.size} entries"]


def size_of_tree(scene: Scene) -> int:
    """How many entries have a place."""
    with scene.reading() as connection:
        return _read(connection).head


def _read(connection: Connection) -> Tree:
    ask = connection.execute
    return Tree(
        leaves=[(row.idx, row.entry_id, bytes(row.leaf_hash)) for row in ask(text(_LEAVES))],
        entries={row.entry_id: bytes(row.leaf_hash) for row in ask(text(_ENTRIES))},
        signed={row.size: bytes(row.root) for row in ask(text("SELECT size, root FROM log_checkpoint"))},
        head=ask(text("SELECT size FROM log_head")).scalar_one(),
        pending=ask(text("SELECT count(*) FROM log_pending")).scalar_one(),
    )


def _gaps(tree: Tree) -> list[str]:
    found = []
    if [index for index, _, _ in tree.leaves] != list(range(tree.head)):
        found.append(f"the leaves of the tree are not those from 0 to {tree.head}")
    if tree.pending:
        found.append(f"{tree.pending} entries still wait for their place")
    placed = {entry_id: hashed for _, entry_id, hashed in tree.leaves}
    if placed != tree.entries or len(placed) != len(tree.leaves):
        found.append("the entries of the log and the leaves of the tree are not the same, each once")
    return found


def _roots(hashes: Sequence[bytes], sizes: set[int]) -> dict[int, bytes]:
    grown, at, roots = CompactRange(), 0, {}
    for size in sorted(one for one in sizes if one <= len(hashes)):
        grown, at = grown.extended(hashes[at:size]), size
        roots[size] = grown.root()
    return roots


def _faults_of_bundles(scene: Scene, tree: Tree) -> list[str]:
    """Every entry is published, in its place, with the very bytes that were logged."""
    for index in range(0, tree.head, WIDTH):
        leaves = tree.leaves[index : index + WIDTH]
        path = scene.log / Tile(None, index // WIDTH, len(leaves)).path
        try:
            entries = entries_of(path.read_bytes(), len(leaves))
        except (OSError, SealServiceError) as error:
            return [f"the entries from {index} on cannot be read: {error}"]
        if [leaf_hash(one) for one in entries] != [hashed for _, _, hashed in leaves]:
            return [f"the published entries from {index} on are not those of the tree"]
    return []

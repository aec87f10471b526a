"""A published log of entries that a test chooses: tiles, bundles and a checkpoint under a key."""

from __future__ import annotations

from collections.abc import Sequence

from seal_service.formats.checkpoint import Checkpoint
from seal_service.formats.merkle_leaf import leaf_hash
from seal_service.formats.note import verifier_key
from seal_service.log.merkle import root_of
from seal_service.log.tiles import CHECKPOINT, WIDTH, bundle, tiles_of
from seal_service.ports.transparency import LogFiles, NoteSigner


def publish(files: LogFiles, key: NoteSigner, entries: Sequence[bytes], since: int = 0) -> None:
    """Publish the tree of these entries over that of a smaller number of them."""
    levels = [[leaf_hash(one) for one in entries]]
    while len(levels[-1]) >= WIDTH:
        below = levels[-1]
        levels.append([root_of(below[at : at + WIDTH]) for at in range(0, len(below) - WIDTH + 1, WIDTH)])
    for tile in tiles_of(len(entries), since):
        begin = tile.index * WIDTH
        if tile.level is None:
            content = bundle(entries[begin : begin + tile.width])
        else:
            content = b"".join(levels[tile.level][begin : begin + tile.width])
        files.create(tile.path, content)
        if tile.width == WIDTH:
            files.remove_partials(tile.path)
    checkpoint = Checkpoint(origin=verifier_key(key.verifier_key).name, size=len(entries), root=root_of(levels[0]))
    files.publish(CHECKPOINT, key.sign(checkpoint.text))

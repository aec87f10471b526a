"""What can be done to a published log, and which verifier cannot see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from seal_service.formats.base64_text import decoded, encoded
from seal_service.log.tiles import CHECKPOINT, WIDTH, tiles_of
from tests.interop.published import PublishedFiles, Sign, framed

ADDED = 300
"""Entries by which a fork grows: more than a bundle."""
_NO_MEMORY = "a log that agrees with itself; it remembers no earlier checkpoint"
_NO_CONSISTENCY = "it compares no trees"
_NO_SIGNATURES = "it reads no signatures"
_NO_TILES = "it reads no tiles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forger:
    """Who changes a log's files."""

    sign: Sign
    """With the log's own key: only forks are signed."""
    first: bytes
    """The log's first checkpoint."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A change to a log in place; it gives the entries that it is about."""

    name: str
    change: Callable[[PublishedFiles, Forger], tuple[int, ...]]
    unseen: Mapping[str, str] = field(default_factory=dict)
    """The verifiers that cannot see it, and why."""


def flipped(content: bytes, at: int, bit: int = 0) -> bytes:
    """With one bit flipped."""
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


def _middle(log: PublishedFiles) -> int:
    """An entry within the earlier checkpoints that verifiers know."""
    return log.checkpoint().size // 2


def _bundle_bit(log: PublishedFiles, _: Forger) -> tuple[int, ...]:
    index = _middle(log)
    entries = log.entries()
    entries[index] = flipped(entries[index], len(entries[index]) // 2)
    log.replace_bundles(entries, index)
    return (index,)


def _length_bit(log: PublishedFiles, _: Forger) -> tuple[int, ...]:
    """The entry's length in its bundle."""
    index = _middle(log)
    tile = log.bundles()[index // WIDTH]
    content = log.read(tile)
    before = log.entries()[tile.index * WIDTH : index]
    log.replace(tile.path, flipped(content, sum(len(framed(one)) for one in before) + 1))
    return (index,)


def _tile_bit(log: PublishedFiles, level: int) -> tuple[int, ...]:
    """The hash over the middle; it is in the path of its neighbour."""
    index = _middle(log)
    place = index >> 8 * level
    tile = next(one for one in tiles_of(log.checkpoint().size) if one.level == level and one.index == place // WIDTH)
    log.replace(tile.path, flipped(log.read(tile), place % WIDTH * 32))
    return (index, (place ^ 1) << 8 * level)


def _checkpoint_lines(log: PublishedFiles) -> list[str]:
    return (log.directory / CHECKPOINT).read_text(encoding="utf-8").split("\n")


def _root_bit(log: PublishedFiles, _: Forger) -> tuple[int, ...]:
    lines = _checkpoint_lines(log)
    lines[2] = encoded(flipped(decoded(lines[2]), 7))
    log.replace(CHECKPOINT, "\n".join(lines).encode())
    return ()


def _size_bit(log: PublishedFiles, _: Forger) -> tuple[int, ...]:
    lines = _checkpoint_lines(log)
    lines[1] = flipped(lines[1].encode(), len(lines[1]) - 1).decode()
    log.replace(CHECKPOINT, "\n".join(lines).encode())
    return ()


def _signature_bit(log: PublishedFiles, _: Forger) -> tuple[int, ...]:
    lines = _checkpoint_lines(log)
    dash, name, signature = lines[4].split(" ")
    lines[4] = " ".join((dash, name, encoded(flipped(decoded(signature), 30))))
    log.replace(CHECKPOINT, "\n".join(lines).encode())
    return ()


def _dropped(log: PublishedFiles, _: Forger) -> tuple[int, ...]:
    index = _middle(log)
    entries = log.entries()
    log.replace_bundles(entries[:index] + entries[index + 1 :], index)
    return (index,)


def _swap(entries: list[bytes], index: int) -> list[bytes]:
    return [*entries[:index], entries[index + 1], entries[index], *entries[index + 2 :]]


def _swapped(log: PublishedFiles, _: Forger) -> tuple[int, ...]:
    index = _middle(log)
    log.replace_bundles(_swap(log.entries(), index), index)
    return (index, index + 1)


def _doubled(log: PublishedFiles, _: Forger) -> tuple[int, ...]:
    index = _middle(log)
    entries = log.entries()
    log.replace_bundles([*entries[: index + 1], *entries[index:]], index)
    return (index + 1,)


def _swapped_and_hashed(log: PublishedFiles, _: Forger) -> tuple[int, ...]:
    index = _middle(log)
    log.write(_swap(log.entries(), index))
    return (index, index + 1)


def _changed_and_hashed(log: PublishedFiles, _: Forger) -> tuple[int, ...]:
    log.write(_rewritten(log))
    return (_middle(log),)


def _rewritten(log: PublishedFiles) -> list[bytes]:
    """The entries, one of them another: what a city would change that wants a use not to have been."""
    index = _middle(log)
    entries = log.entries()
    entries[index] = flipped(entries[index], len(entries[index]) // 2)
    return entries


def _other_checkpoint(log: PublishedFiles, forger: Forger) -> tuple[int, ...]:
    found = log.checkpoint()
    log.sign(found.size, flipped(found.root, 0), forger.sign)
    return ()


def _fork(log: PublishedFiles, forger: Forger) -> tuple[int, ...]:
    entries = _rewritten(log)
    log.sign(len(entries), log.write(entries), forger.sign)
    return (_middle(log),)


def _larger_fork(log: PublishedFiles, forger: Forger) -> tuple[int, ...]:
    index, entries = _middle(log), _rewritten(log)
    entries += entries[:ADDED]
    log.sign(len(entries), log.write(entries), forger.sign)
    return (index,)


def _cut(log: PublishedFiles, forger: Forger) -> tuple[int, ...]:
    """Back to the first checkpoint, as after the restore of an old backup."""
    entries = log.entries()
    log.replace(CHECKPOINT, forger.first)
    log.write(entries[: log.checkpoint().size])
    return ()


_FORK_UNSEEN = {"fsck": _NO_MEMORY, "sigstore": _NO_CONSISTENCY}

MUTATIONS = (
    Mutation("bit of an entry in its bundle", _bundle_bit),
    Mutation("bit of a length in a bundle", _length_bit),
    Mutation("bit in a tile of level 0", lambda log, _: _tile_bit(log, 0), {"pymerkle": _NO_TILES}),
    Mutation("bit in a tile of level 1", lambda log, _: _tile_bit(log, 1), {"pymerkle": _NO_TILES}),
    Mutation("bit of the checkpoint's root", _root_bit),
    Mutation("bit of the checkpoint's size", _size_bit),
    Mutation("bit of the checkpoint's signature", _signature_bit, {"pymerkle": _NO_SIGNATURES}),
    Mutation("entry dropped", _dropped),
    Mutation("entries swapped", _swapped),
    Mutation("entry doubled", _doubled),
    Mutation("entries swapped, tiles made to match", _swapped_and_hashed),
    Mutation("entry changed, tiles made to match", _changed_and_hashed),
    Mutation("second signed checkpoint over the same files", _other_checkpoint),
    Mutation("fork of the same size, all signed", _fork, _FORK_UNSEEN),
    Mutation("fork that is larger, all signed", _larger_fork, _FORK_UNSEEN),
    Mutation("cut back to an old checkpoint", _cut, _FORK_UNSEEN),
)

"""A log's published files as its publisher leaves them, made with no code of the publisher."""

from __future__ import annotations

import hashlib
from pathlib import Path

from seal_service.formats.checkpoint import Checkpoint
from seal_service.testing.transparency import MemoryLogKey

ORIGIN = "seal.example"


def checkpoint_of(key: MemoryLogKey, entries: list[bytes]) -> bytes:
    hashes = [hashlib.sha256(b"\0" + one).digest() for one in entries]
    return key.sign(Checkpoint(origin=ORIGIN, size=len(entries), root=merkle(hashes)).text)


def merkle(hashes: list[bytes]) -> bytes:
    """MTH, by the recursion of RFC 6962."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256(b"").digest()
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + merkle(hashes[:half]) + merkle(hashes[half:])).digest()


def publish(directory: Path, key: MemoryLogKey, entries: list[bytes]) -> None:
    """Bundles, tiles and the checkpoint of up to 65,536 entries."""
    hashes = [hashlib.sha256(b"\0" + one).digest() for one in entries]
    bundles = [len(one).to_bytes(2) + one for one in entries]
    roots = [merkle(hashes[at : at + 256]) for at in range(0, len(hashes) // 256 * 256, 256)]
    for level, parts in (("entries", bundles), ("0", hashes), ("1", roots)):
        for at in range(0, len(parts), 256):
            group = parts[at : at + 256]
            name = f"tile/{level}/{at // 256:03d}" + ("" if len(group) == 256 else f".p/{len(group)}")
            place = directory / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(b"".join(group))
    (directory / "checkpoint").write_bytes(checkpoint_of(key, entries))

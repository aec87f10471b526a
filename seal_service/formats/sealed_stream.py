"""A long content encrypted piece by piece under the vault, so that neither side holds it whole.

Form: frames of a length (4 bytes, big-endian) and a ciphertext. The context of each piece holds its number and whether
it is the last, so pieces can neither be moved, left out, repeated nor cut off at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from seal_service.domain.errors import IntegrityFailed
from seal_service.ports.system import Vault

PIECE = 1 << 20
"""Bytes of plaintext in every piece but the last."""
_LARGEST_FRAME = 2 * PIECE
_LENGTH_BYTES = 4


def sealed(content: Iterable[bytes], vault: Vault, context: bytes) -> Iterator[bytes]:
    """The frames of a content."""
    number = 0
    waiting = bytearray()
    for chunk in content:
        waiting += chunk
        while len(waiting) > PIECE:
            yield _frame(vault.encrypt(bytes(waiting[:PIECE]), _context(context, number, last=False)))
            del waiting[:PIECE]
            number += 1
    yield _frame(vault.encrypt(bytes(waiting), _context(context, number, last=True)))


def opened(stream: Iterable[bytes], vault: Vault, context: bytes) -> Iterator[bytes]:
    """The content of its frames, in pieces; IntegrityFailed as soon as one is not what was sealed there."""
    frames = _frames(stream)
    number = 0
    current = next(frames, None)
    if current is None:
        raise IntegrityFailed("The encrypted content is empty")
    for following in frames:
        yield vault.decrypt(current, _context(context, number, last=False))
        current = following
        number += 1
    yield vault.decrypt(current, _context(context, number, last=True))


def _frame(ciphertext: bytes) -> bytes:
    return len(ciphertext).to_bytes(_LENGTH_BYTES, "big") + ciphertext


def _frames(stream: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in stream:
        waiting += chunk
        while (end := _end_of_frame(waiting)) <= len(waiting):
            yield bytes(waiting[_LENGTH_BYTES:end])
            del waiting[:end]
    if waiting:
        raise IntegrityFailed("The encrypted content ends within a piece")


def _end_of_frame(waiting: bytearray) -> int:
    """Where the first frame ends; beyond what is there while its length is not."""
    if len(waiting) < _LENGTH_BYTES:
        return _LENGTH_BYTES
    length = int.from_bytes(waiting[:_LENGTH_BYTES], "big")
    if length > _LARGEST_FRAME:
        raise IntegrityFailed("The encrypted content has a piece that is too long")
    return _LENGTH_BYTES + length


def _context(context: bytes, number: int, *, last: bool) -> bytes:
    return context + b"/" + number.to_bytes(8, "big") + (b"last" if last else b"more")

"""检查点 (C2SP tlog-checkpoint): what a log says of its tree, as the text of a note."""

from __future__ import annotations

import re
from dataclasses import dataclass

from seal_service.domain.errors import NoteRefused
from seal_service.formats.base64_text import decoded, encoded
from seal_service.formats.note import SignedNote, VerifierKey, read_note, verified_by

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_LARGEST_SIZE = (1 << 63) - 1
_HASH_BYTES = 32
_LINES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """检查点: size and root of the tree of the log of this origin."""

    origin: str
    size: int
    root: bytes
    """32 bytes."""
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Origin, size, root and extensions, a line each; NoteRefused for what could not be read again."""
        lines = (self.origin, *self.extensions)
        if any(not line or "\n" in line for line in lines):
            raise NoteRefused("A checkpoint's lines are not empty and hold no line feed")
        if not 0 <= self.size <= _LARGEST_SIZE or len(self.root) != _HASH_BYTES:
            raise NoteRefused("A checkpoint has a size from 0 to below 2^63 and a root of 32 bytes")
        return "\n".join((self.origin, str(self.size), encoded(self.root), *self.extensions, ""))


def read_checkpoint(text: str) -> Checkpoint:
    """The checkpoint of a note's text; NoteRefused."""
    lines = text.split("\n")
    if len(lines) < _LINES + 1 or lines.pop() != "" or not all(lines):
        raise NoteRefused("A checkpoint is origin, size and root, a line each, and lines of extensions")
    origin, size, root, *extensions = lines
    if not _SIZE.fullmatch(size) or int(size) > _LARGEST_SIZE:
        raise NoteRefused("A checkpoint's size is a number below 2^63 without leading zeros")
    try:
        digest = decoded(root)
    except ValueError as error:
        raise NoteRefused(f"A checkpoint's root is base64: {error}") from error
    if len(digest) != _HASH_BYTES:
        raise NoteRefused("A checkpoint's root has 32 bytes")
    return Checkpoint(origin=origin, size=int(size), root=digest, extensions=tuple(extensions))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint whose log's signature holds, with its note as it came."""

    checkpoint: Checkpoint
    note: SignedNote
    content: bytes


def open_checkpoint(content: bytes, key: VerifierKey) -> SignedCheckpoint:
    """The checkpoint of a note that the log's key signed; NoteRefused, also when its origin is not the key's name."""
    note = read_note(content)
    verified_by(note, [key])
    checkpoint = read_checkpoint(note.text)
    if checkpoint.origin != key.name:
        raise NoteRefused(f"The checkpoint is of {checkpoint.origin}, the key of {key.name}")
    return SignedCheckpoint(checkpoint=checkpoint, note=note, content=content)

"""收录证明 (C2SP tlog-proof@v1): a file that shows offline that an entry is in the log."""

from __future__ import annotations

import re
from dataclasses import dataclass

from seal_service.domain.errors import NoteRefused
from seal_service.formats.base64_text import decoded, encoded
from seal_service.formats.checkpoint import SignedCheckpoint, open_checkpoint
from seal_service.formats.note import VerifierKey
from seal_service.formats.proof_files import PROOF_HEADER
from seal_service.log.merkle import HASH_BYTES, inclusion_holds
from seal_service.ports.transparency import LARGEST_PROOF

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_LONGEST_PATH = 63
_LARGEST_INDEX = (1 << 63) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LogProof:
    """收录证明 as read: nothing of it is verified yet."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    """The signed note, with the cosignatures that there are."""
    extra: bytes | None = None
    """What the application adds: here the entry's canonical bytes. No signature is over it by itself."""


def write_proof(proof: LogProof) -> bytes:
    """The file."""
    extra = [] if proof.extra is None else [f"extra {encoded(proof.extra)}"]
    lines = [PROOF_HEADER, *extra, f"index {proof.index}", *map(encoded, proof.path), "", ""]
    return "\n".join(lines).encode() + proof.checkpoint


def read_proof(content: bytes) -> LogProof:
    """The proof of a file; NoteRefused for everything that `write_proof` would not have written."""
    if len(content) > LARGEST_PROOF:
        raise NoteRefused(f"A proof has at most {LARGEST_PROOF} bytes")
    head, separator, checkpoint = content.partition(b"\n\n")
    try:
        first, *lines = head.decode("ascii").split("\n")
        extra = decoded(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
        index = _INDEX.fullmatch(lines[0]) if lines else None
        if (
            first != PROOF_HEADER
            or not separator
            or index is None
            or len(lines) > _LONGEST_PATH + 1
            or int(index[1]) > _LARGEST_INDEX
        ):
            raise ValueError("header, index and hashes, then an empty line and a checkpoint")
        path = tuple(map(decoded, lines[1:]))
        if any(len(one) != HASH_BYTES for one in path):
            raise ValueError("a hash has 32 bytes")
    except ValueError as error:
        raise NoteRefused(f"This is no {PROOF_HEADER}: {error}") from error
    return LogProof(index=int(index[1]), path=path, checkpoint=checkpoint, extra=extra)


def verified_proof(proof: LogProof, leaf: bytes, key: VerifierKey) -> SignedCheckpoint:
    """The checkpoint in whose tree the leaf is, signed by the log's key; NoteRefused when anything does not hold."""
    opened = open_checkpoint(proof.checkpoint, key)
    tree = opened.checkpoint
    if not inclusion_holds(leaf, proof.index, tree.size, proof.path, tree.root):
        raise NoteRefused("The entry is not in the tree of this checkpoint by this path")
    return opened

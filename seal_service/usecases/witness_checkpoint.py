"""见证: cosign a checkpoint that follows the one that was cosigned last (C2SP tlog-witness, add-checkpoint)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import IntegrityFailed, NoteRefused
from seal_service.domain.witnessing import EMPTY_TREE, SeenTree, WitnessFinding, witness_finding
from seal_service.formats.checkpoint import Checkpoint, read_checkpoint
from seal_service.formats.note import VerifierKey, read_note, verified_by
from seal_service.formats.witness_request import read_witness_request
from seal_service.ports.system import Clock
from seal_service.ports.witnessing import Cosigner, SeenCheckpoints

Shown = Callable[[int, int, Sequence[bytes], bytes, bytes], bool]
"""Whether a consistency path leads from one tree (size, root) to another: old, size, path, old root, root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessCheckpoint:
    """见证请求."""

    content: bytes = field(repr=False)
    """The body as it came."""


@dataclass(frozen=True, slots=True)
class UnknownLog:
    """No key is known of the log that it names."""


@dataclass(frozen=True, slots=True)
class UnknownSigner:
    """No key that is known of the log signed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCosigned:
    """It does not follow what was cosigned last."""

    finding: WitnessFinding
    known_size: int
    checkpoint: bytes = field(repr=False)
    """The signed note: in the log's own hand, should it be a fork."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CosignedNow:
    """见证签名."""

    lines: str
    """Signature lines, each with its line feed."""


WitnessAnswer = CosignedNow | NotCosigned | UnknownLog | UnknownSigner


@dataclass(frozen=True)
class WitnessCheckpointUseCase:
    """见证. NoteRefused for what is no request, IntegrityFailed when it cannot keep what it saw; else an answer."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    logs: Mapping[str, Sequence[VerifierKey]]
    """The keys that are known, by the origin that they sign for."""
    seen: SeenCheckpoints
    cosigner: Cosigner
    clock: Clock
    shown: Shown

    def __call__(self, _caller: Caller, command: WitnessCheckpoint) -> WitnessAnswer:
        """Answer it."""
        # 1 read what came
        request = read_witness_request(command.content)
        note = read_note(request.checkpoint)
        submitted = read_checkpoint(note.text)
        # 2 from a log that is known, by its key
        keys = self.logs.get(submitted.origin)
        if keys is None:
            return UnknownLog()
        try:
            verified_by(note, keys)
        except NoteRefused:
            return UnknownSigner()
        # 3 compared with what was cosigned last: nobody else changes that meanwhile
        with self.seen.holding(submitted.origin) as seen:
            known = EMPTY_TREE if seen.content is None else _tree(_recorded(seen.content, submitted.origin))

            def shown(old: SeenTree) -> bool:
                return self.shown(old.size, submitted.size, request.path, old.root, submitted.root)

            finding = witness_finding(known, request.old_size, _tree(submitted), shown, len(request.path))
            if finding is not WitnessFinding.FOLLOWS:
                return NotCosigned(finding=finding, known_size=known.size, checkpoint=request.checkpoint)
            # 4 signed, and kept before anybody hears of it
            line = self.cosigner.cosign(note.text, self.clock.now())
            seen.replace(request.checkpoint)
        return CosignedNow(lines=line)


def _recorded(content: bytes, origin: str) -> Checkpoint:
    try:
        checkpoint = read_checkpoint(read_note(content).text)
    except NoteRefused as error:
        raise IntegrityFailed(f"The record of {origin} cannot be read: {error.message}") from error
    if checkpoint.origin != origin:
        raise IntegrityFailed(f"The record of {origin} is of {checkpoint.origin}")
    return checkpoint


def _tree(checkpoint: Checkpoint) -> SeenTree:
    return SeenTree(checkpoint.size, checkpoint.root)

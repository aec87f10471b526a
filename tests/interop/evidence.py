"""What verifiers have in hand beside the log's files: its key, a checkpoint seen earlier, proofs that it gave out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seal_service.log.merkle import CompactRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """A proof that the service gave out for an entry."""

    index: int
    size: int
    path: tuple[bytes, ...]
    root: bytes
    entry: bytes
    checkpoint: bytes
    file: bytes
    """As tlog-proof@v1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consistency:
    """A proof that the service gave out for two of its trees."""

    old: int
    size: int
    path: tuple[bytes, ...]
    old_root: bytes
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All of it, as files in a directory for those that read files."""

    directory: Path
    key: str
    earlier: bytes
    issued: tuple[Inclusion, ...]
    consistency: tuple[Consistency, ...]

    @property
    def key_file(self) -> Path:
        """The verifier key."""
        return self.directory / "key"

    @property
    def earlier_file(self) -> Path:
        """The checkpoint seen earlier."""
        return self.directory / "earlier"

    @property
    def roots_file(self) -> Path:
        """A root for each size."""
        return self.directory / "roots"

    def proof_file(self, index: int) -> Path:
        """A proof that was given out."""
        return self.directory / f"{index}.tlog-proof"

    def write(self, leaf_hashes: list[bytes]) -> None:
        """The files; the roots are ours, for an oracle to compare."""
        self.directory.mkdir()
        self.key_file.write_text(self.key + "\n", encoding="utf-8")
        self.earlier_file.write_bytes(self.earlier)
        for one in self.issued:
            self.proof_file(one.index).write_bytes(one.file)
        grown = CompactRange()
        with self.roots_file.open("w", encoding="ascii") as roots:
            for leaf in leaf_hashes:
                grown = grown.extended([leaf])
                roots.write(f"{grown.root().hex()}\n")

    def question(self) -> dict[str, Any]:
        """For the programs in outside/."""
        return {
            "key": self.key,
            "earlier": self.earlier.decode(),
            "roots": str(self.roots_file),
            "issued": [
                {
                    "index": one.index,
                    "size": one.size,
                    "path": [part.hex() for part in one.path],
                    "root": one.root.hex(),
                    "entry": one.entry.hex(),
                    "checkpoint": one.checkpoint.decode(),
                }
                for one in self.issued
            ],
            "consistency": [
                {
                    "old": one.old,
                    "size": one.size,
                    "path": [part.hex() for part in one.path],
                    "old_root": one.old_root.hex(),
                    "root": one.root.hex(),
                }
                for one in self.consistency
            ],
        }

    def asked(self, logs: list[dict[str, Any]]) -> str:
        """The question about these logs, as JSON."""
        return json.dumps(self.question() | {"logs": logs})

"""Ports of a witness: what it has seen, and its key."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol


class SeenCheckpoint(Protocol):
    """What a witness cosigned last of one log, held until its context ends."""

    @property
    def content(self) -> bytes | None:
        """The signed note; None when nothing was cosigned yet."""

    def replace(self, content: bytes) -> None:
        """Put another in its place; durable when the call returns."""


class SeenCheckpoints(Protocol):
    """见证记录: the last checkpoint of each log. Safe for threads and processes."""

    def holding(self, origin: str) -> AbstractContextManager[SeenCheckpoint]:
        """That of a log; others who want it wait. IntegrityFailed when it cannot be kept."""

    def latest(self, origin: str) -> bytes | None:
        """The signed note that was cosigned last, or None."""


class Cosigner(Protocol):
    """见证密钥. Safe for threads."""

    @property
    def verifier_key(self) -> str:
        """name+id+key (C2SP vkey)."""

    def cosign(self, text: str, at: datetime) -> str:
        """The signature line over a checkpoint's text, with its line feed."""

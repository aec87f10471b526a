"""日志密钥更替: which key signs the log's checkpoints, by what the log itself says.

The tree goes on under the next key, so that whoever trusts an earlier one has its last checkpoint to go on from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seal_service.domain.publication import LOG_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKeyPeriod:
    """日志密钥 in its time."""

    number: int
    """From 1."""
    verifier_key: str | None
    """name+id+key; None: the log does not name its first key before the next one follows."""
    above: int
    """It signs trees of more entries than this,"""
    opened_by: str | None = None
    """and of those the ones that have this entry `log.open`; None: the first key, which signs every tree."""
    since: datetime | None = None
    """When that entry was written."""
    previous_root: bytes | None = None
    """Of the last tree that the key before signed, as that entry says."""

    @property
    def reference(self) -> str:
        """Under which the private key is kept."""
        return log_key_reference(self.number)


FIRST = LogKeyPeriod(number=1, verifier_key=None, above=-1)


def log_key_reference(number: int) -> str:
    """The reference of the log's key of a number, from 1."""
    return LOG_KEY if number == 1 else f"{LOG_KEY}-{number}"


def log_key_number(reference: str) -> int | None:
    """The number of the log's key of a reference; None: it is no key of the log."""
    _, _, number = reference.partition(f"{LOG_KEY}-")
    found = 1 if reference == LOG_KEY else int(number) if number.isascii() and number.isdigit() else None
    return found if found and log_key_reference(found) == reference else None


def period_of(periods: Sequence[LogKeyPeriod], size: int) -> LogKeyPeriod:
    """Whose key signs the tree of a size: the newest that signs trees so large."""
    return next((one for one in reversed(periods) if size > one.above), periods[0])

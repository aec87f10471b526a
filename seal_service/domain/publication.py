"""日志公布: the key of the published log, and when the log must not go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

LOG_KEY = "log"
"""Reference of the key that signs checkpoints and receipts."""
CONFLICT = "log-conflict:"
"""Observations of witnesses that know a tree which this log does not follow, by their names."""
DAMAGED_FILES = "log-damage"
"""Observation of what the publisher met that contradicts the tree; it tries again, and takes it back itself."""
DAMAGED_ENTRY = "log-damage:entry"
"""Observation of what the sequencer met that contradicts an entry; it tries again, and takes it back itself."""
DAMAGES = (DAMAGED_ENTRY, DAMAGED_FILES)
ANSWER = "log-witness:"
"""Observations of whether witnesses answer, by their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTree:
    """A tree that the log has signed."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The log beside its guard."""

    guarded: SignedTree
    """What the guard holds."""
    size: int
    """How many entries have a place here."""
    root_here: bytes | None
    """Of the checkpoint of the guard's size as it stands here; None: there is none."""
    last_signed_at: datetime | None


def halted_because(compared: Compared, now: datetime, clock_allowed: timedelta) -> str | None:
    """Why nothing may be sealed or published any more, with what to do; None: the log goes on."""
    guarded, size = compared.guarded, compared.size
    if guarded.size > size:
        return (
            f"The log has {size} entries in its tree and its guard knows {guarded.size}: it was restored from an old "
            "backup, or cut. Restore the newest backup; `seal log recover` takes what it lacks from SEAL_LOG_DIRECTORY"
        )
    if guarded.size and compared.root_here is None:
        return (
            f"The log's guard holds a checkpoint of {guarded.size} entries that this log never signed: another "
            "instance publishes under its name, or it was restored from an old backup. Keep all files of both"
        )
    if guarded.size and compared.root_here != guarded.root:
        return (
            f"The log has another root for {guarded.size} entries than its guard: entries were changed. Keep all files "
            "and run `seal log fsck`"
        )
    if compared.last_signed_at is not None and now + clock_allowed < compared.last_signed_at:
        return (
            f"This machine's clock is behind the last checkpoint, which was signed at "
            f"{compared.last_signed_at.isoformat(timespec='seconds')}: set the clock"
        )
    return None

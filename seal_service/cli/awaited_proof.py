"""The log's proof of a use that was just made, as soon as it is there: what `?wait=published` is over HTTP."""

from __future__ import annotations

import time

from seal_service.cli.session import Session
from seal_service.domain.errors import EntryNotPublished
from seal_service.domain.use import SealUse
from seal_service.usecases.prove_entry import ProveEntry

POLL_SECONDS = 0.1


def awaited_proof(at: Session, use: SealUse, seconds: float) -> bytes:
    """收录证明 of the entry that ended a use; EntryNotPublished when it is not there after so many seconds.

    What waiting does not mend is raised at once: LogNotPublished, LogDamaged, Unavailable.
    """
    command = ProveEntry(entry_id=use.terminal_entry_id or "")
    end = time.monotonic() + seconds
    while True:
        try:
            return at.service.transparency.prove_entry(at.caller, command)
        except EntryNotPublished:
            if time.monotonic() >= end:
                raise
        time.sleep(POLL_SECONDS)

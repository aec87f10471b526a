"""日志恢复: what entries that come back from the published log mean for seals, grants and people."""

from __future__ import annotations

from dataclasses import dataclass

from seal_service.domain.events import EventKind, Result
from seal_service.domain.seal import SealState

RECOVERY = "log-recovery"
"""Observation of how far back a recovery began, so that one that was broken off is finished as a whole."""
REASON = "Recovered log: what was done to this seal after the backup is known to the log alone"

_K = EventKind
PLAIN = frozenset(
    {
        _K.SEAL_INTENT, _K.SEAL_COMPLETED, _K.SEAL_FAILED, _K.SEAL_DENIED, _K.SEAL_ABANDONED,
        _K.SEAL_SIGNATURE_REFUSED, _K.SEAL_ACT_REFUSED, _K.ACT_REFUSED, _K.DOCUMENT_VERIFIED,
        _K.DOCUMENT_ACKNOWLEDGED, _K.SESSION_OPENED, _K.SESSION_REFUSED, _K.SESSION_ENDED, _K.TOKEN_REFUSED,
        _K.NOTIFICATION_DEAD, _K.NOTIFICATION_RETRIED, _K.FILING_ACKNOWLEDGED, _K.FILING_RETRIED,
        _K.FILING_REPORTED, _K.REPORT_EXPORTED, _K.DATABASE_BACKED_UP, _K.LOG_OPENED, _K.LOG_CLOSED,
        _K.LOG_GUARDED,
        _K.LOG_RECOVERED, _K.LOG_RESUMED, _K.ACTIVATION_OPENED, _K.ACTIVATION_ENDED,
    }
)  # fmt: skip
"""Kinds after which there is nothing to do again: uses, which are counted, and what changed no register."""

CHANGES = {
    _K.SEAL_ACTIVATED: SealState.ACTIVE,
    _K.SEAL_RESUMED: SealState.ACTIVE,
    _K.SEAL_SUSPENDED: SealState.SUSPENDED,
    _K.SEAL_CANCELLED: SealState.CANCELLED,
    _K.SEAL_INVALIDATED: SealState.CANCELLED,
}
"""The state that an entry of a kind gives a seal that was made before it."""
_FINAL = frozenset({_K.SEAL_CANCELLED, _K.SEAL_INVALIDATED})


def concerns_state(kind: EventKind) -> bool:
    """Whether a seal that an entry of this kind names is no longer as the backup has it."""
    return kind not in PLAIN and kind.value.startswith("sealmgmt.")


def state_after(before: SealState, kinds: frozenset[EventKind]) -> SealState:
    """The state of a seal after acts that the database has lost: never a usable one.

    Cancelled and invalidated are final. Whatever else was done (renewed, changed, conveyed, resumed, …) cannot be
    rebuilt, so an active seal is suspended until a person has looked; one that was not active stays as it is.
    """
    if before is SealState.CANCELLED or kinds & _FINAL:
        return SealState.CANCELLED
    return SealState.SUSPENDED if before is SealState.ACTIVE else before


@dataclass(frozen=True, slots=True, kw_only=True)
class ToDoAgain:
    """An entry that changed a register: what of it is not here for a person to do again."""

    place: int
    """In the tree."""
    entry_id: str
    kind: EventKind
    seal_code: str | None
    unit_id: str | None
    done: str
    """What the recovery did about it."""


def lies_open(kind: EventKind, result: str) -> bool:
    """Whether an entry is told to whoever recovers."""
    return kind not in PLAIN and result != Result.REFUSED.value

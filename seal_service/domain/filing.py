"""备案: what of the log is sent to the provincial registry, in which order, how often it is tried (articles 8, 22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from seal_service.domain.events import EventKind


class FilingTask(StrEnum):
    """备案任务: the province's task codes, and `log` for a record of the log. Of one entry the status goes first."""

    RENEWAL = "108"  # 印章延期
    PUBLICATION = "207"  # 印章发布
    REVOCATION = "209"  # 吊销、撤销、挂失
    RECORD = "log"  # 日志备案


class FilingState(StrEnum):
    """备案状态. Nothing leaves the table: what is refused is asked again until it is acknowledged."""

    WAITING = "waiting"
    REFUSED = "refused"
    ACKNOWLEDGED = "acknowledged"


STATUS_TASKS: Mapping[EventKind, FilingTask] = {
    EventKind.SEAL_MADE: FilingTask.PUBLICATION,
    EventKind.SEAL_RESUMED: FilingTask.PUBLICATION,  # the interface has no task for lifting: the seal is valid again
    EventKind.SEAL_RENEWED: FilingTask.RENEWAL,
    EventKind.SEAL_CHANGED: FilingTask.PUBLICATION,  # a new version, with another picture or certificate
    EventKind.SEAL_SUSPENDED: FilingTask.REVOCATION,
    EventKind.SEAL_INVALIDATED: FilingTask.REVOCATION,
    EventKind.SEAL_CANCELLED: FilingTask.REVOCATION,
}
"""Article 8: what changes a seal's standing. An imported seal is also logged as made, so it is published once."""

RECORDED = frozenset(
    {
        EventKind.SEAL_COMPLETED,
        EventKind.SEAL_FAILED,
        EventKind.SEAL_DENIED,
        EventKind.SEAL_ABANDONED,
        EventKind.SEAL_MADE,
        EventKind.SEAL_SUSPENDED,
        EventKind.SEAL_CANCELLED,
        EventKind.SEAL_RENEWED,
    }
)
"""Article 22: records of the log that concern one seal and have a 日志类型. An intent is not filed, its end is."""

REPORT_KEY = "filing"
"""上报密钥: reference of the key that signs what is filed."""

FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)
WAIT_WHEN_REFUSED = timedelta(minutes=15)
"""What was refused is hardly taken a moment later, but it may be once the other side is mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """备案: one message for the province; the entry it came from never changes, its state stands here alone."""

    id: str
    """The entry's id and the task: `<entry>-207`."""
    entry_id: str
    task: FilingTask
    seal_code: str
    seq: int
    """The entry's place among those of its seal: within a seal everything is sent in this order."""
    at: datetime
    due_at: datetime
    state: FilingState = FilingState.WAITING
    attempts: int = 0
    """How often it did not get through."""
    claimed_until: datetime | None = None
    """Until when a relay works on it and on what follows it."""
    failure: str | None = None
    """Why it did not get through the last time."""
    receipt: str | None = None
    """What the province answered."""
    acknowledged_at: datetime | None = None

    @property
    def area_code(self) -> str:
        """行政区划 of the seal: the first six digits of its code."""
        return area_of(self.seal_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """备案积压: what the province has not acknowledged."""

    waiting: int
    """All of it, what is refused among it."""
    refused: int
    """Seals whose next filing was refused: nothing later of theirs is sent."""
    oldest_at: datetime | None
    """When the oldest of it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingReport:
    """备案对账报告."""

    at: datetime
    registry: str | None
    counts: Mapping[FilingState, int]
    acknowledged_in_period: int
    backlog: Backlog
    entries_without_filing: tuple[str, ...]
    """Entries of the last two days that should be filed and are not in the table: none, if all is well."""
    seals_compared: int
    seals_differing: tuple[str, ...]
    """Seals whose status there is not the one here."""
    comparison: str
    """How far the comparison came, in words."""

    @property
    def well(self) -> bool:
        """Whether nothing has to be looked at."""
        return not (self.backlog.refused or self.entries_without_filing or self.seals_differing)


def area_of(seal_code: str) -> str:
    """行政区划 of a seal code."""
    return seal_code[:6]


def tasks_of(kind: EventKind) -> tuple[FilingTask, ...]:
    """As what an entry of a kind is filed, in the order in which it is sent; nothing for most kinds."""
    status = STATUS_TASKS.get(kind)
    record = (FilingTask.RECORD,) if kind in RECORDED else ()
    return record if status is None else (status, *record)


def filings_of(kind: EventKind, entry_id: str, seal_code: str | None, seq: int | None, at: datetime) -> list[Filing]:
    """What is to be filed of an entry; due at once."""
    if seal_code is None or seq is None:
        return []
    return [
        Filing(
            id=f"{entry_id}-{task.value}", entry_id=entry_id, task=task, seal_code=seal_code, seq=seq, at=at, due_at=at
        )
        for task in tasks_of(kind)
    ]


def wait_after(attempts: int, chance: float, *, refused: bool) -> timedelta:
    """退避: how long to wait after so many attempts, doubling up to an hour; `chance` in [0, 1) scatters half.

    Without scatter all seals would come back at once to a registry that just got up.
    """
    longest = min(FIRST_WAIT * (1 << min(max(attempts, 1) - 1, 20)), LONGEST_WAIT)
    if refused:
        longest = max(longest, WAIT_WHEN_REFUSED)
    return longest / 2 + longest / 2 * chance

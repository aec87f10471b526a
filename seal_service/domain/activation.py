"""印章启用: the unit's keeper lets a seal whose key the service keeps be pressed, for a time or a number of uses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from seal_service.domain.errors import ActivationBlocked, InvalidInput

SHORTEST_SECRET = 12
LONGEST_SECRET = 200
LONGEST_ACTIVATION = timedelta(days=31)
MOST_USES = 1_000_000
FREE_ATTEMPTS = 3
"""Wrong secrets in a row that cost no waiting."""
LONGEST_WAIT = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """启用状态 of a seal's key, as the key process has it."""

    until: datetime
    uses_left: int | None
    """None: not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyProcessCondition:
    """密钥进程: since when it runs, and how many keys are activated in it; which they are it tells nobody."""

    since: datetime
    activated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationRecord:
    """激活口令: that the seal's keeper has taken it into custody, and how often a wrong secret came since."""

    seal_code: str
    version: int
    """The seal's version whose key is wrapped under the secret."""
    taken_by: str
    """Account."""
    taken_at: datetime
    failures: int = 0
    """Wrong secrets in a row."""
    blocked_until: datetime | None = None


def require_open(record: ActivationRecord, now: datetime) -> None:
    """Raise ActivationBlocked while no secret is tried."""
    if record.blocked_until is not None and now < record.blocked_until:
        raise ActivationBlocked(retry_at=record.blocked_until.isoformat())


def after_wrong_secret(record: ActivationRecord, now: datetime) -> ActivationRecord:
    """One more wrong secret: from the third on each doubles the wait, from a minute to a day."""
    failures = record.failures + 1
    over = failures - FREE_ATTEMPTS
    wait = min(LONGEST_WAIT, timedelta(minutes=2 ** min(over, 20))) if over >= 0 else None
    return replace(record, failures=failures, blocked_until=now + wait if wait is not None else None)


def after_right_secret(record: ActivationRecord) -> ActivationRecord:
    """Wrong ones are forgotten."""
    return replace(record, failures=0, blocked_until=None)


def checked_secret(secret: str) -> str:
    """激活口令: 12–200 printable characters; else InvalidInput, which does not repeat it."""
    if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET or not secret.isprintable():
        raise InvalidInput(
            f"An activation secret is {SHORTEST_SECRET} to {LONGEST_SECRET} printable characters", field="secret"
        )
    return secret


def checked_extent(until: datetime | None, uses: int | None, now: datetime) -> datetime:
    """Until when an activation lasts: 31 days at most, also where it is counted; InvalidInput."""
    if until is None and uses is None:
        raise InvalidInput("An activation is for a time (until), a number of uses, or both", field="until")
    latest = now + LONGEST_ACTIVATION
    ends = until or latest
    if not now < ends <= latest:
        raise InvalidInput(f"An activation ends after now and within {LONGEST_ACTIVATION.days} days", field="until")
    if uses is not None and not 1 <= uses <= MOST_USES:
        raise InvalidInput(f"An activation is for 1 to {MOST_USES} uses", field="uses")
    return ends

"""令牌拒绝记录: a refused login or call of a known account is in the log, at most once a minute for each reason.

Only what concerns a known account is written, and no more often: nobody without an account can fill the log by failing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from seal_service.domain.access import Account, Caller
from seal_service.domain.errors import SealServiceError
from seal_service.domain.events import Event, EventKind, Result, act_of
from seal_service.ports.records import Records, SigningLog

EVERY = timedelta(minutes=1)
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class TokenRefusals:
    """What was refused lately, in this process. Safe for threads."""

    records: Records
    log: SigningLog
    _told: dict[tuple[str, str], tuple[datetime, int]] = field(default_factory=dict)
    """By account and code: when it was written last, and how often it came since."""
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def note(self, caller: Caller, account: Account, refusal: SealServiceError, now: datetime) -> None:
        """Write the refusal of an account's login or call, or count it for the next entry."""
        reason = str(refusal.details.get("reason") or refusal.code())
        untold = self._untold((account.id, reason), now)
        if untold is None:
            return
        event = Event(
            kind=EventKind.TOKEN_REFUSED,
            result=Result.REFUSED,
            unit_id=account.unit_id,
            reason=f"{reason}: {refusal.message}",
            facts={
                "client_id": account.id,
                "client_name": account.name,
                "refusal": reason,
                "more_since_the_last_entry": untold,
            },
        )
        with self.records.write() as transaction:
            self.log.append(transaction, act_of(caller, event))
            transaction.commit()

    def _untold(self, of: tuple[str, str], now: datetime) -> int | None:
        """How often it came since the last entry, if one is due."""
        with self._turn:
            at, count = self._told.get(of, (None, 0))
            if at is not None and now - at < EVERY:
                self._told[of] = (at, count + 1)
                return None
            if len(self._told) >= _MOST_REMEMBERED:
                self._told.clear()
            self._told[of] = (now, 0)
            return count

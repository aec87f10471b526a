"""日志密钥更替 by the log's entries, asked as often as anything is signed or checked."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Lock

from seal_service.domain.log_keys import LogKeyPeriod
from seal_service.formats.log_keys import log_key_periods
from seal_service.ports.records import Records, Transaction
from seal_service.ports.system import Clock

KEPT_FOR = timedelta(seconds=1)


class LogKeyPeriods:
    """The log's keys, the first one first, the last one in force; what was read is believed for a second.

    Safe for threads. A receipt that is signed in that second with the key before can be had again with the new one; a
    checkpoint cannot, so who keeps one reads them in the transaction that does. Raises LogDamaged, Unavailable.
    """

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._seen: tuple[datetime, tuple[LogKeyPeriod, ...]] | None = None
        self._lock = Lock()

    def __call__(self) -> tuple[LogKeyPeriod, ...]:
        """As read within the last second."""
        now = self._clock.now()
        with self._lock:
            seen = self._seen
        if seen is not None and timedelta(0) <= now - seen[0] < KEPT_FOR:
            return seen[1]
        return self.anew()

    def anew(self) -> tuple[LogKeyPeriod, ...]:
        """As they are now."""
        with self._records.read() as transaction:
            return self.read(transaction)

    def read(self, transaction: Transaction) -> tuple[LogKeyPeriod, ...]:
        """As a transaction sees them, which has written none."""
        began = self._clock.now()
        found = log_key_periods(transaction.log.changes_of_key())
        with self._lock:  # keys are only ever added: who has read fewer has read before
            if self._seen is None or len(found) >= len(self._seen[1]):
                self._seen = began, found
        return found

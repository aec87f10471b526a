"""备案重报: a filing that waits its time out after a failure is tried at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import FilingNotFound
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.filing import Filing
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock
from seal_service.usecases.requests import made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryFiling:
    """备案重报 as asked for."""

    filing_id: str
    idempotency_key: str | None = None


@dataclass(frozen=True)
class RetryFilingUseCase:
    """备案重报 by the making office: the seal's next filing becomes due, since what follows it cannot go before it.

    Raises FilingNotFound. One that is acknowledged is done: nothing happens.
    """

    permission: ClassVar[Permission] = Permission.RETRY_FILING
    records: Records
    log: SigningLog
    clock: Clock

    def __call__(self, caller: Caller, command: RetryFiling) -> Filing:
        """The filing that was asked for."""
        now = self.clock.now()
        with self.records.write() as transaction:
            repeated = made_earlier(transaction, caller, command) is not None
            filing = transaction.filings.find(command.filing_id)
            if filing is None:
                raise FilingNotFound
            if repeated or filing.acknowledged_at is not None:
                return filing
            seal = transaction.seals.lock(filing.seal_code)
            head = transaction.filings.hurry(seal.code, now)
            if head is not None:
                event = Event(
                    kind=EventKind.FILING_RETRIED,
                    seal_code=seal.code,
                    unit_id=seal.unit_id,
                    facts={"filing": head.id, "attempts": head.attempts},
                )
                self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, command, filing.id, now)
            found = transaction.filings.find(filing.id) or filing
            transaction.commit()
        return found

"""备案对账: once a day the table is compared with the log and with what the province shows; the report is logged."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import RegistryUnavailable
from seal_service.domain.events import Event, EventKind, Result, act_of
from seal_service.domain.filing import FilingReport
from seal_service.domain.lifecycle import state_at
from seal_service.domain.observation import FILING_REPORT
from seal_service.domain.seal import SealState
from seal_service.ports.filing import ProvincialRegistry
from seal_service.ports.records import Observation, Records, SigningLog
from seal_service.ports.system import Clock

PERIOD = timedelta(days=1)
NAMED = 50
"""Seals and entries that a report names; it counts all that it looked at."""
SEALS_A_PAGE = 200
MOST_SEALS = 5000
"""Seals whose status is asked for in one report."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileFilings:
    """备案对账."""

    unless_done: bool = False
    """Only if the last report is a day old."""


@dataclass(frozen=True)
class ReconcileFilingsUseCase:
    """备案对账. What the province's interface can tell is the status of a seal; for records its receipts must do.

    Seals with something on its way are not compared.
    """

    permission: ClassVar[Permission] = Permission.RECONCILE
    records: Records
    log: SigningLog
    registry: ProvincialRegistry | None
    clock: Clock

    def __call__(self, caller: Caller, command: ReconcileFilings) -> FilingReport | None:
        """The report; None when it is not yet time for one."""
        now = self.clock.now()
        if command.unless_done and not self._is_due(now):
            return None
        compared, differing, words = self._compare(now)
        with self.records.read() as transaction:
            report = FilingReport(
                at=now,
                registry=None if self.registry is None else self.registry.name,
                counts=dict(transaction.filings.counts()),
                acknowledged_in_period=transaction.filings.acknowledged_between(now - PERIOD, now),
                backlog=transaction.filings.backlog(),
                entries_without_filing=tuple(transaction.filings.missing(now - 2 * PERIOD, NAMED)),
                seals_compared=compared,
                seals_differing=tuple(differing[:NAMED]),
                comparison=words,
            )
        with self.records.write() as transaction:
            self.log.append(transaction, act_of(caller, _event(report)))
            told = f"{report.backlog.waiting} waiting, {report.backlog.refused} refused, {len(differing)} seals differ"
            seen = Observation(name=FILING_REPORT, at=now, well=report.well, detail=told)
            transaction.observations.put(seen)
            transaction.commit()
        if not report.well:
            _log.error("filings and the province do not agree: %s", seen.detail)
        return report

    def _is_due(self, now: datetime) -> bool:
        with self.records.read() as transaction:
            last = next((one for one in transaction.observations.all() if one.name == FILING_REPORT), None)
        return last is None or now - last.at >= PERIOD

    def _compare(self, now: datetime) -> tuple[int, list[str], str]:
        if self.registry is None:
            return 0, [], "no provincial registry is configured"
        compared, differing, after = 0, list[str](), ""
        while compared < MOST_SEALS:
            with self.records.read() as transaction:
                codes = transaction.filings.settled_seals(after, SEALS_A_PAGE)
                seals = [transaction.seals.find(code) for code in codes]
            for seal in seals:
                if seal is None:
                    continue
                try:
                    there = self.registry.is_valid(seal.code, seal.name)
                except RegistryUnavailable as error:
                    return compared, differing, f"ended at {seal.code}: {error.message}"
                compared += 1
                if there is not (state_at(seal, now) is SealState.ACTIVE):
                    differing.append(seal.code)
            if len(codes) < SEALS_A_PAGE:
                return compared, differing, "complete"
            after = codes[-1]
        return compared, differing, f"ended after {MOST_SEALS} seals"


def _event(report: FilingReport) -> Event:
    return Event(
        kind=EventKind.FILING_REPORTED,
        result=Result.SUCCESS if report.well else Result.FAILURE,
        facts={
            "registry": report.registry,
            **{f"filings_{state.value}": count for state, count in report.counts.items()},
            "acknowledged_in_period": report.acknowledged_in_period,
            "seals_refused": report.backlog.refused,
            "oldest_at": None if report.backlog.oldest_at is None else report.backlog.oldest_at.isoformat(),
            "entries_without_filing": report.entries_without_filing,
            "seals_compared": report.seals_compared,
            "seals_differing": report.seals_differing,
            "comparison": report.comparison,
        },
    )

"""指标查询: what was measured, for those who watch over the service, known by the network they ask from."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.authority import AUTHORITY_RULES
from seal_service.domain.errors import KeyProcessUnavailable, NotFound
from seal_service.domain.filing import Backlog
from seal_service.domain.operation import Condition
from seal_service.domain.paging import LARGEST_LIMIT, PageRequest
from seal_service.domain.seal import SealState
from seal_service.ports.activation import KeyProcess
from seal_service.ports.reading import Queries, SealFilter
from seal_service.ports.records import Records
from seal_service.ports.system import Clock, Exposition
from seal_service.usecases.check_readiness import CheckReadiness, CheckReadinessUseCase

_log = logging.getLogger(__name__)

SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMetrics:
    """指标查询 now."""


@dataclass(frozen=True)
class ReadMetricsUseCase:
    """指标查询. NotFound for a caller from elsewhere: the numbers tell how the city's offices work."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    readiness: CheckReadinessUseCase
    records: Records
    queries: Queries
    exposition: Exposition
    clock: Clock
    process: KeyProcess
    networks: tuple[IPv4Network | IPv6Network, ...]
    """From which it is answered."""

    def __call__(self, caller: Caller, _command: ReadMetrics) -> bytes:
        """Prometheus' text format."""
        if not self._admits(caller.address):
            raise NotFound("There is nothing here for this address: SEAL_METRICS_ADDRESSES names who is answered")
        return self.exposition.text(lambda: self._condition(caller))

    def _admits(self, address: str | None) -> bool:
        try:
            asking = ip_address(address or "")
        except ValueError:
            return False
        if isinstance(asking, IPv6Address) and asking.ipv4_mapped is not None:
            asking = asking.ipv4_mapped  # a client of IPv4 at a socket that listens on both
        return any(asking in network for network in self.networks)

    def _condition(self, caller: Caller) -> Condition:
        """What can be told; a database that does not answer is itself something to tell."""
        ready: dict[str, bool] = {"database": False}
        left: dict[str, float] = {}
        expiring: int | None = None
        backlog: Backlog | None = None
        oldest = 0.0
        try:
            ready = {one.name: one.ready for one in self.readiness(caller, CheckReadiness())}
            now = self.clock.now()
            with self.records.read() as transaction:
                newest = {role.value: transaction.authorities.newest(role) for role in AUTHORITY_RULES}
                backlog = transaction.filings.backlog()
            if backlog.oldest_at is not None:
                oldest = max(0.0, (now - backlog.oldest_at).total_seconds())
            left = {name: (one.not_after - now).total_seconds() for name, one in newest.items() if one is not None}
            chosen = SealFilter(now=now, state=SealState.ACTIVE, expiring_before=now + SOON)
            expiring = len(self.queries.seals(PageRequest(limit=LARGEST_LIMIT), chosen).items)
        except Exception as error:  # whatever it is: the other numbers are wanted most when something fails
            _log.warning("The condition cannot be measured: %s", error)
            ready |= {"database": False}
        return Condition(
            ready=ready,
            certificate_seconds=left,
            seals_expiring=expiring,
            filings_waiting=None if backlog is None else backlog.waiting,
            filings_refused=0 if backlog is None else backlog.refused,
            filing_seconds=oldest,
            keys_activated=self._activated(),
        )

    def _activated(self) -> int | None:
        try:
            return self.process.condition().activated
        except KeyProcessUnavailable:
            return None

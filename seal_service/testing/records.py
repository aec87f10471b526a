"""A fake of the database: values in memory, whole transactions or none, one writer at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from seal_service.domain import errors
from seal_service.ports import records as ports
from seal_service.testing.approval_records import MemoryApprovals, MemoryScenarios
from seal_service.testing.certificate_records import MemoryAuthorities, MemoryCertificates
from seal_service.testing.control_records import MemoryControlledRequests
from seal_service.testing.custody_records import MemoryActivations, MemoryConveyances, MemoryMedia, MemoryPreparedUses
from seal_service.testing.filing_records import MemoryFilings
from seal_service.testing.log_records import MemoryLogRecords
from seal_service.testing.machine_records import MemoryPeople, MemorySystems
from seal_service.testing.notification_records import MemoryNotifications
from seal_service.testing.operation_records import MemoryCertificateRequests, MemoryObservations, MemoryTrust
from seal_service.testing.people_records import (
    MemoryChallenges,
    MemoryFactors,
    MemoryIdentityLinks,
    MemoryLogins,
    MemorySessions,
)
from seal_service.testing.register_records import MemoryAccounts, MemoryApplications, MemoryUnits
from seal_service.testing.seal_records import MemorySeals
from seal_service.testing.state import State
from seal_service.testing.tree_records import MemoryTree
from seal_service.testing.use_records import MemoryGrants, MemoryRequests, MemoryUses


class MemoryTransaction:
    """One transaction on a copy of the state."""

    def __init__(self, records: MemoryRecords) -> None:
        self._records = records
        self._state = state = records.state.copy()
        self.units: ports.UnitRecords = MemoryUnits(state)
        self.accounts: ports.AccountRecords = MemoryAccounts(state)
        self.applications: ports.ApplicationRecords = MemoryApplications(state)
        self.seals: ports.SealRecords = MemorySeals(state)
        self.grants: ports.GrantRecords = MemoryGrants(state)
        self.uses: ports.UseRecords = MemoryUses(state)
        self.certificates: ports.CertificateRecords = MemoryCertificates(state)
        self.authorities: ports.AuthorityRecords = MemoryAuthorities(state)
        self.idempotency: ports.IdempotencyRecords = MemoryRequests(state)
        self.certificate_requests: ports.CertificateRequestRecords = MemoryCertificateRequests(state)
        self.trust: ports.TrustRecords = MemoryTrust(state)
        self.observations: ports.ObservationRecords = MemoryObservations(state)
        self.controlled: ports.ControlledRecords = MemoryControlledRequests(state)
        self.scenarios: ports.ScenarioRecords = MemoryScenarios(state)
        self.approvals: ports.ApprovalRecords = MemoryApprovals(state)
        self.notifications: ports.NotificationRecords = MemoryNotifications(state.notifications)
        self.systems: ports.SystemRecords = MemorySystems(state)
        self.people: ports.PersonRecords = MemoryPeople(state)
        self.prepared_uses: ports.PreparedUseRecords = MemoryPreparedUses(state)
        self.media: ports.MediumRecords = MemoryMedia(state)
        self.activations: ports.ActivationRecords = MemoryActivations(state)
        self.conveyances: ports.ConveyanceRecords = MemoryConveyances(state)
        self.log: ports.LogRecords = MemoryLogRecords(state)
        self.tree: ports.TreeRecords = MemoryTree(state)
        self.logins: ports.LoginRecords = MemoryLogins(state)
        self.factors: ports.FactorRecords = MemoryFactors(state)
        self.sessions: ports.SessionRecords = MemorySessions(state)
        self.challenges: ports.ChallengeRecords = MemoryChallenges(state)
        self.identity_links: ports.IdentityLinkRecords = MemoryIdentityLinks(state)
        self.filings: ports.FilingRecords = MemoryFilings(state)

    def commit(self) -> None:
        """Put the copy in the place of the state."""
        written = self._records.untold.pop(0) if self._records.untold else None
        if written is not False:
            self._records.state = self._state
        if written is not None:
            raise errors.OutcomeUnknown


@dataclass
class MemoryRecords:
    """The database in memory."""

    state: State = field(default_factory=State)
    turn: threading.RLock = field(default_factory=threading.RLock)
    untold: list[bool | None] = field(default_factory=list)
    """Of the next commits, in their order: the outcome is not told, and it is written or not; None: it is told."""
    unconfirmed: int = 0
    """How often `confirm` still fails."""

    @contextmanager
    def write(self) -> Iterator[MemoryTransaction]:
        """One writer at a time."""
        with self.turn:
            yield MemoryTransaction(self)

    @contextmanager
    def read(self) -> Iterator[MemoryTransaction]:
        """The state as it is now."""
        yield MemoryTransaction(self)

    def confirm(self) -> None:
        """Nothing to wait for, unless a test says so."""
        if self.unconfirmed:
            self.unconfirmed -= 1
            raise errors.OutcomeUnknown

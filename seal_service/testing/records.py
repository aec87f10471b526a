"""A fake of the database: values in memory, whole transactions or none, one writer at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from seal_service.domain import errors
from seal_service.domain.access import Account, Role
from seal_service.domain.activation import ActivationRecord
from seal_service.domain.application import Application
from seal_service.domain.approval import UseApproval
from seal_service.domain.certification import CertificateRequest
from seal_service.domain.conveyance import Conveyance
from seal_service.domain.dual_control import ControlledRequest
from seal_service.domain.events import TERMINAL_KINDS, EventKind
from seal_service.domain.filing import Filing, filings_of
from seal_service.domain.grant import Grant
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole, IssuedCertificate
from seal_service.domain.lifecycle import StatusChange
from seal_service.domain.machine import ApplicationSystem, SystemCredential, UnitPerson
from seal_service.domain.medium import MediumEvent
from seal_service.domain.notification import Notification
from seal_service.domain.organization import Unit
from seal_service.domain.password import Login
from seal_service.domain.prepared_use import PreparedUse
from seal_service.domain.scenario import RegisteredScenario
from seal_service.domain.seal import Seal, SealState
from seal_service.domain.second_factor import SecondFactor
from seal_service.domain.session import IdentityLink, LoginChallenge, Session
from seal_service.domain.trust import TrustedCertificate
from seal_service.domain.use import SealUse, UseState
from seal_service.ports import records as ports
from seal_service.ports.records import LogRow, Observation
from seal_service.testing.approval_records import MemoryApprovals, MemoryScenarios
from seal_service.testing.certificate_records import MemoryAuthorities, MemoryCertificates
from seal_service.testing.control_records import MemoryControlledRequests
from seal_service.testing.custody_records import MemoryActivations, MemoryConveyances, MemoryMedia, MemoryPreparedUses
from seal_service.testing.filing_records import MemoryFilings
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

STATE_AFTER = {
    EventKind.SEAL_MADE: SealState.MADE,
    EventKind.SEAL_ACTIVATED: SealState.ACTIVE,
    EventKind.SEAL_RESUMED: SealState.ACTIVE,
    EventKind.SEAL_SUSPENDED: SealState.SUSPENDED,
    EventKind.SEAL_CANCELLED: SealState.CANCELLED,
    EventKind.SEAL_INVALIDATED: SealState.CANCELLED,
}


@dataclass
class State:
    """Everything that is kept."""

    units: dict[str, Unit] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    seals: dict[str, Seal] = field(default_factory=dict)
    serials: dict[str, int] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    uses: dict[str, SealUse] = field(default_factory=dict)
    certificates: dict[str, IssuedCertificate] = field(default_factory=dict)
    authorities: dict[tuple[AuthorityRole, int], AuthorityCredential] = field(default_factory=dict)
    requests: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    certificate_requests: dict[str, CertificateRequest] = field(default_factory=dict)
    trust: dict[str, TrustedCertificate] = field(default_factory=dict)
    observations: dict[str, Observation] = field(default_factory=dict)
    controlled: dict[str, ControlledRequest] = field(default_factory=dict)
    scenarios: dict[str, RegisteredScenario] = field(default_factory=dict)
    approvals: dict[str, UseApproval] = field(default_factory=dict)
    approved_documents: dict[tuple[str, str], str | None] = field(default_factory=dict)
    notifications: dict[str, Notification] = field(default_factory=dict)
    systems: dict[str, ApplicationSystem] = field(default_factory=dict)
    system_credentials: dict[str, SystemCredential] = field(default_factory=dict)
    people: dict[tuple[str, str], UnitPerson] = field(default_factory=dict)
    entries: dict[str, LogRow] = field(default_factory=dict)
    terminals: dict[str, str] = field(default_factory=dict)
    logins: dict[str, Login] = field(default_factory=dict)
    factors: dict[str, SecondFactor] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    challenges: dict[str, LoginChallenge] = field(default_factory=dict)
    links: dict[tuple[str, str], IdentityLink] = field(default_factory=dict)
    filings: dict[str, Filing] = field(default_factory=dict)
    prepared_uses: dict[str, PreparedUse] = field(default_factory=dict)
    medium_events: dict[str, MediumEvent] = field(default_factory=dict)
    activations: dict[str, ActivationRecord] = field(default_factory=dict)
    conveyances: dict[str, Conveyance] = field(default_factory=dict)

    def copy(self) -> State:
        """A copy that can be changed on its own; the values are frozen."""
        return State(**{one.name: dict(getattr(self, one.name)) for one in fields(self)})


@dataclass
class MemoryUnits:
    """Units."""

    state: State

    def add(self, unit: Unit) -> None:
        """Insert."""
        if self.by_credit_code(unit.credit_code) is not None:
            raise errors.AlreadyRegistered
        self.state.units[unit.id] = unit

    def get(self, unit_id: str) -> Unit:
        """Read."""
        if unit_id not in self.state.units:
            raise errors.UnitNotFound
        return self.state.units[unit_id]

    def by_credit_code(self, code: str) -> Unit | None:
        """Read by code."""
        return next((unit for unit in self.state.units.values() if unit.credit_code == code), None)

    def replace(self, unit: Unit) -> None:
        """Write."""
        self.get(unit.id)
        self.state.units[unit.id] = unit


@dataclass
class MemoryAccounts:
    """Accounts."""

    state: State

    def add(self, account: Account) -> None:
        """Insert."""
        self.state.accounts[account.id] = account

    def find(self, account_id: str) -> Account | None:
        """Read."""
        return self.state.accounts.get(account_id)

    def lock(self, account_id: str) -> Account | None:
        """Read."""
        return self.find(account_id)

    replace = add

    def active_with(self, role: Role) -> int:
        """Count."""
        return sum(role in one.roles and one.disabled_at is None for one in self.state.accounts.values())


@dataclass
class MemoryApplications:
    """Applications."""

    state: State

    def add(self, application: Application) -> None:
        """Insert."""
        self.state.applications[application.id] = application

    def lock(self, application_id: str) -> Application:
        """Read."""
        if application_id not in self.state.applications:
            raise errors.ApplicationNotFound
        return self.state.applications[application_id]

    replace = add


@dataclass
class MemorySeals:
    """Seals."""

    state: State

    def add(self, seal: Seal) -> None:
        """Insert."""
        if seal.code in self.state.seals:
            raise errors.AlreadyRegistered
        self.state.seals[seal.code] = seal

    def find(self, code: str) -> Seal | None:
        """Read."""
        return self.state.seals.get(code)

    def lock(self, code: str) -> Seal:
        """Read."""
        if code not in self.state.seals:
            raise errors.SealNotFound
        return self.state.seals[code]

    def replace(self, seal: Seal) -> None:
        """Write."""
        self.state.seals[seal.code] = seal

    def by_certificate(self, serial: str) -> Seal | None:
        """Read by any version's certificate."""
        return next(
            (seal for seal in self.state.seals.values() if any(one.serial == serial for one in seal.credentials)), None
        )

    def names_key(self, key_reference: str) -> bool:
        """Any version of any seal."""
        seals = self.state.seals.values()
        return any(one.key_reference == key_reference for seal in seals for one in seal.credentials)

    def of_keys(self, key_references: Sequence[str]) -> Mapping[str, Seal]:
        """By key."""
        seals = self.state.seals.values()
        named = {one.key_reference: seal for seal in seals for one in seal.credentials}
        return {reference: named[reference] for reference in key_references if reference in named}

    def standing(self, unit_id: str) -> Sequence[str]:
        """In order."""
        seals = self.state.seals.values()
        return sorted(one.code for one in seals if one.unit_id == unit_id and one.state is not SealState.CANCELLED)

    def next_serial(self, area_code: str) -> int:
        """Count."""
        self.state.serials[area_code] = self.state.serials.get(area_code, 0) + 1
        return self.state.serials[area_code]


@dataclass
class MemoryGrants:
    """Grants."""

    state: State

    def add(self, grant: Grant) -> None:
        """Insert."""
        self.state.grants[grant.id] = grant

    def lock(self, grant_id: str) -> Grant:
        """Read."""
        if grant_id not in self.state.grants:
            raise errors.GrantNotFound
        return self.state.grants[grant_id]

    def lock_candidates(
        self, seal_code: str, grantee_id: str, scenario: str, document_sha256: str, now: datetime
    ) -> Sequence[Grant]:
        """Newest first."""
        wanted = (seal_code, grantee_id, scenario)
        found = [
            one for one in self.state.grants.values() if (one.seal_code, one.grantee_id, one.scenario.code) == wanted
        ]
        newest_first = sorted(found, key=lambda one: (one.granted_at, one.id), reverse=True)
        allowing = [
            one
            for one in newest_first
            if one.revoked_at is None
            and one.valid_from <= now < one.valid_until
            and (not one.digests or document_sha256 in one.digests)
            and (one.maximum_uses is None or MemoryUses(self.state).counted(one.id) < one.maximum_uses)
        ]
        return allowing or newest_first[:1]

    replace = add


@dataclass
class MemoryUses:
    """Uses."""

    state: State

    def add(self, use: SealUse) -> None:
        """Insert."""
        if self.by_key(use.account_id, use.idempotency_key) is not None:
            raise errors.IdempotencyKeyReused
        self.state.uses[use.id] = use

    def find(self, use_id: str) -> SealUse | None:
        """Read."""
        return self.state.uses.get(use_id)

    def by_key(self, account_id: str, idempotency_key: str) -> SealUse | None:
        """Read by key."""
        wanted = (account_id, idempotency_key)
        return next((use for use in self.state.uses.values() if (use.account_id, use.idempotency_key) == wanted), None)

    def counted(self, grant_id: str) -> int:
        """Count."""
        return sum(use.counts for use in self.state.uses.values() if use.grant_id == grant_id)

    def end(self, use: SealUse) -> bool:
        """Compare and set."""
        if self.state.uses[use.id].state is not UseState.RESERVED:
            return False
        self.state.uses[use.id] = use
        return True

    def release_document(self, use_id: str) -> None:
        """Hold no longer."""
        self.state.uses[use_id] = replace(self.state.uses[use_id], document_kept_until=None)

    def reserved_before(self, moment: datetime, limit: int) -> Sequence[SealUse]:
        """Oldest first."""
        stale = [use for use in self.state.uses.values() if use.state is UseState.RESERVED and use.reserved_at < moment]
        return sorted(stale, key=lambda use: use.reserved_at)[:limit]

    def held_until_before(self, moment: datetime, limit: int) -> Sequence[SealUse]:
        """Any order."""
        held = (use for use in self.state.uses.values() if use.document_kept_until is not None)
        return [use for use in held if use.document_kept_until and use.document_kept_until < moment][:limit]

    def holds(self, sealed_sha256: str) -> bool:
        """Whether any does."""
        return any(
            use.sealed_sha256 == sealed_sha256 and use.document_kept_until is not None
            for use in self.state.uses.values()
        )


@dataclass
class MemoryRequests:
    """Idempotency keys."""

    state: State

    def find(self, account_id: str, key: str) -> tuple[str, str] | None:
        """Read."""
        return self.state.requests.get((account_id, key))

    def add(self, account_id: str, key: str, request_digest: str, made: str, at: datetime) -> None:
        """Insert."""
        del at
        if (account_id, key) in self.state.requests:
            raise errors.IdempotencyKeyReused
        self.state.requests[account_id, key] = (request_digest, made)


@dataclass
class MemoryLogRecords:
    """Log rows."""

    state: State

    def next_seq(self, seal_code: str) -> int:
        """Count."""
        return 1 + sum(row.seal_code == seal_code for row in self.state.entries.values())

    def insert(self, row: LogRow) -> None:
        """Insert."""
        if row.kind in TERMINAL_KINDS and row.intent_id is not None:
            if row.intent_id in self.state.terminals:
                raise errors.Conflict("The intent has its terminal entry")
            self.state.terminals[row.intent_id] = row.entry_id
        self.state.entries[row.entry_id] = row
        filed = filings_of(row.kind, row.entry_id, row.seal_code, row.seq, row.at)
        self.state.filings |= {one.id: one for one in filed}

    def find(self, entry_id: str) -> LogRow | None:
        """Read."""
        return self.state.entries.get(entry_id)

    def status_changes(self, seal_code: str) -> Sequence[StatusChange]:
        """In order."""
        return [
            StatusChange(at=row.at, state=STATE_AFTER[row.kind])
            for row in self.state.entries.values()
            if row.seal_code == seal_code and row.kind in STATE_AFTER
        ]

    def status_changes_counted(self) -> int:
        """Count."""
        kinds = {*STATE_AFTER, EventKind.SEAL_CHANGED, EventKind.SEAL_RENEWED}
        kinds -= {EventKind.SEAL_MADE, EventKind.SEAL_ACTIVATED}
        return sum(row.kind in kinds for row in self.state.entries.values())

    def maker_of(self, seal_code: str) -> str | None:
        """Of the entry that it was made."""
        rows = (row for row in self.state.entries.values() if row.seal_code == seal_code)
        return next((row.account_id for row in rows if row.kind is EventKind.SEAL_MADE), None)

    def seals_stopped(self) -> Sequence[str]:
        """In order."""
        stopping = {*STATE_AFTER, EventKind.SEAL_CHANGED} - {
            EventKind.SEAL_MADE,
            EventKind.SEAL_ACTIVATED,
            EventKind.SEAL_RESUMED,
        }
        rows = self.state.entries.values()
        return sorted({row.seal_code for row in rows if row.seal_code is not None and row.kind in stopping})


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

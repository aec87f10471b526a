"""Everything that the fakes of the database keep."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime

from seal_service.domain.access import Account
from seal_service.domain.activation import ActivationRecord
from seal_service.domain.application import Application
from seal_service.domain.approval import UseApproval
from seal_service.domain.certification import CertificateRequest
from seal_service.domain.conveyance import Conveyance
from seal_service.domain.dual_control import ControlledRequest
from seal_service.domain.filing import Filing
from seal_service.domain.grant import Grant
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole, IssuedCertificate
from seal_service.domain.machine import ApplicationSystem, SystemCredential, UnitPerson
from seal_service.domain.medium import MediumEvent
from seal_service.domain.notification import Notification
from seal_service.domain.organization import Unit
from seal_service.domain.password import Login
from seal_service.domain.prepared_use import PreparedUse
from seal_service.domain.scenario import RegisteredScenario
from seal_service.domain.seal import Seal
from seal_service.domain.second_factor import SecondFactor
from seal_service.domain.session import IdentityLink, LoginChallenge, Session
from seal_service.domain.trust import TrustedCertificate
from seal_service.domain.use import SealUse
from seal_service.ports.records import LogRow, Observation, PlacedEntry, StatisticsBucket, StoredCheckpoint, TreeHead


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
    queue: dict[int, str] = field(default_factory=dict)
    leaves: dict[int, PlacedEntry] = field(default_factory=dict)
    head: dict[str, TreeHead] = field(default_factory=dict)
    statistics: dict[StatisticsBucket, int] = field(default_factory=dict)
    checkpoints: dict[int, StoredCheckpoint] = field(default_factory=dict)
    cosignatures: dict[tuple[int, str], datetime] = field(default_factory=dict)
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

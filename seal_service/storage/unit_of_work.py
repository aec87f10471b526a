"""Transactions over the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, RootTransaction

from seal_service.ports.records import (
    AccountRecords,
    ActivationRecords,
    ApplicationRecords,
    ApprovalRecords,
    AuthorityRecords,
    CertificateRecords,
    CertificateRequestRecords,
    ChallengeRecords,
    ControlledRecords,
    ConveyanceRecords,
    FactorRecords,
    FilingRecords,
    GrantRecords,
    IdempotencyRecords,
    IdentityLinkRecords,
    LoginRecords,
    LogRecords,
    MediumRecords,
    NotificationRecords,
    ObservationRecords,
    PersonRecords,
    PreparedUseRecords,
    ScenarioRecords,
    SealRecords,
    SessionRecords,
    SystemRecords,
    Transaction,
    TreeRecords,
    TrustRecords,
    UnitRecords,
    UseRecords,
)
from seal_service.storage.engine import Database
from seal_service.storage.refusals import database_failures
from seal_service.storage.repositories.accounts import SqlAccounts
from seal_service.storage.repositories.applications import SqlApplications
from seal_service.storage.repositories.approvals import SqlApprovals, SqlScenarios
from seal_service.storage.repositories.certificates import SqlAuthorities, SqlCertificates
from seal_service.storage.repositories.control import SqlControlledRequests
from seal_service.storage.repositories.custody import SqlActivations, SqlConveyances, SqlMedia, SqlPreparedUses
from seal_service.storage.repositories.filings import SqlFilings
from seal_service.storage.repositories.grants import SqlGrants
from seal_service.storage.repositories.idempotency import SqlIdempotency
from seal_service.storage.repositories.log import SqlLog
from seal_service.storage.repositories.machines import SqlPeople, SqlSystems
from seal_service.storage.repositories.notifications import SqlNotifications
from seal_service.storage.repositories.operation import SqlCertificateRequests, SqlObservations, SqlTrust
from seal_service.storage.repositories.people import (
    SqlChallenges,
    SqlFactors,
    SqlIdentityLinks,
    SqlLogins,
    SqlSessions,
)
from seal_service.storage.repositories.seals import SqlSeals
from seal_service.storage.repositories.tree import SqlTree
from seal_service.storage.repositories.units import SqlUnits
from seal_service.storage.repositories.uses import SqlUses


class SqlTransaction:
    """One transaction, begun; after `commit` its repositories can no longer be used."""

    def __init__(self, connection: Connection, commit: Callable[[RootTransaction], None]) -> None:
        self._connection = connection
        self._commit = commit
        self._transaction = connection.begin()
        units = SqlUnits(connection)
        self.units: UnitRecords = units
        self.accounts: AccountRecords = SqlAccounts(connection)
        self.applications: ApplicationRecords = SqlApplications(connection)
        self.seals: SealRecords = SqlSeals(connection, units)
        self.grants: GrantRecords = SqlGrants(connection)
        self.uses: UseRecords = SqlUses(connection)
        self.certificates: CertificateRecords = SqlCertificates(connection)
        self.authorities: AuthorityRecords = SqlAuthorities(connection)
        self.idempotency: IdempotencyRecords = SqlIdempotency(connection)
        self.certificate_requests: CertificateRequestRecords = SqlCertificateRequests(connection)
        self.trust: TrustRecords = SqlTrust(connection)
        self.observations: ObservationRecords = SqlObservations(connection)
        self.controlled: ControlledRecords = SqlControlledRequests(connection)
        self.scenarios: ScenarioRecords = SqlScenarios(connection)
        self.approvals: ApprovalRecords = SqlApprovals(connection)
        self.notifications: NotificationRecords = SqlNotifications(connection)
        self.systems: SystemRecords = SqlSystems(connection)
        self.people: PersonRecords = SqlPeople(connection)
        self.prepared_uses: PreparedUseRecords = SqlPreparedUses(connection)
        self.media: MediumRecords = SqlMedia(connection)
        self.activations: ActivationRecords = SqlActivations(connection)
        self.conveyances: ConveyanceRecords = SqlConveyances(connection)
        self.log: LogRecords = SqlLog(connection)
        self.tree: TreeRecords = SqlTree(connection)
        self.logins: LoginRecords = SqlLogins(connection)
        self.factors: FactorRecords = SqlFactors(connection)
        self.sessions: SessionRecords = SqlSessions(connection)
        self.challenges: ChallengeRecords = SqlChallenges(connection)
        self.identity_links: IdentityLinkRecords = SqlIdentityLinks(connection)
        self.filings: FilingRecords = SqlFilings(connection)

    def commit(self) -> None:
        """Make everything durable, or raise OutcomeUnknown. A later statement or commit is a fault and raises."""
        self._commit(self._transaction)
        self._connection.close()


@dataclass(frozen=True, slots=True)
class SqlRecords:
    """The database as the use cases see it. Unavailable when it does not answer within ten seconds."""

    database: Database

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that may write; on SQLite it is the only one from here to its end."""
        with self._transaction(self.database.writer) as transaction:
            yield transaction

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that only reads, of one consistent state."""
        with self._transaction(self.database.reader) as transaction:
            yield transaction

    def confirm(self) -> None:
        """Wait until all that was committed before is durable wherever commits are made so."""
        self.database.confirm()

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[SqlTransaction]:
        with database_failures(), engine.connect() as connection:
            yield SqlTransaction(connection, self.database.commit)

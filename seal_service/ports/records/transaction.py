"""One transaction over all of them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from seal_service.domain.events import Event, LoggedEntry
from seal_service.ports.records.approvals import ApprovalRecords, ScenarioRecords
from seal_service.ports.records.authority import AuthorityRecords, CertificateRecords, CertificateRequestRecords
from seal_service.ports.records.control import ControlledRecords
from seal_service.ports.records.custody import ActivationRecords, ConveyanceRecords, MediumRecords, PreparedUseRecords
from seal_service.ports.records.filing import FilingRecords
from seal_service.ports.records.log import LogRecords, LogRow
from seal_service.ports.records.machines import PersonRecords, SystemRecords
from seal_service.ports.records.notification import NotificationRecords
from seal_service.ports.records.operation import ObservationRecords, TrustRecords
from seal_service.ports.records.people import (
    ChallengeRecords,
    FactorRecords,
    IdentityLinkRecords,
    LoginRecords,
    SessionRecords,
)
from seal_service.ports.records.registers import AccountRecords, ApplicationRecords, UnitRecords
from seal_service.ports.records.seals import SealRecords
from seal_service.ports.records.tree import TreeRecords
from seal_service.ports.records.uses import GrantRecords, IdempotencyRecords, UseRecords


class Transaction(Protocol):
    """One transaction. Nothing is written unless `commit` returns; leaving without it rolls back.

    In a transaction that only reads, the `lock` of a repository just reads. A transaction in which a repository has
    refused something can only be left. To avoid deadlocks rows are locked in one order: the request's idempotency key,
    application, scenario, seal, grants, approvals, use, account, login challenge, login, system, credential, and last
    the seal's counter in the log. The head of the tree is locked in a transaction of its own.
    """

    units: UnitRecords
    accounts: AccountRecords
    applications: ApplicationRecords
    seals: SealRecords
    grants: GrantRecords
    uses: UseRecords
    certificates: CertificateRecords
    authorities: AuthorityRecords
    idempotency: IdempotencyRecords
    certificate_requests: CertificateRequestRecords
    trust: TrustRecords
    observations: ObservationRecords
    controlled: ControlledRecords
    scenarios: ScenarioRecords
    approvals: ApprovalRecords
    notifications: NotificationRecords
    systems: SystemRecords
    people: PersonRecords
    prepared_uses: PreparedUseRecords
    media: MediumRecords
    activations: ActivationRecords
    conveyances: ConveyanceRecords
    log: LogRecords
    tree: TreeRecords
    logins: LoginRecords
    factors: FactorRecords
    sessions: SessionRecords
    challenges: ChallengeRecords
    identity_links: IdentityLinkRecords
    filings: FilingRecords

    def commit(self) -> None:
        """Make everything durable, once.

        Raises OutcomeUnknown when the database did not say whether it is: then read it again (`Records.confirm`).
        """


class Records(Protocol):
    """The database. Safe for threads and processes; write transactions see no one else's changes half done."""

    def write(self) -> AbstractContextManager[Transaction]:
        """A transaction that may write; it waits its turn for what others hold."""

    def read(self) -> AbstractContextManager[Transaction]:
        """A transaction that only reads, of one consistent state."""

    def confirm(self) -> None:
        """Wait, on a fresh connection, until all that was committed before is durable wherever commits are made so.

        Where commits wait for a second machine, a cancelled wait leaves a commit that can be read but not relied on;
        after this call it can. Raises OutcomeUnknown, Unavailable.
        """


class SigningLog(Protocol):
    """签章日志: turns events into entries within the acting transaction."""

    origin: str

    def append(self, transaction: Transaction, event: Event) -> LoggedEntry:
        """Write the event's entry; durable exactly when the transaction is."""

    def operator_reference(self, operator_id: str) -> str:
        """The pseudonym under which an operator is found in the log."""

    def private_fields(self, row: LogRow) -> dict[str, str]:
        """The personal fields of an entry that are still kept, each checked against its commitment."""

"""Port to the database: one transaction, one repository an aggregate."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from seal_service.domain.access import Account
from seal_service.domain.application import Application
from seal_service.domain.certification import CertificateRequest, CertificateRequestState
from seal_service.domain.events import Event, EventKind, LoggedEntry
from seal_service.domain.grant import Grant
from seal_service.domain.issuance import (
    AuthorityCredential,
    AuthorityRole,
    CertificateStatus,
    IssuedCertificate,
)
from seal_service.domain.lifecycle import StatusChange
from seal_service.domain.organization import Unit
from seal_service.domain.seal import Seal
from seal_service.domain.trust import TrustedCertificate
from seal_service.domain.use import SealUse


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateField:
    """A personal field of an entry: its key and value, encrypted; erasable after retention."""

    name: str
    ciphertext: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """A log entry as stored: the canonical bytes, and columns projected from them for queries."""

    entry_id: str
    kind: EventKind
    at: datetime
    seq: int | None
    """Per-seal counter from 1; None for an entry without seal."""
    result: str
    canon: bytes
    leaf_hash: bytes
    account_id: str | None
    unit_id: str | None
    seal_code: str | None
    scenario: str | None
    operator_ref: str | None
    document_sha256: str | None
    use_id: str | None
    intent_id: str | None
    private: tuple[PrivateField, ...] = ()


class UnitRecords(Protocol):
    """Units."""

    def add(self, unit: Unit) -> None:
        """Insert; AlreadyRegistered when the credit code is known."""

    def get(self, unit_id: str) -> Unit:
        """Read; UnitNotFound."""

    def by_credit_code(self, code: str) -> Unit | None:
        """Read by 统一社会信用代码."""


class AccountRecords(Protocol):
    """Accounts."""

    def add(self, account: Account) -> None:
        """Insert."""

    def find(self, account_id: str) -> Account | None:
        """Read, or None."""

    def lock(self, account_id: str) -> Account | None:
        """Read, locked against change (not against other readers) until the transaction ends, or None."""

    def replace(self, account: Account) -> None:
        """Write the account's present form."""


class ApplicationRecords(Protocol):
    """Applications."""

    def add(self, application: Application) -> None:
        """Insert."""

    def lock(self, application_id: str) -> Application:
        """Read, locked until the transaction ends; ApplicationNotFound."""

    def replace(self, application: Application) -> None:
        """Write the application's present form."""


class SealRecords(Protocol):
    """Seals with their credentials."""

    def add(self, seal: Seal) -> None:
        """Insert; AlreadyRegistered when the code is taken."""

    def find(self, code: str) -> Seal | None:
        """Read, or None."""

    def lock(self, code: str) -> Seal:
        """Read, locked until the transaction ends; SealNotFound."""

    def replace(self, seal: Seal) -> None:
        """Write the seal's present form; credentials are only ever added."""

    def by_certificate(self, serial: str) -> Seal | None:
        """The seal whose credential of any version has this certificate serial number."""

    def names_key(self, key_reference: str) -> bool:
        """Whether any seal's credential names this key."""

    def of_keys(self, key_references: Sequence[str]) -> Mapping[str, Seal]:
        """The seals whose credentials of any version name these keys (at most 1,000), by key."""

    def next_serial(self, area_code: str) -> int:
        """The next number of an area's sequence, from 1; never given twice."""


class GrantRecords(Protocol):
    """Grants."""

    def add(self, grant: Grant) -> None:
        """Insert."""

    def lock(self, grant_id: str) -> Grant:
        """Read, locked until the transaction ends; GrantNotFound."""

    def lock_candidates(self, seal_code: str, grantee_id: str, scenario: str) -> Sequence[Grant]:
        """The grants that may allow a use, newest first, locked until the transaction ends."""

    def replace(self, grant: Grant) -> None:
        """Write the grant's present form."""


class UseRecords(Protocol):
    """Seal uses."""

    def add(self, use: SealUse) -> None:
        """Insert; IdempotencyKeyReused when account and key are taken."""

    def find(self, use_id: str) -> SealUse | None:
        """Read, or None."""

    def by_key(self, account_id: str, idempotency_key: str) -> SealUse | None:
        """Read by account and idempotency key, or None."""

    def counted(self, grant_id: str) -> int:
        """How many uses count against a grant: reserved and completed ones."""

    def end(self, use: SealUse) -> bool:
        """Compare-and-set: write a use that ends, only if it is still reserved; whether it was."""

    def release_document(self, use_id: str) -> None:
        """Note that the sealed document is no longer held."""

    def reserved_before(self, moment: datetime, limit: int) -> Sequence[SealUse]:
        """Uses reserved before a moment and not ended, oldest first."""

    def held_until_before(self, moment: datetime, limit: int) -> Sequence[SealUse]:
        """Completed uses whose document's time has passed."""

    def holds(self, sealed_sha256: str) -> bool:
        """Whether any use still holds the document with this digest."""


class CertificateRecords(Protocol):
    """Certificates that our authority issued."""

    def add(self, issued: IssuedCertificate) -> None:
        """Insert."""

    def find(self, serial: str) -> IssuedCertificate | None:
        """Read by serial number (lower-case hex), or None."""

    def set_status(self, serial: str, status: CertificateStatus, at: datetime, reason: str | None) -> None:
        """Write a status; CertificateNotFound."""

    def not_good(self) -> Sequence[IssuedCertificate]:
        """All that are on hold or revoked, by serial."""

    def unexpired(self, now: datetime) -> Generator[IssuedCertificate, None, None]:
        """All whose time has not ended, in no order, read as they are asked for: there may be very many.

        Who leaves off before the end closes it.
        """


class AuthorityRecords(Protocol):
    """The service's own credentials."""

    def add(self, credential: AuthorityCredential) -> None:
        """Insert."""

    def newest(self, role: AuthorityRole) -> AuthorityCredential | None:
        """The newest version for a role, or None."""

    def all(self) -> Sequence[AuthorityCredential]:
        """Every version of every role, by role and version."""


class CertificateRequestRecords(Protocol):
    """证书申请."""

    def add(self, request: CertificateRequest) -> None:
        """Insert; AlreadyRegistered."""

    def lock(self, request_id: str) -> CertificateRequest:
        """Read, locked until the transaction ends; CertificateRequestNotFound."""

    def replace(self, request: CertificateRequest) -> None:
        """Write the request's present form."""

    def chosen(
        self,
        state: CertificateRequestState | None = None,
        *,
        seal_code: str | None = None,
        application_id: str | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> Sequence[CertificateRequest]:
        """Requests in a state, of a seal, of an application and after an id, if they are named, by id: oldest first."""

    def names_key(self, key_reference: str) -> bool:
        """Whether any request names this key."""


class TrustRecords(Protocol):
    """信任锚 that operators entered."""

    def add(self, trusted: TrustedCertificate) -> None:
        """Insert; AlreadyRegistered when the certificate is there and not removed."""

    def lock(self, trusted_id: str) -> TrustedCertificate:
        """Read, locked until the transaction ends, removed ones too; TrustAnchorNotFound."""

    def replace(self, trusted: TrustedCertificate) -> None:
        """Write its present form."""

    def all(self) -> Sequence[TrustedCertificate]:
        """All that are not removed, by time of entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """观测: what a scheduled task last saw of something outside; every process reads it."""

    name: str
    at: datetime
    well: bool
    detail: str


class ObservationRecords(Protocol):
    """观测: the newest of each name."""

    def put(self, observation: Observation) -> None:
        """Write it in the place of the last one of its name."""

    def all(self) -> Sequence[Observation]:
        """All, by name."""


class IdempotencyRecords(Protocol):
    """Which request an account's idempotency key stood for (seal uses keep their own)."""

    def find(self, account_id: str, key: str) -> tuple[str, str] | None:
        """(request digest, id of what the request made) or None; the key is held until the transaction ends."""

    def add(self, account_id: str, key: str, request_digest: str, made: str, at: datetime) -> None:
        """Insert; IdempotencyKeyReused when another request came first."""


class LogRecords(Protocol):
    """The signing log's rows: insert and read, never change."""

    def next_seq(self, seal_code: str) -> int:
        """The next value of a seal's counter, from 1, without gap once committed; held until the transaction ends."""

    def insert(self, row: LogRow) -> None:
        """Insert the row, its private fields, its place in the queue for the tree and, for a terminal kind, the
        one terminal entry of its intent (Conflict when the intent has one)."""

    def find(self, entry_id: str) -> LogRow | None:
        """Read with private fields, or None."""

    def status_changes(self, seal_code: str) -> Sequence[StatusChange]:
        """The seal's changes of status by the log: sealmgmt.made, activated, suspended, resumed, cancelled."""


class Transaction(Protocol):
    """One transaction. Nothing is written unless `commit` returns; leaving without it rolls back.

    In a transaction that only reads, the `lock` of a repository just reads. A transaction in which a repository has
    refused something can only be left. To avoid deadlocks rows are locked in one order: the request's idempotency key,
    application, seal, grants, use, account, and last the seal's counter in the log.
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
    log: LogRecords

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

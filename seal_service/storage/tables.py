"""Tables of the database as SQLAlchemy sees them; they are not the domain (`mapping` stands between)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Dialect,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """A moment as microseconds since 1970 UTC: it sorts, loses nothing and is the same in every engine."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Microseconds; a time without zone is a fault of the program (TypeError)."""
        return None if value is None else (value - EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """The moment, in UTC."""
        return None if value is None else EPOCH + timedelta(microseconds=value)


class StoredRow(DeclarativeBase):
    """A row of a table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Moment, bytes: LargeBinary, float: Double}  # noqa: RUF012


class UnitRow(StoredRow):
    """单位."""

    __tablename__ = "unit"
    __table_args__ = (Index(None, "registered_at"), Index(None, "area_code", "registered_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    unit_type: Mapped[str]
    credit_code: Mapped[str] = mapped_column(unique=True)
    area_code: Mapped[str]
    channel_unit_id: Mapped[str | None] = mapped_column(ForeignKey("unit.id"), index=True)
    registered_at: Mapped[datetime]


class AccountRow(StoredRow):
    """账户."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    roles: Mapped[str]
    """Sorted, separated by commas."""
    unit_id: Mapped[str | None] = mapped_column(ForeignKey("unit.id"))
    secret_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
    disabled_at: Mapped[datetime | None]


class ApplicationRow(StoredRow):
    """印章申请."""

    __tablename__ = "application"
    __table_args__ = (
        Index(None, "applied_at"),
        Index(None, "state", "applied_at"),
        Index(None, "unit_id", "applied_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"))
    seal_name: Mapped[str]
    seal_type: Mapped[str]
    impression_digest: Mapped[str]
    impression_width_mm: Mapped[float]
    impression_height_mm: Mapped[float]
    impression_dpi: Mapped[int]
    impression_ink_rgb: Mapped[str]
    replaces_seal_code: Mapped[str | None]
    state: Mapped[str]
    applied_by: Mapped[str]
    applied_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None]
    seal_code: Mapped[str | None]


class SealRow(StoredRow):
    """电子印章."""

    __tablename__ = "seal"
    __table_args__ = (Index(None, "made_at"), Index(None, "unit_id", "made_at"))

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    seal_type: Mapped[str]
    unit_id: Mapped[str] = mapped_column(ForeignKey("unit.id"))
    application_id: Mapped[str] = mapped_column(ForeignKey("application.id"))
    impression_digest: Mapped[str]
    impression_width_mm: Mapped[float]
    impression_height_mm: Mapped[float]
    impression_dpi: Mapped[int]
    impression_ink_rgb: Mapped[str]
    state: Mapped[str]
    version: Mapped[int]
    epoch: Mapped[int]
    not_after: Mapped[datetime] = mapped_column(index=True)
    """Copied from the credentials of the newest version, so that lists can ask for expired seals."""
    made_at: Mapped[datetime]
    replaces_seal_code: Mapped[str | None]
    state_reason: Mapped[str | None]
    document_number: Mapped[str | None]
    history_note: Mapped[str | None]


class SealCredentialRow(StoredRow):
    """签章凭据."""

    __tablename__ = "seal_credential"

    id: Mapped[str] = mapped_column(primary_key=True)
    seal_code: Mapped[str] = mapped_column(ForeignKey("seal.code"), index=True)
    position: Mapped[int]
    """The place among the seal's credentials, from 0."""
    version: Mapped[int]
    suite: Mapped[str]
    purpose: Mapped[str]
    custody: Mapped[str]
    key_reference: Mapped[str]
    certificate: Mapped[bytes]
    serial: Mapped[str] = mapped_column(unique=True)
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]


class SealCodeSequenceRow(StoredRow):
    """印章编码序列: the last serial number given in an area."""

    __tablename__ = "seal_code_sequence"

    area_code: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)


class GrantRow(StoredRow):
    """用印授权."""

    __tablename__ = "use_grant"
    __table_args__ = (
        Index(None, "granted_at"),
        Index(None, "seal_code", "grantee_id", "scenario", "granted_at"),
        Index(None, "grantee_id", "granted_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    seal_code: Mapped[str] = mapped_column(ForeignKey("seal.code"))
    grantee_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    scenario: Mapped[str]
    scenario_kind: Mapped[str]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]
    maximum_uses: Mapped[int | None] = mapped_column(BigInteger)
    responsible_person: Mapped[str]
    approval_number: Mapped[str]
    granted_by: Mapped[str]
    granted_at: Mapped[datetime]
    epoch: Mapped[int]
    revoked_at: Mapped[datetime | None]


class SealUseRow(StoredRow):
    """用印."""

    __tablename__ = "seal_use"
    __table_args__ = (
        UniqueConstraint("account_id", "idempotency_key"),
        Index(None, "seal_code", "reserved_at"),
        Index(None, "grant_id", "state"),
        Index(None, "state", "reserved_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    idempotency_key: Mapped[str]
    request_digest: Mapped[str]
    seal_code: Mapped[str] = mapped_column(ForeignKey("seal.code"))
    seal_epoch: Mapped[int]
    grant_id: Mapped[str] = mapped_column(ForeignKey("use_grant.id"))
    grant_epoch: Mapped[int]
    scenario: Mapped[str]
    state: Mapped[str]
    document_sha256: Mapped[str] = mapped_column(index=True)
    document_sm3: Mapped[str]
    intent_entry_id: Mapped[str]
    intent_leaf_hash: Mapped[bytes]
    reserved_at: Mapped[datetime]
    level_asked: Mapped[str]
    level_reached: Mapped[str | None]
    repaired_sha256: Mapped[str | None]
    sealed_sha256: Mapped[str | None] = mapped_column(index=True)
    terminal_entry_id: Mapped[str | None]
    terminal_leaf_hash: Mapped[bytes | None]
    ended_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    document_kept_until: Mapped[datetime | None] = mapped_column(index=True)


class IssuedCertificateRow(StoredRow):
    """A certificate that our authority issued."""

    __tablename__ = "issued_certificate"

    serial: Mapped[str] = mapped_column(primary_key=True)
    certificate: Mapped[bytes]
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]
    status: Mapped[str] = mapped_column(index=True)
    status_since: Mapped[datetime | None]
    reason: Mapped[str | None]


class AuthorityCredentialRow(StoredRow):
    """A credential of the service itself."""

    __tablename__ = "authority_credential"

    role: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key_reference: Mapped[str]
    certificate: Mapped[bytes]
    not_before: Mapped[datetime]
    not_after: Mapped[datetime]


class CertificateRequestRow(StoredRow):
    """证书申请."""

    __tablename__ = "certificate_request"
    __table_args__ = (Index(None, "state", "requested_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    seal_code: Mapped[str] = mapped_column(index=True)
    application_id: Mapped[str | None] = mapped_column(ForeignKey("application.id"))
    suite: Mapped[str]
    key_reference: Mapped[str] = mapped_column(unique=True)
    request: Mapped[bytes]
    state: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    certificate_serial: Mapped[str | None]


class TrustedCertificateRow(StoredRow):
    """信任锚."""

    __tablename__ = "trusted_certificate"

    id: Mapped[str] = mapped_column(primary_key=True)
    certificate: Mapped[bytes]
    for_signatures: Mapped[bool]
    for_timestamps: Mapped[bool]
    note: Mapped[str]
    revocation_addresses: Mapped[str]
    """One a line."""
    added_by: Mapped[str]
    added_at: Mapped[datetime]
    confirmed_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class ObservationRow(StoredRow):
    """观测."""

    __tablename__ = "observation"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    well: Mapped[bool]
    detail: Mapped[str]


class IdempotencyRow(StoredRow):
    """Which request an idempotency key stood for, and what it made."""

    __tablename__ = "idempotency"

    account_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    made: Mapped[str]
    at: Mapped[datetime]


class SignLogRow(StoredRow):
    """签章日志: an entry; `canon` is the truth, the other columns are projected from it. Append-only."""

    __tablename__ = "sign_log"
    __table_args__ = (
        UniqueConstraint("seal_code", "seq"),
        Index(None, "at"),
        Index(None, "seal_code", "at"),
        Index(None, "unit_id", "at"),
        Index(None, "account_id", "at"),
        Index(None, "operator_ref", "at"),
        Index(None, "document_sha256", "at"),
        Index(None, "scenario", "at"),
        Index(None, "kind", "at"),
        Index(None, "use_id"),
    )

    entry_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    seq: Mapped[int | None] = mapped_column(BigInteger)
    intent_id: Mapped[str | None]
    use_id: Mapped[str | None]
    seal_code: Mapped[str | None]
    unit_id: Mapped[str | None]
    account_id: Mapped[str | None]
    operator_ref: Mapped[str | None]
    scenario: Mapped[str | None]
    document_sha256: Mapped[str | None]
    result: Mapped[str]
    at: Mapped[datetime]
    canon: Mapped[bytes]
    leaf_hash: Mapped[bytes]


class LogTerminalRow(StoredRow):
    """The one entry that ends an intent. Append-only."""

    __tablename__ = "log_terminal"

    intent_id: Mapped[str] = mapped_column(ForeignKey("sign_log.entry_id"), primary_key=True)
    entry_id: Mapped[str] = mapped_column(ForeignKey("sign_log.entry_id"), unique=True)


class LogPendingRow(StoredRow):
    """Entries that wait for their place in the tree, in the order in which they were written."""

    __tablename__ = "log_pending"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    q: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), Identity(always=True), primary_key=True
    )
    entry_id: Mapped[str] = mapped_column(ForeignKey("sign_log.entry_id"), unique=True)


class PrivateFieldRow(StoredRow):
    """A personal field of an entry, encrypted. Append-only until retention has ended."""

    __tablename__ = "private_field"

    entry_id: Mapped[str] = mapped_column(ForeignKey("sign_log.entry_id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    ciphertext: Mapped[bytes]


APPEND_ONLY = frozenset({"sign_log", "log_terminal", "private_field"})
"""Tables whose rows never change: by triggers (the first migration) and by the authorizer of every connection."""

"""Tables of people's way in: logins, second factors, sessions, challenges, links to an identity provider."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from seal_service.storage.tables.base import StoredRow


class LoginRow(StoredRow):
    """登录信息."""

    __tablename__ = "login"

    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), primary_key=True)
    login_name: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    history: Mapped[str]
    """Hashes, one a line, newest first."""
    changed_at: Mapped[datetime | None]
    must_change: Mapped[bool]
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]


class SecondFactorRow(StoredRow):
    """第二因素."""

    __tablename__ = "second_factor"
    __table_args__ = (Index(None, "account_id", "enrolled_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str]
    secret: Mapped[bytes | None]
    """Encrypted."""
    certificate: Mapped[bytes | None]
    certificate_sha256: Mapped[str | None] = mapped_column(unique=True)
    """NULL once removed: the certificate may then be somebody's again."""
    enrolled_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_counter: Mapped[int | None] = mapped_column(BigInteger)
    disabled_at: Mapped[datetime | None]


class SessionRow(StoredRow):
    """会话."""

    __tablename__ = "session"
    __table_args__ = (Index(None, "account_id", "ended_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    way: Mapped[str]
    factor: Mapped[str | None]
    roles: Mapped[str | None]
    """Sorted, separated by commas."""
    address: Mapped[str | None]
    opened_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    evidence: Mapped[str | None] = mapped_column(unique=True)
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]


class LoginChallengeRow(StoredRow):
    """登录质询."""

    __tablename__ = "login_challenge"

    id: Mapped[str] = mapped_column(primary_key=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"))
    way: Mapped[str]
    roles: Mapped[str | None]
    evidence: Mapped[str | None]
    nonce: Mapped[bytes]
    opened_at: Mapped[datetime]
    attempts: Mapped[int]
    ended_at: Mapped[datetime | None]


class IdentityLinkRow(StoredRow):
    """身份关联."""

    __tablename__ = "identity_link"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("account.id"), index=True)
    linked_at: Mapped[datetime]
    linked_by: Mapped[str]
    removed_at: Mapped[datetime | None]

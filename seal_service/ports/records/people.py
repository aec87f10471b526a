"""People's way in: logins, second factors, sessions, links to an identity provider."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from seal_service.domain.password import Login
from seal_service.domain.second_factor import SecondFactor
from seal_service.domain.session import IdentityLink, LoginChallenge, Session, SessionEnd


class LoginRecords(Protocol):
    """登录信息. Who changes anything of a person's way in holds the lock of the login."""

    def find(self, account_id: str) -> Login | None:
        """Read, or None."""

    def by_name(self, login_name: str) -> Login | None:
        """Read by the other name to sign in with, or None."""

    def lock(self, account_id: str) -> Login | None:
        """Read, locked until the transaction ends, or None."""

    def add(self, login: Login) -> None:
        """Insert; AlreadyRegistered when the account has one or the login name is somebody's."""

    def replace(self, login: Login) -> None:
        """Write the present form; AlreadyRegistered when the login name is somebody else's, AccountNotFound."""


class FactorRecords(Protocol):
    """第二因素."""

    def add(self, factor: SecondFactor) -> None:
        """Insert; AlreadyRegistered when its certificate is held already."""

    def of_account(self, account_id: str) -> Sequence[SecondFactor]:
        """All of an account, removed ones too, by time of enrolment."""

    def replace(self, factor: SecondFactor) -> None:
        """Write the present form; SecondFactorNotFound."""


class SessionRecords(Protocol):
    """会话."""

    def add(self, session: Session) -> None:
        """Insert; AlreadyRegistered when its evidence opened a session before."""

    def by_token(self, token_sha256: str) -> Session | None:
        """Read by the digest of its token, or None."""

    def opened_by(self, evidence: str) -> bool:
        """Whether a piece of evidence opened a session before."""

    def open_of(self, account_id: str) -> Sequence[Session]:
        """All of an account that nobody ended, oldest first."""

    def replace(self, session: Session) -> None:
        """Write the present form, unless it was ended before; SessionNotFound."""

    def end_all(self, at: datetime, end: SessionEnd) -> int:
        """End everybody's that nobody ended; how many."""

    def seen(self, session_id: str, at: datetime) -> None:
        """Note the last use, unless the session was ended."""


class ChallengeRecords(Protocol):
    """登录质询."""

    def add(self, challenge: LoginChallenge) -> None:
        """Insert."""

    def lock(self, token_sha256: str) -> LoginChallenge | None:
        """Read by the digest of its token, locked until the transaction ends, or None."""

    def replace(self, challenge: LoginChallenge) -> None:
        """Write the present form."""


class IdentityLinkRecords(Protocol):
    """身份关联."""

    def put(self, link: IdentityLink) -> None:
        """Insert or write the present form; AlreadyRegistered when another account is linked to the subject."""

    def find(self, issuer: str, subject: str) -> IdentityLink | None:
        """Read, or None; also one that was removed."""

    def of_account(self, account_id: str) -> Sequence[IdentityLink]:
        """All of an account that were not removed, by time."""

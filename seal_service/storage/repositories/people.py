"""登录信息、第二因素、会话、身份关联."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from seal_service.domain.errors import AccountNotFound, AlreadyRegistered, SecondFactorNotFound, SessionNotFound
from seal_service.domain.password import Login
from seal_service.domain.second_factor import SecondFactor
from seal_service.domain.session import IdentityLink, LoginChallenge, Session, SessionEnd
from seal_service.storage.locking import locked
from seal_service.storage.mapping.people import (
    challenge_of,
    challenge_values,
    factor_of,
    factor_values,
    link_of,
    link_values,
    login_of,
    login_values,
    session_of,
    session_values,
)
from seal_service.storage.refusals import unique
from seal_service.storage.statement import Statement
from seal_service.storage.tables.people import (
    IdentityLinkRow,
    LoginChallengeRow,
    LoginRow,
    SecondFactorRow,
    SessionRow,
)

_LOGIN = select(LoginRow).where(LoginRow.account_id == bindparam("account_id"))
_LOGIN_READ = Statement(_LOGIN)
_LOGIN_LOCKED = locked(_LOGIN)
_LOGIN_BY_NAME = Statement(select(LoginRow).where(LoginRow.login_name == bindparam("login_name")))
_FACTORS = Statement(
    select(SecondFactorRow)
    .where(SecondFactorRow.account_id == bindparam("account_id"))
    .order_by(SecondFactorRow.enrolled_at, SecondFactorRow.id)
)
_SESSION_BY_TOKEN = Statement(select(SessionRow).where(SessionRow.token_sha256 == bindparam("token_sha256")))
_CHALLENGE = locked(select(LoginChallengeRow).where(LoginChallengeRow.token_sha256 == bindparam("token_sha256")))


@dataclass(frozen=True, slots=True)
class SqlLogins:
    """登录信息."""

    connection: Connection

    def find(self, account_id: str) -> Login | None:
        """Read, or None."""
        row = _LOGIN_READ.one(self.connection, account_id=account_id)
        return None if row is None else login_of(row)

    def by_name(self, login_name: str) -> Login | None:
        """Read by name, or None."""
        row = _LOGIN_BY_NAME.one(self.connection, login_name=login_name)
        return None if row is None else login_of(row)

    def lock(self, account_id: str) -> Login | None:
        """Read, locked, or None."""
        row = _LOGIN_LOCKED.on(self.connection).one(self.connection, account_id=account_id)
        return None if row is None else login_of(row)

    def add(self, login: Login) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(LoginRow), login_values(login))

    def replace(self, login: Login) -> None:
        """Write the present form; AlreadyRegistered, AccountNotFound."""
        changed = update(LoginRow).where(LoginRow.account_id == login.account_id)
        with unique(AlreadyRegistered):
            found = self.connection.execute(changed, login_values(login)).rowcount
        if found == 0:
            raise AccountNotFound


@dataclass(frozen=True, slots=True)
class SqlFactors:
    """第二因素."""

    connection: Connection

    def add(self, factor: SecondFactor) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(SecondFactorRow), factor_values(factor))

    def of_account(self, account_id: str) -> Sequence[SecondFactor]:
        """All of an account, by time of enrolment."""
        return [factor_of(one) for one in _FACTORS.all(self.connection, account_id=account_id)]

    def replace(self, factor: SecondFactor) -> None:
        """Write the present form; SecondFactorNotFound."""
        changed = update(SecondFactorRow).where(SecondFactorRow.id == factor.id)
        if self.connection.execute(changed, factor_values(factor)).rowcount == 0:
            raise SecondFactorNotFound


@dataclass(frozen=True, slots=True)
class SqlSessions:
    """会话."""

    connection: Connection

    def add(self, session: Session) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(SessionRow), session_values(session))

    def by_token(self, token_sha256: str) -> Session | None:
        """Read, or None."""
        row = _SESSION_BY_TOKEN.one(self.connection, token_sha256=token_sha256)
        return None if row is None else session_of(row)

    def opened_by(self, evidence: str) -> bool:
        """Whether it opened a session before."""
        found = select(SessionRow.id).where(SessionRow.evidence == evidence).limit(1)
        return self.connection.scalar(found) is not None

    def open_of(self, account_id: str) -> Sequence[Session]:
        """All that nobody ended, oldest first."""
        row = SessionRow
        wanted = select(row).where(row.account_id == account_id, row.ended_at.is_(None)).order_by(row.opened_at, row.id)
        return [session_of(one) for one in self.connection.execute(wanted)]

    def replace(self, session: Session) -> None:
        """Write the present form, unless it was ended before; SessionNotFound."""
        changed = update(SessionRow).where(SessionRow.id == session.id, SessionRow.ended_at.is_(None))
        if self.connection.execute(changed, session_values(session)).rowcount == 0:
            raise SessionNotFound

    def end_all(self, at: datetime, end: SessionEnd) -> int:
        """End everybody's that nobody ended; how many."""
        ended = update(SessionRow).where(SessionRow.ended_at.is_(None)).values(ended_at=at, end_reason=end.value)
        return self.connection.execute(ended).rowcount

    def seen(self, session_id: str, at: datetime) -> None:
        """Note the last use, unless the session was ended."""
        seen = update(SessionRow).where(SessionRow.id == session_id, SessionRow.ended_at.is_(None))
        self.connection.execute(seen.where(SessionRow.last_seen_at < at).values(last_seen_at=at))


@dataclass(frozen=True, slots=True)
class SqlChallenges:
    """登录质询."""

    connection: Connection

    def add(self, challenge: LoginChallenge) -> None:
        """Insert."""
        self.connection.execute(insert(LoginChallengeRow), challenge_values(challenge))

    def lock(self, token_sha256: str) -> LoginChallenge | None:
        """Read, locked, or None."""
        row = _CHALLENGE.on(self.connection).one(self.connection, token_sha256=token_sha256)
        return None if row is None else challenge_of(row)

    def replace(self, challenge: LoginChallenge) -> None:
        """Write the present form."""
        changed = update(LoginChallengeRow).where(LoginChallengeRow.id == challenge.id)
        self.connection.execute(changed, challenge_values(challenge))


@dataclass(frozen=True, slots=True)
class SqlIdentityLinks:
    """身份关联."""

    connection: Connection

    def put(self, link: IdentityLink) -> None:
        """Insert or write the present form; AlreadyRegistered when another account is linked to the subject."""
        row = IdentityLinkRow
        known = update(row).where(row.issuer == link.issuer, row.subject == link.subject)
        mine = known.where((row.account_id == link.account_id) | row.removed_at.is_not(None))
        if self.connection.execute(mine, link_values(link)).rowcount == 0:
            with unique(AlreadyRegistered):
                self.connection.execute(insert(row), link_values(link))

    def find(self, issuer: str, subject: str) -> IdentityLink | None:
        """Read, or None."""
        row = IdentityLinkRow
        found = self.connection.execute(select(row).where(row.issuer == issuer, row.subject == subject)).one_or_none()
        return None if found is None else link_of(found)

    def of_account(self, account_id: str) -> Sequence[IdentityLink]:
        """All that were not removed, by time."""
        row = IdentityLinkRow
        wanted = select(row).where(row.account_id == account_id, row.removed_at.is_(None))
        return [link_of(one) for one in self.connection.execute(wanted.order_by(row.linked_at, row.subject))]

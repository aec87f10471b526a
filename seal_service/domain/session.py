"""会话: who is signed in, for how long, and what may be done before a sign-in is whole (等保三级 8.1.4.1 b)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from seal_service.domain.access import PERMISSIONS_OF, Account, MustFirst, Permission, Role
from seal_service.domain.password import Login, change_required
from seal_service.domain.second_factor import FactorKind, FactorRule

SESSION_PREFIX = "ss_"
CHALLENGE_PREFIX = "sc_"
CHALLENGE_LIFETIME = timedelta(minutes=5)
MOST_ATTEMPTS = 5
"""At the second factor of one challenge."""
SEEN_AGAIN = timedelta(minutes=1)
"""A session's last use is noted no oftener."""


class Way(StrEnum):
    """登录方式: how the first proof was given."""

    PASSWORD = "password"  # noqa: S105 - a name
    OIDC = "oidc"


class SessionEnd(StrEnum):
    """会话结束原因."""

    SIGNED_OUT = "signed_out"
    IDLE = "idle"
    TOO_OLD = "too_old"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a name
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a name
    UNLINKED = "unlinked"
    RESTORED = "restored"
    """A backup was restored, in which it had not ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """会话 of a person; its token is kept as a digest alone."""

    id: str
    token_sha256: str
    account_id: str
    way: Way
    factor: FactorKind | None
    """The second factor that was passed."""
    roles: frozenset[Role] | None
    """What the identity provider vouched for; None: all of the account's."""
    address: str | None
    opened_at: datetime
    last_seen_at: datetime
    evidence: str | None = None
    """Digest of the id token that opened it: none opens two."""
    ended_at: datetime | None = None
    end: SessionEnd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginChallenge:
    """登录质询: a first proof was given and a second one is waited for."""

    id: str
    token_sha256: str
    account_id: str
    way: Way
    roles: frozenset[Role] | None
    evidence: str | None
    nonce: bytes
    """What a UKey signs."""
    opened_at: datetime
    attempts: int = 0
    ended_at: datetime | None = None

    @property
    def expires_at(self) -> datetime:
        """Until when it waits."""
        return self.opened_at + CHALLENGE_LIFETIME

    def open_at(self, now: datetime) -> bool:
        """Whether it still waits."""
        return self.ended_at is None and self.attempts < MOST_ATTEMPTS and now < self.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityLink:
    """身份关联: the subject of an identity provider that is this account."""

    issuer: str
    subject: str
    account_id: str
    linked_at: datetime
    linked_by: str
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """会话时限."""

    idle: timedelta
    absolute: timedelta

    def end_of(self, session: Session, now: datetime) -> SessionEnd | None:
        """Why a session is over by now, or None."""
        if session.end is not None:
            return session.end
        if now >= session.opened_at + self.absolute:
            return SessionEnd.TOO_OLD
        return SessionEnd.IDLE if now >= session.last_seen_at + self.idle else None


def must_first(session: Session, login: Login, rule: FactorRule, now: datetime) -> MustFirst | None:
    """What has to be done before a session may do anything else."""
    if session.way is Way.PASSWORD and change_required(login, now):
        return MustFirst.CHANGE_PASSWORD
    return None if rule.satisfied_by(session.factor) else MustFirst.ENROL_FACTOR


def effective_roles(account: Account, session: Session) -> frozenset[Role]:
    """The account's roles; of a session through a provider only those it vouched for: it never gives more."""
    return account.roles if session.roles is None else account.roles & session.roles


def is_person(account: Account) -> bool:
    """Whether an account signs in as a person does: every one but a business system's."""
    return Role.BUSINESS_SYSTEM not in account.roles


def counts_as_second_person(account: Account) -> bool:
    """Whether an account confirms what takes two people: then no other such person decides alone on its way in."""
    return any(Permission.CONFIRM_ACT in PERMISSIONS_OF[role] for role in account.roles)

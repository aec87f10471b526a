"""Fakes of the records of people's way in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from seal_service.domain import errors
from seal_service.domain.password import Login
from seal_service.domain.second_factor import SecondFactor
from seal_service.domain.session import IdentityLink, LoginChallenge, Session, SessionEnd


class PeopleState(Protocol):
    """The part of the state that these fakes keep."""

    logins: dict[str, Login]
    factors: dict[str, SecondFactor]
    sessions: dict[str, Session]
    challenges: dict[str, LoginChallenge]
    links: dict[tuple[str, str], IdentityLink]


@dataclass
class MemoryLogins:
    """登录信息."""

    state: PeopleState

    def find(self, account_id: str) -> Login | None:
        """Read."""
        return self.state.logins.get(account_id)

    lock = find

    def by_name(self, login_name: str) -> Login | None:
        """Read by name."""
        return next((one for one in self.state.logins.values() if one.login_name == login_name), None)

    def add(self, login: Login) -> None:
        """Insert."""
        if login.account_id in self.state.logins:
            raise errors.AlreadyRegistered
        self._write(login)

    def replace(self, login: Login) -> None:
        """Write."""
        if login.account_id not in self.state.logins:
            raise errors.AccountNotFound
        self._write(login)

    def _write(self, login: Login) -> None:
        named = None if login.login_name is None else self.by_name(login.login_name)
        if named is not None and named.account_id != login.account_id:
            raise errors.AlreadyRegistered
        self.state.logins[login.account_id] = login


@dataclass
class MemoryFactors:
    """第二因素."""

    state: PeopleState

    def add(self, factor: SecondFactor) -> None:
        """Insert."""
        held = {one.certificate_sha256 for one in self.state.factors.values()}
        if factor.certificate_sha256 is not None and factor.certificate_sha256 in held:
            raise errors.AlreadyRegistered
        self.state.factors[factor.id] = factor

    def of_account(self, account_id: str) -> Sequence[SecondFactor]:
        """By time."""
        found = [one for one in self.state.factors.values() if one.account_id == account_id]
        return sorted(found, key=lambda one: (one.enrolled_at, one.id))

    def replace(self, factor: SecondFactor) -> None:
        """Write."""
        if factor.id not in self.state.factors:
            raise errors.SecondFactorNotFound
        self.state.factors[factor.id] = factor


@dataclass
class MemorySessions:
    """会话."""

    state: PeopleState

    def add(self, session: Session) -> None:
        """Insert."""
        if session.evidence is not None and self.opened_by(session.evidence):
            raise errors.AlreadyRegistered
        self.state.sessions[session.id] = session

    def by_token(self, token_sha256: str) -> Session | None:
        """Read."""
        return next((one for one in self.state.sessions.values() if one.token_sha256 == token_sha256), None)

    def opened_by(self, evidence: str) -> bool:
        """Any."""
        return any(one.evidence == evidence for one in self.state.sessions.values())

    def open_of(self, account_id: str) -> Sequence[Session]:
        """Oldest first."""
        found = [one for one in self.state.sessions.values() if one.account_id == account_id and one.ended_at is None]
        return sorted(found, key=lambda one: (one.opened_at, one.id))

    def replace(self, session: Session) -> None:
        """Write."""
        known = self.state.sessions.get(session.id)
        if known is None or known.ended_at is not None:
            raise errors.SessionNotFound
        self.state.sessions[session.id] = session

    def end_all(self, at: datetime, end: SessionEnd) -> int:
        """Write."""
        found = [one for one in self.state.sessions.values() if one.ended_at is None]
        self.state.sessions |= {one.id: replace(one, ended_at=at, end=end) for one in found}
        return len(found)

    def seen(self, session_id: str, at: datetime) -> None:
        """Note."""
        known = self.state.sessions.get(session_id)
        if known is not None and known.ended_at is None and known.last_seen_at < at:
            self.state.sessions[session_id] = replace(known, last_seen_at=at)


@dataclass
class MemoryChallenges:
    """登录质询."""

    state: PeopleState

    def add(self, challenge: LoginChallenge) -> None:
        """Insert."""
        self.state.challenges[challenge.id] = challenge

    def lock(self, token_sha256: str) -> LoginChallenge | None:
        """Read."""
        return next((one for one in self.state.challenges.values() if one.token_sha256 == token_sha256), None)

    replace = add


@dataclass
class MemoryIdentityLinks:
    """身份关联."""

    state: PeopleState

    def put(self, link: IdentityLink) -> None:
        """Write."""
        known = self.find(link.issuer, link.subject)
        if known is not None and known.removed_at is None and known.account_id != link.account_id:
            raise errors.AlreadyRegistered
        self.state.links[link.issuer, link.subject] = link

    def find(self, issuer: str, subject: str) -> IdentityLink | None:
        """Read."""
        return self.state.links.get((issuer, subject))

    def of_account(self, account_id: str) -> Sequence[IdentityLink]:
        """By time."""
        found = [one for one in self.state.links.values() if one.account_id == account_id and one.removed_at is None]
        return sorted(found, key=lambda one: (one.linked_at, one.subject))

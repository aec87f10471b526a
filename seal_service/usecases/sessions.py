"""会话: who am I, sign out, sign out everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Account, Caller, Permission
from seal_service.domain.errors import AccountNotFound, SessionNotFound
from seal_service.domain.password import Login, expires_at, warned
from seal_service.domain.session import Session, SessionEnd, SessionLimits
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock
from seal_service.usecases.signing_in import end_sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSession:
    """Nothing to say: the caller's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentSession:
    """会话 as its person sees it."""

    caller: Caller
    session: Session
    idle_until: datetime
    ends_at: datetime
    password_expires_at: datetime | None
    password_expires_soon: bool
    last_login_at: datetime | None


def own_session(transaction: Transaction, caller: Caller) -> Session:
    """The session that the call was made with; SessionNotFound for a client's token."""
    found = transaction.sessions.open_of(caller.identity) if caller.session_id is not None else ()
    for one in found:
        if one.id == caller.session_id:
            return one
    raise SessionNotFound


def own_account(transaction: Transaction, caller: Caller) -> Account:
    """The caller's account; AccountNotFound."""
    account = transaction.accounts.find(caller.identity)
    if account is None:
        raise AccountNotFound
    return account


@dataclass(frozen=True)
class ReadSessionUseCase:
    """当前会话. Raises SessionNotFound."""

    permission: ClassVar[Permission] = Permission.OWN_SESSION
    records: Records
    clock: Clock
    limits: SessionLimits

    def __call__(self, caller: Caller, _command: ReadSession) -> CurrentSession:
        """The session, with its limits and the password's."""
        with self.records.read() as transaction:
            session = own_session(transaction, caller)
            login = transaction.logins.find(caller.identity) or Login(account_id=caller.identity)
        return CurrentSession(
            caller=caller,
            session=session,
            idle_until=session.last_seen_at + self.limits.idle,
            ends_at=session.opened_at + self.limits.absolute,
            password_expires_at=expires_at(login),
            password_expires_soon=warned(login, self.clock.now()),
            last_login_at=login.last_login_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOut:
    """登出 as asked for."""

    everywhere: bool = False


@dataclass(frozen=True)
class SignOutUseCase:
    """登出: the token is worthless from the commit on. Raises SessionNotFound without a session to end."""

    permission: ClassVar[Permission] = Permission.OWN_SESSION
    records: Records
    log: SigningLog
    clock: Clock

    def __call__(self, caller: Caller, command: SignOut) -> int:
        """How many sessions were ended."""
        with self.records.write() as transaction:
            transaction.logins.lock(caller.identity)
            wanted = [*transaction.sessions.open_of(caller.identity)]
            if not command.everywhere:
                wanted = [own_session(transaction, caller)]
            end_sessions(self.log, transaction, caller, wanted, SessionEnd.SIGNED_OUT, self.clock.now())
            transaction.commit()
        return len(wanted)

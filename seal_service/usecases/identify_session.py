"""会话身份: the person whom a session's token stands for, as long as the session lasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import SessionNotFound, Unauthenticated
from seal_service.domain.password import Login
from seal_service.domain.second_factor import FactorRule
from seal_service.domain.session import SEEN_AGAIN, SessionEnd, SessionLimits, is_person, must_first
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock
from seal_service.usecases.authenticate import PresentedToken
from seal_service.usecases.signing_in import caller_of_session, end_sessions, token_digest


@dataclass(frozen=True)
class IdentifySessionUseCase:
    """会话身份. Raises Unauthenticated for a session that ended, was idle or lasted too long, or of a closed account.

    Roles, and what has to be done first, are as they are now. The last use is noted once a minute, so that a session
    may count as idle up to a minute early.
    """

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    log: SigningLog
    clock: Clock
    rule: FactorRule
    limits: SessionLimits

    def __call__(self, _caller: Caller, command: PresentedToken) -> Caller:
        """The caller."""
        now = self.clock.now()
        with self.records.read() as transaction:
            session = transaction.sessions.by_token(token_digest(command.token))
            if session is None or session.end is not None:
                raise Unauthenticated("The session has ended: sign in again")
            account = transaction.accounts.find(session.account_id)
            login = transaction.logins.find(session.account_id) or Login(account_id=session.account_id)
        if account is None or account.disabled_at is not None or not is_person(account):
            raise Unauthenticated
        caller = caller_of_session(account, session, command.address, must_first(session, login, self.rule, now))
        end = self.limits.end_of(session, now)
        if end is not None:
            self._end(caller, command.token, end)
            raise Unauthenticated("The session has ended: sign in again")
        if now >= session.last_seen_at + SEEN_AGAIN:
            with self.records.write() as transaction:
                transaction.sessions.seen(session.id, now)
                transaction.commit()
        return caller

    def _end(self, caller: Caller, token: str, end: SessionEnd) -> None:
        """Enter the end that time made, once."""
        with self.records.write() as transaction:
            transaction.logins.lock(caller.identity)
            session = transaction.sessions.by_token(token_digest(token))
            if session is None or session.end is not None:
                return
            try:
                end_sessions(self.log, transaction, caller, [session], end, self.clock.now())
            except SessionNotFound:  # ended by somebody else meanwhile
                return
            transaction.commit()

"""修改口令: by its owner, who knows the present one (article 24: 定期更换口令)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import PasswordRefused
from seal_service.domain.events import Event, EventKind, Result, act_of
from seal_service.domain.password import HISTORY, Login, changed, is_locked, reasons_against
from seal_service.domain.session import SessionEnd
from seal_service.ports.people import Passwords
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock
from seal_service.usecases.sessions import own_account, own_session
from seal_service.usecases.signing_in import count_failure, end_sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePassword:
    """修改口令 as asked for."""

    present: str
    new: str


@dataclass(frozen=True)
class ChangePasswordUseCase:
    """修改口令. Raises PasswordRefused with every reason, SessionNotFound.

    A wrong present password counts as one at the door, so that a stolen session cannot be used to guess it. Every
    other session of the account ends.
    """

    permission: ClassVar[Permission] = Permission.OWN_SESSION
    records: Records
    log: SigningLog
    clock: Clock
    passwords: Passwords

    def __call__(self, caller: Caller, command: ChangePassword) -> None:
        """Done, or refused."""
        with self.records.read() as transaction:
            own_session(transaction, caller)
            account = own_account(transaction, caller)
            seen = transaction.logins.find(caller.identity) or Login(account_id=caller.identity)
        matches = self.passwords.matches(seen.password_hash, command.present)
        names = [account.name, *([seen.login_name] if seen.login_name else [])]
        reasons = reasons_against(command.new, names)
        if matches and not reasons and self._was_used(seen, command.new):
            reasons = (("history", f"The last {HISTORY} passwords are not taken again"),)
        if matches and reasons:
            raise PasswordRefused(reasons)
        password_hash = self.passwords.hashed(command.new) if matches else None
        now = self.clock.now()
        refused = False
        with self.records.write() as transaction:
            login = transaction.logins.lock(caller.identity) or seen
            current = own_session(transaction, caller)
            if password_hash is None or is_locked(login, now) or login.password_hash != seen.password_hash:
                refused = True
                facts = {} if is_locked(login, now) or matches else count_failure(transaction, login, now)
                event = Event(
                    kind=EventKind.PASSWORD_CHANGED,
                    result=Result.REFUSED,
                    unit_id=caller.unit_id,
                    reason="wrong_password",
                    facts=facts,
                )
                self.log.append(transaction, act_of(caller, event))
            else:
                transaction.logins.replace(changed(login, password_hash, now, by_somebody_else=False))
                others = [one for one in transaction.sessions.open_of(caller.identity) if one.id != current.id]
                self.log.append(
                    transaction, act_of(caller, Event(kind=EventKind.PASSWORD_CHANGED, unit_id=caller.unit_id))
                )
                end_sessions(self.log, transaction, caller, others, SessionEnd.PASSWORD_CHANGED, now)
            transaction.commit()
        if refused:
            raise PasswordRefused((("present", "The present password is wrong"),))

    def _was_used(self, login: Login, password: str) -> bool:
        return any(self.passwords.matches(one, password) for one in (login.password_hash, *login.history) if one)

"""重置口令: an administrator hands a person a password that opens nothing but its own change."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Account, Caller, Permission
from seal_service.domain.errors import AccountNotFound, AlreadyRegistered, InvalidInput, PermissionDenied
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.password import Login, changed, expires_at
from seal_service.domain.session import SessionEnd, counts_as_second_person, is_person
from seal_service.ports.people import Passwords
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.requests import made_earlier, remember
from seal_service.usecases.signing_in import end_sessions

_LOGIN_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,31}")
_INITIAL_BYTES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPassword:
    """重置口令 as asked for."""

    account_id: str
    login_name: str | None = None
    """Another name to sign in with; None: as it is."""
    remove_second_factors: bool = False
    """Whether the person lost them."""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialPassword:
    """The password, which is shown this once, and until when it can be used."""

    account_id: str
    login_name: str | None
    password: str
    expires_at: datetime | None


def person_of(transaction: Transaction, caller: Caller, account_id: str) -> Account:
    """The account of a person, somebody else's than the caller's; AccountNotFound, PermissionDenied, InvalidInput.

    A security administrator's is not decided on by another one: whoever could sign in as both would be the two people
    that some acts take (domain.dual_control).
    """
    account = any_person_of(transaction, caller, account_id)
    if counts_as_second_person(account):
        raise PermissionDenied("A security administrator's way in is recovered at the machine, by the system operator")
    return account


def any_person_of(transaction: Transaction, caller: Caller, account_id: str) -> Account:
    """The same, whoever it is."""
    if account_id == caller.identity:
        raise PermissionDenied("Somebody else decides on an account's way in")
    account = transaction.accounts.lock(account_id)
    if account is None or account.disabled_at is not None:
        raise AccountNotFound
    if not is_person(account):
        raise InvalidInput("A business system has no password", field="account_id")
    return account


def initial_password(entropy: Entropy) -> str:
    """120 random bits in groups that can be read out."""
    text = base64.b32encode(entropy.token(_INITIAL_BYTES)).decode().lower()
    return "-".join(text[start : start + 6] for start in range(0, len(text), 6))


@dataclass(frozen=True)
class ResetPasswordUseCase:
    """重置口令. Every session of the person ends.

    Raises AccountNotFound, InvalidInput (a business system; a login name of another form), AlreadyRegistered (the login
    name is somebody else's; a repeated key, since the password is kept nowhere), PermissionDenied for one's own and for
    security administrators.
    """

    permission: ClassVar[Permission] = Permission.MANAGE_ACCOUNTS
    handing_out: HandingOut

    def __call__(self, caller: Caller, command: ResetPassword) -> InitialPassword:
        """The password."""
        return self.handing_out(caller, command, person_of)


@dataclass(frozen=True, slots=True)
class HandingOut:
    """How a password is handed out, whoever may do that to whom."""

    records: Records
    log: SigningLog
    clock: Clock
    entropy: Entropy
    passwords: Passwords

    def __call__(
        self, caller: Caller, command: ResetPassword, person: Callable[[Transaction, Caller, str], Account]
    ) -> InitialPassword:
        """The password."""
        if command.login_name is not None and not _LOGIN_NAME.fullmatch(command.login_name):
            raise InvalidInput("A login name is 3 to 32 of a-z, 0-9, '.', '_' and '-'", field="login_name")
        password = initial_password(self.entropy)
        password_hash = self.passwords.hashed(password)
        now = self.clock.now()
        with self.records.write() as transaction:
            if made_earlier(transaction, caller, command) is not None:
                raise AlreadyRegistered("The password was reset; it was shown once", account_id=command.account_id)
            account = person(transaction, caller, command.account_id)
            known = transaction.logins.lock(account.id)
            login = changed(known or Login(account_id=account.id), password_hash, now, by_somebody_else=True)
            login = replace(login, login_name=command.login_name or login.login_name)
            if known is None:
                transaction.logins.add(login)
            else:
                transaction.logins.replace(login)
            about: dict[str, Scalar] = {"reset_account_id": account.id}
            event = Event(kind=EventKind.PASSWORD_RESET, unit_id=account.unit_id, facts=about)
            self.log.append(transaction, act_of(caller, event))
            sessions = [*transaction.sessions.open_of(account.id)]
            end_sessions(self.log, transaction, caller, sessions, SessionEnd.PASSWORD_RESET, now)
            if command.remove_second_factors:
                self._remove_factors(transaction, caller, account, now)
            remember(transaction, caller, command, account.id, now)
            transaction.commit()
        return InitialPassword(
            account_id=account.id, login_name=login.login_name, password=password, expires_at=expires_at(login)
        )

    def _remove_factors(self, transaction: Transaction, caller: Caller, account: Account, now: datetime) -> None:
        for one in transaction.factors.of_account(account.id):
            if one.disabled_at is None:
                transaction.factors.replace(replace(one, disabled_at=now, certificate_sha256=None, secret=None))
                facts: dict[str, Scalar] = {
                    "factor_id": one.id,
                    "factor_kind": one.kind.value,
                    "factor_account_id": account.id,
                }
                event = Event(
                    kind=EventKind.FACTOR_REMOVED, unit_id=account.unit_id, reason="password_reset", facts=facts
                )
                self.log.append(transaction, act_of(caller, event))

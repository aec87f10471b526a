"""登录: a person's account and password become a session, or a challenge for the second factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Account, Caller, Permission
from seal_service.domain.password import Login, is_locked, is_worthless
from seal_service.domain.session import Way, is_person
from seal_service.ports.people import Passwords
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock
from seal_service.usecases.signing_in import (
    Challenged,
    FirstProof,
    SignedIn,
    WayIn,
    count_failure,
    log_refusal,
    refusal,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """登录 as asked for: the account's id or login name, and its password."""

    account: str
    password: str


@dataclass(frozen=True)
class SignInUseCase:
    """登录. Raises Unauthenticated: the same words after the same work, whatever the reason.

    The password is compared outside the transaction, since that takes long on purpose; under the login's lock it is
    then asked whether it is still that password and whether the account is locked by now, so that guesses that come
    together count as those that come one by one.
    """

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    log: SigningLog
    clock: Clock
    passwords: Passwords
    way_in: WayIn

    def __call__(self, caller: Caller, command: SignIn) -> SignedIn | Challenged:
        """The session or the challenge."""
        with self.records.read() as transaction:
            account, login = _named(transaction, command.account)
        matches = self.passwords.matches(None if login is None else login.password_hash, command.password)
        with self.records.write() as transaction:
            answer = self._decided(transaction, caller, account, login, matches=matches)
            transaction.commit()
        if answer is None:
            raise refusal()
        return answer

    def _decided(
        self, transaction: Transaction, caller: Caller, account: Account | None, seen: Login | None, *, matches: bool
    ) -> SignedIn | Challenged | None:
        now = self.clock.now()
        login = None if seen is None else transaction.logins.lock(seen.account_id)
        if account is None or seen is None or login is None:
            log_refusal(self.log, transaction, caller, account, "no_such_person", {})
            return None
        if is_locked(login, now):
            log_refusal(self.log, transaction, caller, account, "locked", {})
            return None
        if not matches or login.password_hash != seen.password_hash:
            facts = count_failure(transaction, login, now)
            log_refusal(self.log, transaction, caller, account, "wrong_password", facts)
            return None
        if is_worthless(login, now):
            log_refusal(self.log, transaction, caller, account, "initial_password_expired", {})
            return None
        proof = FirstProof(account=account, login=login, way=Way.PASSWORD)
        return self.way_in.after_first_proof(transaction, caller, proof, now)


def _named(transaction: Transaction, name: str) -> tuple[Account | None, Login | None]:
    """The person's account and login of an id or login name; without a login for whom nobody signs in."""
    login = transaction.logins.find(name) or transaction.logins.by_name(name)
    account = transaction.accounts.find(name if login is None else login.account_id)
    if account is None or account.disabled_at is not None or not is_person(account):
        return account, None
    return account, login

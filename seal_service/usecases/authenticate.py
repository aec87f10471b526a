"""认证: client credentials become a token, a token becomes a caller (OAuth 2, RFC 6749 section 4.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Account, Caller, Permission
from seal_service.domain.errors import Unauthenticated
from seal_service.domain.session import SESSION_PREFIX
from seal_service.ports.records import Records
from seal_service.ports.system import Clock, Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSecret:
    """A client's id and secret as presented."""

    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessToken:
    """A bearer token and its lifetime in seconds."""

    token: str
    expires_in: int


def _caller_of(account: Account, address: str | None) -> Caller:
    return Caller(
        account_id=account.id, name=account.name, roles=account.roles, unit_id=account.unit_id, address=address
    )


@dataclass(frozen=True)
class IssueTokenUseCase:
    """令牌: a token for a client's id and secret. Raises Unauthenticated, in the same time for every reason."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    clock: Clock
    credentials: Credentials

    def __call__(self, _caller: Caller, command: ClientSecret) -> AccessToken:
        """The token."""
        with self.records.read() as transaction:
            account = transaction.accounts.find(command.client_id)
        usable = account if account is not None and account.disabled_at is None else None
        matches = self.credentials.verify_secret(usable.secret_hash if usable else None, command.client_secret)
        if usable is None or not matches:
            raise Unauthenticated("The client id or secret is wrong, or the account is disabled")
        token, seconds = self.credentials.issue_token(usable, self.clock.now())
        return AccessToken(token=token, expires_in=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentedToken:
    """A bearer token as presented, and the address it came from."""

    token: str
    address: str | None


@dataclass(frozen=True)
class IdentifyCallerUseCase:
    """身份: the caller whom a token stands for. Raises Unauthenticated; a disabled account's token is worthless."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    clock: Clock
    credentials: Credentials
    sessions: Callable[[Caller, PresentedToken], Caller] | None = None
    """Whom a person's session stands for (usecases/identify_session.py)."""

    def __call__(self, _caller: Caller, command: PresentedToken) -> Caller:
        """The caller, with the roles that the account has now."""
        if self.sessions is not None and command.token.startswith(SESSION_PREFIX):
            return self.sessions(_caller, command)
        account_id = self.credentials.account_of_token(command.token, self.clock.now())
        with self.records.read() as transaction:
            account = transaction.accounts.find(account_id)
        if account is None or account.disabled_at is not None:
            raise Unauthenticated
        return _caller_of(account, command.address)

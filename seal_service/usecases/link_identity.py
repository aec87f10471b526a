"""身份关联: which subject of the identity provider an account belongs to; decided by an administrator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import AccountNotFound, IdentityLinkNotFound, IdentityProviderNotSet, InvalidInput
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.password import Login
from seal_service.domain.session import IdentityLink, SessionEnd, Way
from seal_service.ports.people import IdentityProvider
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock
from seal_service.usecases.reset_password import person_of
from seal_service.usecases.signing_in import end_sessions

_LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkIdentity:
    """身份关联 as asked for: a subject of the provider that is set."""

    account_id: str
    subject: str


@dataclass(frozen=True)
class LinkIdentityUseCase:
    """身份关联. Raises AccountNotFound, InvalidInput, PermissionDenied for one's own, IdentityProviderNotSet.

    AlreadyRegistered when the subject is another account's; linked already is linked.
    """

    permission: ClassVar[Permission] = Permission.MANAGE_ACCOUNTS
    records: Records
    log: SigningLog
    clock: Clock
    provider: IdentityProvider | None

    def __call__(self, caller: Caller, command: LinkIdentity) -> IdentityLink:
        """The link."""
        if self.provider is None:
            raise IdentityProviderNotSet
        if not 0 < len(command.subject) <= _LONGEST_SUBJECT or not command.subject.isprintable():
            raise InvalidInput(f"A subject has 1 to {_LONGEST_SUBJECT} printable characters", field="subject")
        now = self.clock.now()
        with self.records.write() as transaction:
            account = person_of(transaction, caller, command.account_id)
            if transaction.logins.lock(account.id) is None:
                transaction.logins.add(Login(account_id=account.id))
            known = transaction.identity_links.find(self.provider.issuer, command.subject)
            if known is not None and known.removed_at is None and known.account_id == account.id:
                return known
            link = IdentityLink(
                issuer=self.provider.issuer,
                subject=command.subject,
                account_id=account.id,
                linked_at=now,
                linked_by=caller.identity,
            )
            transaction.identity_links.put(link)
            event = Event(
                kind=EventKind.IDENTITY_LINKED,
                unit_id=account.unit_id,
                facts={"linked_account_id": account.id, "issuer": link.issuer},
                private={"subject": link.subject},
            )
            self.log.append(transaction, act_of(caller, event))
            transaction.commit()
        return link


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlinkIdentity:
    """身份关联解除 as asked for."""

    account_id: str
    subject: str


@dataclass(frozen=True)
class UnlinkIdentityUseCase:
    """身份关联解除; sessions that came by the provider end.

    Raises AccountNotFound, IdentityLinkNotFound, IdentityProviderNotSet, PermissionDenied for one's own.
    """

    permission: ClassVar[Permission] = Permission.MANAGE_ACCOUNTS
    records: Records
    log: SigningLog
    clock: Clock
    provider: IdentityProvider | None

    def __call__(self, caller: Caller, command: UnlinkIdentity) -> IdentityLink:
        """The link, removed."""
        if self.provider is None:
            raise IdentityProviderNotSet
        with self.records.write() as transaction:
            account = person_of(transaction, caller, command.account_id)
            transaction.logins.lock(account.id)
            known = transaction.identity_links.find(self.provider.issuer, command.subject)
            if known is None or known.account_id != account.id or known.removed_at is not None:
                raise IdentityLinkNotFound
            removed = replace(known, removed_at=self.clock.now())
            transaction.identity_links.put(removed)
            facts: dict[str, Scalar] = {"linked_account_id": account.id, "issuer": removed.issuer}
            event = Event(
                kind=EventKind.IDENTITY_UNLINKED,
                unit_id=account.unit_id,
                facts=facts,
                private={"subject": removed.subject},
            )
            self.log.append(transaction, act_of(caller, event))
            opened = [one for one in transaction.sessions.open_of(account.id) if one.way is Way.OIDC]
            end_sessions(self.log, transaction, caller, opened, SessionEnd.UNLINKED, self.clock.now())
            transaction.commit()
        return removed


@dataclass(frozen=True, slots=True, kw_only=True)
class ListIdentityLinks:
    """Whose."""

    account_id: str


@dataclass(frozen=True)
class ListIdentityLinksUseCase:
    """身份关联列表. Raises AccountNotFound."""

    permission: ClassVar[Permission] = Permission.MANAGE_ACCOUNTS
    records: Records

    def __call__(self, _caller: Caller, command: ListIdentityLinks) -> Sequence[IdentityLink]:
        """By time."""
        with self.records.read() as transaction:
            if transaction.accounts.find(command.account_id) is None:
                raise AccountNotFound
            return transaction.identity_links.of_account(command.account_id)

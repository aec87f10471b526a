"""开户: accounts for systems and people; made by one security administrator, given their roles by two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain.access import Account, Caller, Permission, Role
from seal_service.domain.dual_control import ControlledAct
from seal_service.domain.errors import AccountNotFound, AlreadyRegistered, PermissionDenied
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.identifiers import uuid7
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock, Credentials, Entropy
from seal_service.usecases.checked_roles import checked_roles
from seal_service.usecases.control_act import ask
from seal_service.usecases.give_roles import GiveRoles
from seal_service.usecases.register_unit import checked_name
from seal_service.usecases.requests import made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAccount:
    """开户 as asked for."""

    name: str
    roles: tuple[Role, ...]
    unit_id: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedAccount:
    """The account, without a role yet, and its client secret, which is shown this once and kept nowhere."""

    account: Account
    secret: str
    request_id: str
    """Of the request to give it its roles, which another security administrator confirms."""


@dataclass(frozen=True)
class CreateAccountUseCase:
    """开户. Raises InvalidInput, UnitNotFound; AlreadyRegistered for a repeated key, since the secret is not kept."""

    permission: ClassVar[Permission] = Permission.MANAGE_ACCOUNTS
    records: Records
    log: SigningLog
    clock: Clock
    entropy: Entropy
    credentials: Credentials

    def __call__(self, caller: Caller, command: CreateAccount) -> CreatedAccount:
        """The account with its secret."""
        now = self.clock.now()
        roles = checked_roles(command.roles, command.unit_id)
        secret, secret_hash = self.credentials.new_secret()
        account = Account(
            id=uuid7(now, self.entropy.token(10)),
            name=checked_name(command.name, "name"),
            roles=frozenset(),  # until a second person confirms them
            unit_id=command.unit_id,
            secret_hash=secret_hash,
            created_at=now,
        )
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            if earlier is not None:
                raise AlreadyRegistered("The account was created; its secret was shown once", account_id=earlier)
            if account.unit_id is not None:
                transaction.units.get(account.unit_id)
            transaction.accounts.add(account)
            created = Event(
                kind=EventKind.ACCOUNT_CREATED,
                unit_id=account.unit_id,
                facts={
                    "created_account_id": account.id,
                    "created_account_name": account.name,
                    "roles_asked": tuple(sorted(role.value for role in roles)),
                },
            )
            self.log.append(transaction, act_of(caller, created))
            wanted = GiveRoles(account_id=account.id, roles=tuple(sorted(roles)))
            request = ask(transaction, self.log, self.clock, self.entropy, caller, ControlledAct.GIVE_ROLES, wanted)
            remember(transaction, caller, command, account.id, now)
            transaction.commit()
        return CreatedAccount(account=account, secret=secret, request_id=request.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisableAccount:
    """销户 as asked for."""

    account_id: str


@dataclass(frozen=True)
class DisableAccountUseCase:
    """销户: its tokens are worthless from the commit on. Raises AccountNotFound; nobody disables oneself."""

    permission: ClassVar[Permission] = Permission.MANAGE_ACCOUNTS
    records: Records
    log: SigningLog
    clock: Clock

    def __call__(self, caller: Caller, command: DisableAccount) -> Account:
        """The account, disabled; done already is done."""
        if command.account_id == caller.identity:
            raise PermissionDenied("An account is disabled by another one")
        with self.records.write() as transaction:
            account = transaction.accounts.lock(command.account_id)
            if account is None:
                raise AccountNotFound
            if account.disabled_at is not None:
                return account
            disabled = replace(account, disabled_at=self.clock.now())
            transaction.accounts.replace(disabled)
            event = Event(
                kind=EventKind.ACCOUNT_DISABLED, unit_id=account.unit_id, facts={"disabled_account_id": account.id}
            )
            self.log.append(transaction, act_of(caller, event))
            transaction.commit()
        return disabled

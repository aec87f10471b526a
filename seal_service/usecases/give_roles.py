"""授予角色: what an account may do, by two security administrators (等保三级)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain.access import Account, Caller, Permission, Role
from seal_service.domain.errors import AccountNotFound, Conflict, PermissionDenied
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.ports.records import Records, SigningLog
from seal_service.usecases.checked_roles import checked_roles


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveRoles:
    """授予角色 as asked for: all the roles that the account is to have."""

    account_id: str
    roles: tuple[Role, ...]
    only_examine: bool = False


@dataclass(frozen=True)
class GiveRolesUseCase:
    """授予角色. Raises AccountNotFound, InvalidInput (roles that check each other, a missing unit), PermissionDenied
    for one's own account, Conflict for a disabled one."""

    permission: ClassVar[Permission] = Permission.MANAGE_ACCOUNTS
    records: Records
    log: SigningLog

    def __call__(self, caller: Caller, command: GiveRoles) -> Account:
        """The account with its roles, or as it would be."""
        if command.account_id in (caller.account_id, caller.confirmed_by):
            raise PermissionDenied("Nobody gives roles to oneself, nor confirms one's own")
        with self.records.write() as transaction:
            account = transaction.accounts.lock(command.account_id)
            if account is None:
                raise AccountNotFound(account_id=command.account_id)
            if account.disabled_at is not None:
                raise Conflict("The account is disabled")
            given = replace(account, roles=checked_roles(command.roles, account.unit_id))
            if command.only_examine:
                return given
            transaction.accounts.replace(given)
            event = Event(
                kind=EventKind.ROLES_GIVEN,
                unit_id=account.unit_id,
                facts={
                    "given_account_id": account.id,
                    "given_account_name": account.name,
                    "roles": tuple(sorted(role.value for role in given.roles)),
                    "roles_before": tuple(sorted(role.value for role in account.roles)),
                },
            )
            self.log.append(transaction, act_of(caller, event))
            transaction.commit()
        return given

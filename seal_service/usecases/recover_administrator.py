"""恢复安全管理员: a security administrator who lost the way in is handed a password at the machine, by its operator.

No security administrator may do that to another one (usecases/reset_password.py), and the operator confirms nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Account, Caller, Permission
from seal_service.domain.errors import PermissionDenied
from seal_service.domain.session import counts_as_second_person
from seal_service.ports.records import Transaction
from seal_service.usecases.reset_password import HandingOut, InitialPassword, ResetPassword, any_person_of


@dataclass(frozen=True)
class RecoverAdministratorUseCase:
    """恢复安全管理员. Raises as resetting does, and PermissionDenied for everyone else's account."""

    permission: ClassVar[Permission] = Permission.RECOVER_ADMINISTRATOR
    handing_out: HandingOut

    def __call__(self, caller: Caller, command: ResetPassword) -> InitialPassword:
        """The password."""
        return self.handing_out(caller, command, _administrator)


def _administrator(transaction: Transaction, caller: Caller, account_id: str) -> Account:
    account = any_person_of(transaction, caller, account_id)
    if not counts_as_second_person(account):
        raise PermissionDenied("Passwords of others are reset by a security administrator")
    return account

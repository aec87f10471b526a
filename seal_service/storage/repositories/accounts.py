"""账户."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, insert, literal, select, update

from seal_service.domain.access import Account, Role
from seal_service.domain.errors import AccountNotFound, AlreadyRegistered
from seal_service.storage.locking import held_still
from seal_service.storage.mapping import account_of, account_values
from seal_service.storage.refusals import unique
from seal_service.storage.statement import Statement
from seal_service.storage.tables import AccountRow

_WANTED = select(AccountRow).where(AccountRow.id == bindparam("account_id"))
_BY_ID = Statement(_WANTED)
_HELD_STILL = held_still(_WANTED)


@dataclass(frozen=True, slots=True)
class SqlAccounts:
    """Accounts."""

    connection: Connection

    def add(self, account: Account) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(AccountRow), account_values(account))

    def find(self, account_id: str) -> Account | None:
        """Read, or None."""
        row = _BY_ID.one(self.connection, account_id=account_id)
        return None if row is None else account_of(row)

    def lock(self, account_id: str) -> Account | None:
        """Read, locked against change until the transaction ends, or None."""
        row = _HELD_STILL.on(self.connection).one(self.connection, account_id=account_id)
        return None if row is None else account_of(row)

    def replace(self, account: Account) -> None:
        """Write the present form; AccountNotFound."""
        changed = update(AccountRow).where(AccountRow.id == account.id)
        if self.connection.execute(changed, account_values(account)).rowcount == 0:
            raise AccountNotFound

    def active_with(self, role: Role) -> int:
        """How many accounts that are not disabled hold a role."""
        held = f",{role.value},"
        among = literal(",") + AccountRow.roles + literal(",")
        active = select(func.count()).where(AccountRow.disabled_at.is_(None), among.contains(held, autoescape=True))
        return self.connection.execute(active).scalar_one()

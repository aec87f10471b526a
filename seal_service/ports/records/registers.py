"""Units, accounts and applications."""

from __future__ import annotations

from typing import Protocol

from seal_service.domain.access import Account, Role
from seal_service.domain.application import Application
from seal_service.domain.organization import Unit


class UnitRecords(Protocol):
    """Units."""

    def add(self, unit: Unit) -> None:
        """Insert; AlreadyRegistered when the credit code is known."""

    def get(self, unit_id: str) -> Unit:
        """Read; UnitNotFound."""

    def by_credit_code(self, code: str) -> Unit | None:
        """Read by 统一社会信用代码."""


class AccountRecords(Protocol):
    """Accounts."""

    def add(self, account: Account) -> None:
        """Insert."""

    def find(self, account_id: str) -> Account | None:
        """Read, or None."""

    def lock(self, account_id: str) -> Account | None:
        """Read, locked against change (not against other readers) until the transaction ends, or None."""

    def replace(self, account: Account) -> None:
        """Write the account's present form."""

    def active_with(self, role: Role) -> int:
        """How many accounts that are not disabled hold a role."""


class ApplicationRecords(Protocol):
    """Applications."""

    def add(self, application: Application) -> None:
        """Insert."""

    def lock(self, application_id: str) -> Application:
        """Read, locked until the transaction ends; ApplicationNotFound."""

    def replace(self, application: Application) -> None:
        """Write the application's present form."""

"""Fakes of the records of units, accounts and applications."""

from __future__ import annotations

from dataclasses import dataclass

from seal_service.domain import errors
from seal_service.domain.access import Account, Role
from seal_service.domain.application import Application
from seal_service.domain.organization import Unit
from seal_service.testing.state import State


@dataclass
class MemoryUnits:
    """Units."""

    state: State

    def add(self, unit: Unit) -> None:
        """Insert."""
        if self.by_credit_code(unit.credit_code) is not None:
            raise errors.AlreadyRegistered
        self.state.units[unit.id] = unit

    def get(self, unit_id: str) -> Unit:
        """Read."""
        if unit_id not in self.state.units:
            raise errors.UnitNotFound
        return self.state.units[unit_id]

    def by_credit_code(self, code: str) -> Unit | None:
        """Read by code."""
        return next((unit for unit in self.state.units.values() if unit.credit_code == code), None)

    def replace(self, unit: Unit) -> None:
        """Write."""
        self.get(unit.id)
        self.state.units[unit.id] = unit


@dataclass
class MemoryAccounts:
    """Accounts."""

    state: State

    def add(self, account: Account) -> None:
        """Insert."""
        self.state.accounts[account.id] = account

    def find(self, account_id: str) -> Account | None:
        """Read."""
        return self.state.accounts.get(account_id)

    def lock(self, account_id: str) -> Account | None:
        """Read."""
        return self.find(account_id)

    replace = add

    def active_with(self, role: Role) -> int:
        """Count."""
        return sum(role in one.roles and one.disabled_at is None for one in self.state.accounts.values())


@dataclass
class MemoryApplications:
    """Applications."""

    state: State

    def add(self, application: Application) -> None:
        """Insert."""
        self.state.applications[application.id] = application

    def lock(self, application_id: str) -> Application:
        """Read."""
        if application_id not in self.state.applications:
            raise errors.ApplicationNotFound
        return self.state.applications[application_id]

    replace = add

"""Registered application systems, their credentials, and the persons of units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from seal_service.domain.machine import ApplicationSystem, MachineStanding, SystemCredential, UnitPerson


class SystemRecords(Protocol):
    """接入系统 and their credentials."""

    def add(self, system: ApplicationSystem) -> None:
        """Insert; AlreadyRegistered."""

    def lock(self, system_id: str) -> ApplicationSystem:
        """Read, locked until the transaction ends; SystemNotFound."""

    def replace(self, system: ApplicationSystem) -> None:
        """Write the present form; SystemNotFound; AlreadyRegistered when another system has the account."""

    def of_account(self, account_id: str) -> ApplicationSystem | None:
        """The system that logs in by an account, or None."""

    def chosen(
        self, *, unit_id: str | None = None, after: str | None = None, limit: int = 1000
    ) -> Sequence[ApplicationSystem]:
        """Systems, of a unit only if it is named, oldest first, after an id."""

    def standing(self, account_id: str, credential_id: str | None) -> MachineStanding:
        """What a call of an account is measured by; `credential_known` is False without such a credential of it."""

    def add_credential(self, credential: SystemCredential) -> None:
        """Insert; AlreadyRegistered when a credential, whoever's, has the same key or certificate."""

    def lock_credential(self, credential_id: str) -> SystemCredential:
        """Read, locked until the transaction ends; CredentialNotFound."""

    def replace_credential(self, credential: SystemCredential) -> None:
        """Write the present form; CredentialNotFound."""

    def credentials_of(self, account_id: str) -> Sequence[SystemCredential]:
        """All that an account ever had, oldest first."""

    def note_use(self, credential_id: str, at: datetime) -> None:
        """Note that it was used; nothing when a later use is on record."""


class PersonRecords(Protocol):
    """人员 of units."""

    def put(self, person: UnitPerson) -> None:
        """Write, in the place of whoever has the same reference in the unit."""

    def find(self, unit_id: str, reference: str) -> UnitPerson | None:
        """Read, removed ones too, or None."""

    def of_unit(self, unit_id: str, *, after: str | None = None, limit: int = 1000) -> Sequence[UnitPerson]:
        """Those that are not removed, by reference, after a reference."""

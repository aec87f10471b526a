"""Fakes of the records of application systems, their credentials and units' persons, and of what may be shown once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from seal_service.domain import errors
from seal_service.domain.machine import ApplicationSystem, MachineStanding, SystemCredential, UnitPerson


class MachineState(Protocol):
    """The part of the state that these fakes keep."""

    systems: dict[str, ApplicationSystem]
    system_credentials: dict[str, SystemCredential]
    people: dict[tuple[str, str], UnitPerson]


@dataclass
class MemorySystems:
    """接入系统 and their credentials."""

    state: MachineState

    def add(self, system: ApplicationSystem) -> None:
        """Insert."""
        if system.id in self.state.systems or self._other_has_account(system):
            raise errors.AlreadyRegistered
        self.state.systems[system.id] = system

    def lock(self, system_id: str) -> ApplicationSystem:
        """Read."""
        if system_id not in self.state.systems:
            raise errors.SystemNotFound
        return self.state.systems[system_id]

    def replace(self, system: ApplicationSystem) -> None:
        """Write."""
        self.lock(system.id)
        if self._other_has_account(system):
            raise errors.AlreadyRegistered
        self.state.systems[system.id] = system

    def _other_has_account(self, system: ApplicationSystem) -> bool:
        other = self.of_account(system.account_id) if system.account_id is not None else None
        return other is not None and other.id != system.id

    def of_account(self, account_id: str) -> ApplicationSystem | None:
        """Read by account."""
        return next((one for one in self.state.systems.values() if one.account_id == account_id), None)

    def chosen(
        self, *, unit_id: str | None = None, after: str | None = None, limit: int = 1000
    ) -> Sequence[ApplicationSystem]:
        """Oldest first."""
        found = [
            one
            for one in self.state.systems.values()
            if unit_id in (None, one.unit_id) and (after is None or one.id > after)
        ]
        return sorted(found, key=lambda one: one.id)[:limit]

    def standing(self, account_id: str, credential_id: str | None) -> MachineStanding:
        """Joined."""
        system = self.of_account(account_id)
        credential = self.state.system_credentials.get(credential_id or "")
        if credential is not None and credential.account_id != account_id:
            credential = None
        return MachineStanding(
            system_state=system.state if system else None,
            source_networks=system.source_networks if system else (),
            credential_known=credential is not None,
            expires_at=credential.expires_at if credential else None,
            revoked_at=credential.revoked_at if credential else None,
            last_used_at=credential.last_used_at if credential else None,
        )

    def add_credential(self, credential: SystemCredential) -> None:
        """Insert."""
        known = self.state.system_credentials
        taken = credential.thumbprint is not None and any(
            one.thumbprint == credential.thumbprint for one in known.values()
        )
        if credential.id in known or taken:
            raise errors.AlreadyRegistered
        known[credential.id] = credential

    def lock_credential(self, credential_id: str) -> SystemCredential:
        """Read."""
        if credential_id not in self.state.system_credentials:
            raise errors.CredentialNotFound
        return self.state.system_credentials[credential_id]

    def replace_credential(self, credential: SystemCredential) -> None:
        """Write."""
        self.lock_credential(credential.id)
        self.state.system_credentials[credential.id] = credential

    def credentials_of(self, account_id: str) -> Sequence[SystemCredential]:
        """Oldest first."""
        found = [one for one in self.state.system_credentials.values() if one.account_id == account_id]
        return sorted(found, key=lambda one: one.id)

    def note_use(self, credential_id: str, at: datetime) -> None:
        """Compare and set."""
        known = self.state.system_credentials.get(credential_id)
        if known is not None and (known.last_used_at is None or known.last_used_at < at):
            self.state.system_credentials[credential_id] = replace(known, last_used_at=at)


@dataclass
class MemoryPeople:
    """人员."""

    state: MachineState

    def put(self, person: UnitPerson) -> None:
        """Write."""
        self.state.people[person.unit_id, person.reference] = person

    def find(self, unit_id: str, reference: str) -> UnitPerson | None:
        """Read."""
        return self.state.people.get((unit_id, reference))

    def of_unit(self, unit_id: str, *, after: str | None = None, limit: int = 1000) -> Sequence[UnitPerson]:
        """By reference."""
        found = [
            one
            for one in self.state.people.values()
            if one.unit_id == unit_id and one.removed_at is None and (after is None or one.reference > after)
        ]
        return sorted(found, key=lambda one: one.reference)[:limit]


@dataclass
class MemoryReplayGuard:
    """What was shown, in this process."""

    shown: dict[str, datetime] = field(default_factory=dict)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def is_first(self, once: str, until: datetime, now: datetime) -> bool:
        """Look and note in one step."""
        with self.turn:
            self.shown = {name: end for name, end in self.shown.items() if end > now}
            if once in self.shown:
                return False
            self.shown[once] = until
            return True

"""就绪检查: whether a seal applied now would be worth something."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.authority import AUTHORITY_RULES
from seal_service.domain.errors import SealServiceError
from seal_service.domain.issuance import AuthorityRole
from seal_service.ports.crypto import KeyCustody, KeyStore
from seal_service.ports.reading import Queries
from seal_service.ports.records import Records
from seal_service.ports.system import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReadiness:
    """就绪检查 now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One thing the service stands on."""

    name: str
    ready: bool
    detail: str


@dataclass(frozen=True)
class CheckReadinessUseCase:
    """就绪检查: database schema, the authority's certificates and keys, reservations that were never closed."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    queries: Queries
    keys: KeyStore
    clock: Clock
    reservation: timedelta
    durability: str
    """How the database commits, in words."""
    custody: KeyCustody

    def __call__(self, _caller: Caller, _command: CheckReadiness) -> tuple[Dependency, ...]:
        """Every dependency, ready or not."""
        current = self.queries.schema_is_current()
        schema = Dependency(name="schema", ready=current, detail="current" if current else "run `seal db upgrade`")
        if not schema.ready:
            return (schema,)
        database = Dependency(name="database", ready=True, detail=self.durability)
        return (
            schema,
            database,
            self._custody(),
            *(self._authority(role) for role in AUTHORITY_RULES),
            self._reservations(),
        )

    def _custody(self) -> Dependency:
        found = self.custody.finding()
        return Dependency(name="keys", ready=found.ready, detail=found.detail)

    def _authority(self, role: AuthorityRole) -> Dependency:
        name = f"authority:{role.value}"
        with self.records.read() as transaction:
            credential = transaction.authorities.newest(role)
        if credential is None:
            return Dependency(name=name, ready=False, detail="run `seal init`")
        if not credential.not_before <= self.clock.now() < credential.not_after:
            return Dependency(name=name, ready=False, detail=f"certificate ended {credential.not_after.isoformat()}")
        try:
            self.keys.open(credential.key_reference)
            self.keys.place(credential.key_reference)  # a held key does not tell whether the HSM still has it
        except SealServiceError as error:
            return Dependency(name=name, ready=False, detail=error.message)
        return Dependency(name=name, ready=True, detail=f"until {credential.not_after.isoformat()}")

    def _reservations(self) -> Dependency:
        with self.records.read() as transaction:
            stale = transaction.uses.reserved_before(self.clock.now() - 2 * self.reservation, 1)
        detail = "reconcile does not run: see `seal reconcile`" if stale else "none overdue"
        return Dependency(name="reservations", ready=not stale, detail=detail)

"""就绪检查: whether a seal applied now would be worth something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.authority import AUTHORITY_RULES, current, ended, should_be_rotated
from seal_service.domain.errors import SealServiceError
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole
from seal_service.ports.crypto import KeyCustody, KeyStore
from seal_service.ports.reading import Queries
from seal_service.ports.records import Records
from seal_service.ports.system import Clock
from seal_service.usecases.key_uses import issuer_of


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
            *self._authorities(),
            self._reservations(),
        )

    def _custody(self) -> Dependency:
        found = self.custody.finding()
        return Dependency(name="keys", ready=found.ready, detail=found.detail)

    def _authorities(self) -> Iterator[Dependency]:
        """Of each role the credential that signs; of responders one for each issuing CA whose time has not ended."""
        now = self.clock.now()
        with self.records.read() as transaction:
            own = transaction.authorities.all()
        for role, rule in AUTHORITY_RULES.items():
            issuers = [one for one in own if one.role is rule.issuer and not ended(one, now)][:-1]
            name = f"authority:{role.value}"
            yield self._authority(name, role, current([one for one in own if one.role is role], now), now)
            for issuer in issuers if rule.for_each_issuer else ():
                fellows = [one for one in own if one.role is role and issuer_of(one, [issuer]) is issuer]
                name = f"authority:{role.value} of {issuer.role.value} {issuer.version}"
                yield self._authority(name, role, current(fellows, now), now)

    def _authority(
        self, name: str, role: AuthorityRole, credential: AuthorityCredential | None, now: datetime
    ) -> Dependency:
        if credential is None:
            return Dependency(name=name, ready=False, detail="run `seal init`")
        until = credential.not_after.isoformat()
        if not credential.not_before <= now < credential.not_after:
            return Dependency(
                name=name, ready=False, detail=f"certificate ended {until}: `seal keys rotate {role.value}`"
            )
        try:
            self.keys.open(credential.key_reference)
            self.keys.place(credential.key_reference)  # a held key does not tell whether the HSM still has it
        except SealServiceError as error:
            return Dependency(name=name, ready=False, detail=error.message)
        near = f"; its end is near: `seal keys rotate {role.value}`" if should_be_rotated(credential, now) else ""
        return Dependency(name=name, ready=True, detail=f"until {until}{near}")

    def _reservations(self) -> Dependency:
        with self.records.read() as transaction:
            stale = transaction.uses.reserved_before(self.clock.now() - 2 * self.reservation, 1)
        detail = "reconcile does not run: see `seal reconcile`" if stale else "none overdue"
        return Dependency(name="reservations", ready=not stale, detail=detail)

"""接入系统、凭据、人员."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, insert, or_, select, true, update

from seal_service.domain.errors import AlreadyRegistered, CredentialNotFound, SystemNotFound
from seal_service.domain.machine import ApplicationSystem, MachineStanding, SystemCredential, UnitPerson
from seal_service.storage.locking import locked
from seal_service.storage.mapping.machines import (
    credential_of,
    credential_values,
    person_of,
    person_values,
    standing_of,
    system_of,
    system_values,
)
from seal_service.storage.refusals import unique
from seal_service.storage.statement import Statement
from seal_service.storage.tables import AccountRow, ApplicationSystemRow, SystemCredentialRow, UnitPersonRow
from seal_service.storage.upsert import upsert

_SYSTEM = locked(select(ApplicationSystemRow).where(ApplicationSystemRow.id == bindparam("system_id")))
_CREDENTIAL = locked(select(SystemCredentialRow).where(SystemCredentialRow.id == bindparam("credential_id")))
_STANDING = Statement(
    select(
        ApplicationSystemRow.state,
        ApplicationSystemRow.source_networks,
        SystemCredentialRow.id.label("credential_id"),
        SystemCredentialRow.expires_at,
        SystemCredentialRow.revoked_at,
        SystemCredentialRow.last_used_at,
    )
    .select_from(AccountRow)
    .outerjoin(ApplicationSystemRow, ApplicationSystemRow.account_id == AccountRow.id)
    .outerjoin(
        SystemCredentialRow,
        and_(SystemCredentialRow.account_id == AccountRow.id, SystemCredentialRow.id == bindparam("credential_id")),
    )
    .where(AccountRow.id == bindparam("account_id"))
)
"""One question for what every call of a business system is measured by."""
_PERSON = Statement(
    select(UnitPersonRow).where(
        UnitPersonRow.unit_id == bindparam("unit_id"), UnitPersonRow.reference == bindparam("reference")
    )
)


@dataclass(frozen=True, slots=True)
class SqlSystems:
    """接入系统 and their credentials."""

    connection: Connection

    def add(self, system: ApplicationSystem) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(ApplicationSystemRow), system_values(system))

    def lock(self, system_id: str) -> ApplicationSystem:
        """Read, locked; SystemNotFound."""
        row = _SYSTEM.on(self.connection).one(self.connection, system_id=system_id)
        if row is None:
            raise SystemNotFound
        return system_of(row)

    def replace(self, system: ApplicationSystem) -> None:
        """Write the present form; SystemNotFound, AlreadyRegistered."""
        changed = update(ApplicationSystemRow).where(ApplicationSystemRow.id == system.id)
        with unique(AlreadyRegistered):
            if self.connection.execute(changed, system_values(system)).rowcount == 0:
                raise SystemNotFound

    def of_account(self, account_id: str) -> ApplicationSystem | None:
        """Read by account."""
        wanted = select(ApplicationSystemRow).where(ApplicationSystemRow.account_id == account_id)
        row = self.connection.execute(wanted).one_or_none()
        return None if row is None else system_of(row)

    def chosen(
        self, *, unit_id: str | None = None, after: str | None = None, limit: int = 1000
    ) -> Sequence[ApplicationSystem]:
        """Oldest first."""
        row = ApplicationSystemRow
        of_unit = true() if unit_id is None else row.unit_id == unit_id
        later = true() if after is None else row.id > after
        wanted = select(row).where(of_unit, later).order_by(row.id).limit(limit)
        return [system_of(one) for one in self.connection.execute(wanted)]

    def standing(self, account_id: str, credential_id: str | None) -> MachineStanding:
        """In one question."""
        return standing_of(_STANDING.one(self.connection, account_id=account_id, credential_id=credential_id or ""))

    def add_credential(self, credential: SystemCredential) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(SystemCredentialRow), credential_values(credential))

    def lock_credential(self, credential_id: str) -> SystemCredential:
        """Read, locked; CredentialNotFound."""
        row = _CREDENTIAL.on(self.connection).one(self.connection, credential_id=credential_id)
        if row is None:
            raise CredentialNotFound
        return credential_of(row)

    def replace_credential(self, credential: SystemCredential) -> None:
        """Write the present form; CredentialNotFound."""
        changed = update(SystemCredentialRow).where(SystemCredentialRow.id == credential.id)
        if self.connection.execute(changed, credential_values(credential)).rowcount == 0:
            raise CredentialNotFound

    def credentials_of(self, account_id: str) -> Sequence[SystemCredential]:
        """Oldest first."""
        row = SystemCredentialRow
        wanted = select(row).where(row.account_id == account_id).order_by(row.id)
        return [credential_of(one) for one in self.connection.execute(wanted)]

    def note_use(self, credential_id: str, at: datetime) -> None:
        """Compare and set."""
        row = SystemCredentialRow
        earlier = or_(row.last_used_at.is_(None), row.last_used_at < at)
        self.connection.execute(update(row).where(row.id == credential_id, earlier).values(last_used_at=at))


@dataclass(frozen=True, slots=True)
class SqlPeople:
    """人员."""

    connection: Connection

    def put(self, person: UnitPerson) -> None:
        """Write, in the place of whoever is there."""
        values = person_values(person)
        first = upsert(self.connection, UnitPersonRow).values(**values)
        with unique(AlreadyRegistered):
            self.connection.execute(first.on_conflict_do_update(index_elements=["unit_id", "reference"], set_=values))

    def find(self, unit_id: str, reference: str) -> UnitPerson | None:
        """Read, or None."""
        row = _PERSON.one(self.connection, unit_id=unit_id, reference=reference)
        return None if row is None else person_of(row)

    def of_unit(self, unit_id: str, *, after: str | None = None, limit: int = 1000) -> Sequence[UnitPerson]:
        """By reference."""
        row = UnitPersonRow
        later = true() if after is None else row.reference > after
        wanted = select(row).where(row.unit_id == unit_id, row.removed_at.is_(None), later)
        return [person_of(one) for one in self.connection.execute(wanted.order_by(row.reference).limit(limit))]

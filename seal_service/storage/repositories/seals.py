"""电子印章."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from seal_service.domain.errors import AlreadyRegistered, SealNotFound
from seal_service.domain.seal import Seal, SealState
from seal_service.storage.locking import locked
from seal_service.storage.mapping import credential_values, seal_of, seal_values, unit_of
from seal_service.storage.refusals import unique
from seal_service.storage.repositories.units import SqlUnits
from seal_service.storage.statement import Row, Statement, together
from seal_service.storage.tables import SealCodeSequenceRow, SealCredentialRow, SealRow, UnitRow
from seal_service.storage.upsert import upsert

_WANTED = select(SealRow).where(SealRow.code == bindparam("seal_code"))
_BY_CODE = Statement(_WANTED)
_LOCKED = locked(_WANTED)
_BY_CERTIFICATE = Statement(
    select(SealRow).where(
        SealRow.code
        == select(SealCredentialRow.seal_code).where(SealCredentialRow.serial == bindparam("serial")).scalar_subquery()
    )
)
_CREDENTIALS = Statement(
    select(SealCredentialRow)
    .where(SealCredentialRow.seal_code == bindparam("seal_code"))
    .order_by(SealCredentialRow.position)
)

_UNIT = Statement(
    select(UnitRow).join(SealRow, SealRow.unit_id == UnitRow.id).where(SealRow.code == bindparam("seal_code"))
)


@dataclass(frozen=True, slots=True)
class SqlSeals:
    """Seals with their credentials."""

    connection: Connection
    units: SqlUnits
    """Told of the unit of a seal that is locked, which every act asks for next."""

    def add(self, seal: Seal) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(SealRow), seal_values(seal))
            self._add_credentials(seal, frozenset())

    def find(self, code: str) -> Seal | None:
        """Read, or None."""
        return self._of(_BY_CODE.one(self.connection, seal_code=code))

    def lock(self, code: str) -> Seal:
        """Read, locked; SealNotFound."""
        asked = {"seal_code": code}
        wanted = ((_LOCKED.on(self.connection), asked), (_CREDENTIALS, asked), (_UNIT, asked))
        seals, credentials, units = together(self.connection, *wanted)
        if not seals:
            raise SealNotFound(seal_code=code)
        self.units.know(unit_of(units[0]))
        return seal_of(seals[0], credentials)

    def replace(self, seal: Seal) -> None:
        """Write the present form; credentials are only added. SealNotFound."""
        changed = update(SealRow).where(SealRow.code == seal.code)
        if self.connection.execute(changed, seal_values(seal)).rowcount == 0:
            raise SealNotFound(seal_code=seal.code)
        known = select(SealCredentialRow.id).where(SealCredentialRow.seal_code == seal.code)
        with unique(AlreadyRegistered):
            self._add_credentials(seal, frozenset(self.connection.scalars(known)))

    def by_certificate(self, serial: str) -> Seal | None:
        """The seal that a certificate of any version belongs to."""
        return self._of(_BY_CERTIFICATE.one(self.connection, serial=serial))

    def names_key(self, key_reference: str) -> bool:
        """Whether any version of any seal names this key."""
        named = select(SealCredentialRow.id).where(SealCredentialRow.key_reference == key_reference).limit(1)
        return self.connection.scalar(named) is not None

    def of_keys(self, key_references: Sequence[str]) -> Mapping[str, Seal]:
        """The seals whose credentials of any version name these keys, by key."""
        row = SealCredentialRow
        named = select(row.key_reference, row.seal_code).where(row.key_reference.in_(key_references))
        found: dict[str, Seal] = {}
        for key_reference, code in self.connection.execute(named).all():
            seal = self.find(code)
            if seal is not None:
                found[key_reference] = seal
        return found

    def standing(self, unit_id: str) -> Sequence[str]:
        """Codes of a unit's seals that are not cancelled, in order."""
        row = SealRow
        wanted = select(row.code).where(row.unit_id == unit_id, row.state != SealState.CANCELLED.value)
        return self.connection.scalars(wanted.order_by(row.code)).all()

    def next_serial(self, area_code: str) -> int:
        """The next number of an area's sequence; the row stays locked until the transaction ends."""
        row = SealCodeSequenceRow
        first = upsert(self.connection, row).values(area_code=area_code, last=1)
        step = first.on_conflict_do_update(index_elements=["area_code"], set_={"last": row.last + 1})
        return self.connection.execute(step.returning(row.last)).scalar_one()

    def _of(self, row: Row | None) -> Seal | None:
        if row is None:
            return None
        return seal_of(row, _CREDENTIALS.all(self.connection, seal_code=row.code))

    def _add_credentials(self, seal: Seal, known: frozenset[str]) -> None:
        added = [
            credential_values(one, seal.code, position)
            for position, one in enumerate(seal.credentials)
            if one.id not in known
        ]
        if added:
            self.connection.execute(insert(SealCredentialRow), added)

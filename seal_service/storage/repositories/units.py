"""单位."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection, bindparam, insert, select, update

from seal_service.domain.errors import AlreadyRegistered, UnitNotFound
from seal_service.domain.organization import Unit
from seal_service.storage.mapping import unit_of, unit_values
from seal_service.storage.refusals import unique
from seal_service.storage.statement import Statement
from seal_service.storage.tables import UnitRow

_BY_ID = Statement(select(UnitRow).where(UnitRow.id == bindparam("unit_id")))


@dataclass(frozen=True, slots=True)
class SqlUnits:
    """Units. They hardly ever change, so that one which this transaction has read is not read again."""

    connection: Connection
    known: dict[str, Unit] = field(default_factory=dict)

    def add(self, unit: Unit) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(UnitRow), unit_values(unit))

    def get(self, unit_id: str) -> Unit:
        """Read; UnitNotFound."""
        if unit_id in self.known:
            return self.known[unit_id]
        row = _BY_ID.one(self.connection, unit_id=unit_id)
        if row is None:
            raise UnitNotFound(unit_id=unit_id)
        return unit_of(row)

    def know(self, unit: Unit) -> None:
        """Remember what was read beside something else."""
        self.known[unit.id] = unit

    def replace(self, unit: Unit) -> None:
        """Write the present form; UnitNotFound."""
        changed = update(UnitRow).where(UnitRow.id == unit.id)
        if self.connection.execute(changed, unit_values(unit)).rowcount == 0:
            raise UnitNotFound(unit_id=unit.id)
        self.know(unit)

    def by_credit_code(self, code: str) -> Unit | None:
        """Read by 统一社会信用代码."""
        row = self.connection.execute(select(UnitRow).where(UnitRow.credit_code == code)).one_or_none()
        return None if row is None else unit_of(row)

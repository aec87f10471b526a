"""Custody: uses in two steps, and the media that seals' keys are on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from seal_service.domain.activation import ActivationRecord
from seal_service.domain.conveyance import Conveyance
from seal_service.domain.errors import AlreadyRegistered, ConveyanceNotFound, PreparedUseNotFound
from seal_service.domain.medium import MediumAct, MediumEvent
from seal_service.domain.prepared_use import PreparedUse
from seal_service.storage.mapping.custody import (
    activation_of,
    activation_values,
    conveyance_of,
    conveyance_values,
    medium_event_of,
    medium_event_values,
    prepared_of,
    prepared_values,
)
from seal_service.storage.refusals import unique
from seal_service.storage.statement import Statement
from seal_service.storage.tables import MediumEventRow, PreparedUseRow, SealActivationRow, SealConveyanceRow

_CONVEYED = Statement(
    select(SealConveyanceRow)
    .where(SealConveyanceRow.seal_code == bindparam("seal_code"), SealConveyanceRow.system_id == bindparam("system_id"))
    .order_by(SealConveyanceRow.conveyed_at, SealConveyanceRow.id)
)
"""Asked for every use, so it is compiled once."""


@dataclass(frozen=True, slots=True)
class SqlPreparedUses:
    """待签用印."""

    connection: Connection

    def add(self, prepared: PreparedUse) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(PreparedUseRow), prepared_values(prepared))

    def find(self, use_id: str) -> PreparedUse | None:
        """Read, or None."""
        row = self.connection.execute(
            select(*PreparedUseRow.__table__.c).where(PreparedUseRow.use_id == use_id)
        ).first()
        return None if row is None else prepared_of(row)

    def replace(self, prepared: PreparedUse) -> None:
        """Write its present form; PreparedUseNotFound."""
        changed = update(PreparedUseRow).where(PreparedUseRow.use_id == prepared.use_id)
        if self.connection.execute(changed, prepared_values(prepared)).rowcount == 0:
            raise PreparedUseNotFound

    def overdue(self, moment: datetime, limit: int) -> Sequence[PreparedUse]:
        """Expired before a moment and not released, longest expired first."""
        wanted = (
            select(*PreparedUseRow.__table__.c)
            .where(PreparedUseRow.released_at.is_(None), PreparedUseRow.expires_at < moment)
            .order_by(PreparedUseRow.expires_at, PreparedUseRow.use_id)
            .limit(limit)
        )
        return [prepared_of(row) for row in self.connection.execute(wanted)]


@dataclass(frozen=True, slots=True)
class SqlMedia:
    """印章介质."""

    connection: Connection

    def add(self, event: MediumEvent) -> None:
        """Insert."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(MediumEventRow), medium_event_values(event))

    def history(self, seal_code: str) -> Sequence[MediumEvent]:
        """All of a seal, oldest first."""
        wanted = select(*MediumEventRow.__table__.c).where(MediumEventRow.seal_code == seal_code)
        return [medium_event_of(row) for row in self.connection.execute(wanted.order_by(MediumEventRow.position))]

    def seal_of(self, serial_number: str) -> str | None:
        """The code of the seal that was last issued on a medium, or None."""
        wanted = (
            select(MediumEventRow.seal_code)
            .where(MediumEventRow.serial_number == serial_number, MediumEventRow.act == MediumAct.ISSUED.value)
            .order_by(MediumEventRow.recorded_at.desc(), MediumEventRow.id.desc())
            .limit(1)
        )
        return self.connection.scalar(wanted)


@dataclass(frozen=True, slots=True)
class SqlActivations:
    """激活口令."""

    connection: Connection

    def any(self) -> bool:
        """Whether there is one."""
        return self.connection.execute(select(SealActivationRow.seal_code).limit(1)).first() is not None

    def find(self, seal_code: str) -> ActivationRecord | None:
        """Read, or None."""
        wanted = select(*SealActivationRow.__table__.c).where(SealActivationRow.seal_code == seal_code)
        row = self.connection.execute(wanted).first()
        return None if row is None else activation_of(row)

    def put(self, record: ActivationRecord) -> None:
        """Write its present form, new or not; for whoever holds the seal's lock."""
        changed = update(SealActivationRow).where(SealActivationRow.seal_code == record.seal_code)
        if self.connection.execute(changed, activation_values(record)).rowcount == 0:
            self.connection.execute(insert(SealActivationRow), activation_values(record))


@dataclass(frozen=True, slots=True)
class SqlConveyances:
    """导入记录."""

    connection: Connection

    def add(self, conveyance: Conveyance) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(SealConveyanceRow), conveyance_values(conveyance))

    def of(self, seal_code: str, system_id: str | None = None) -> Sequence[Conveyance]:
        """Of a seal, to a system or to all, oldest first."""
        if system_id is not None:
            found = _CONVEYED.all(self.connection, seal_code=seal_code, system_id=system_id)
            return [conveyance_of(row) for row in found]
        wanted = select(*SealConveyanceRow.__table__.c).where(SealConveyanceRow.seal_code == seal_code)
        ordered = wanted.order_by(SealConveyanceRow.conveyed_at, SealConveyanceRow.id)
        return [conveyance_of(row) for row in self.connection.execute(ordered)]

    def replace(self, conveyance: Conveyance) -> None:
        """Write its present form; ConveyanceNotFound."""
        changed = update(SealConveyanceRow).where(SealConveyanceRow.id == conveyance.id)
        if self.connection.execute(changed, conveyance_values(conveyance)).rowcount == 0:
            raise ConveyanceNotFound

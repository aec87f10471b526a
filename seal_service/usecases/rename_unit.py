"""单位更名: a unit's new name, once its seals are cancelled; new ones are applied for and name the old (article 23)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import InvalidInput, SealsStillValid
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.organization import Unit
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock
from seal_service.usecases.change_status import checked_text
from seal_service.usecases.register_unit import checked_name
from seal_service.usecases.requests import made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameUnit:
    """更名 as notified."""

    unit_id: str
    name: str
    document_number: str
    """文号 of the written notice."""
    idempotency_key: str | None = None


@dataclass(frozen=True)
class RenameUnitUseCase:
    """单位更名. Raises UnitNotFound, SealsStillValid naming the seals to be cancelled first, InvalidInput."""

    permission: ClassVar[Permission] = Permission.RENAME_UNIT
    records: Records
    log: SigningLog
    clock: Clock

    def __call__(self, caller: Caller, command: RenameUnit) -> Unit:
        """The unit under its new name."""
        name = checked_name(command.name, "name")
        number = checked_text(command.document_number, "document_number")
        with self.records.write() as transaction:
            repeated = made_earlier(transaction, caller, command)
            unit = transaction.units.get(command.unit_id)
            if repeated is not None:
                return unit
            if name == unit.name:
                raise InvalidInput("This is the unit's name already", field="name")
            standing = transaction.seals.standing(unit.id)
            if standing:
                raise SealsStillValid(seal_codes=list(standing))
            renamed = replace(unit, name=name)
            transaction.units.replace(renamed)
            facts = {
                "unit_name": name,
                "former_unit_name": unit.name,
                "unit_credit_code": unit.credit_code,
                "area_code": unit.area_code,
                "document_number": number,
            }
            self.log.append(
                transaction, act_of(caller, Event(kind=EventKind.UNIT_RENAMED, unit_id=unit.id, facts=facts))
            )
            remember(transaction, caller, command, unit.id, self.clock.now())
            transaction.commit()
        return renamed

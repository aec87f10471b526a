"""单位登记: a unit is entered with its credit code, area and channel organization (articles 12, 13)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain import identifiers
from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import InvalidInput
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.organization import Unit, UnitType
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.requests import made_earlier, remember

LONGEST_NAME = 150
"""Characters of a unit's or seal's name (Appendix A: utf8 ≤ 150)."""
LONGEST_UNIT_NAME = 46
"""Characters of 单位名称: with the 18 of the credit code it is the certificate's O, at most 64 (RFC 5280, A.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterUnit:
    """单位登记 as asked for."""

    name: str
    unit_type: UnitType
    credit_code: str
    area_code: str
    channel_unit_id: str | None = None
    idempotency_key: str | None = None


def checked_name(text: str, field: str, longest: int = LONGEST_NAME) -> str:
    """A name of 1 to `longest` printable characters without blanks around it; else InvalidInput."""
    name = text.strip()
    if not 1 <= len(name) <= longest or not name.isprintable():
        raise InvalidInput(f"{field} is 1 to {longest} printable characters", field=field)
    return name


@dataclass(frozen=True)
class RegisterUnitUseCase:
    """单位登记 by the making office. Raises InvalidInput kinds, UnitNotFound (channel), AlreadyRegistered."""

    permission: ClassVar[Permission] = Permission.REGISTER_UNIT
    records: Records
    log: SigningLog
    clock: Clock
    entropy: Entropy

    def __call__(self, caller: Caller, command: RegisterUnit) -> Unit:
        """The unit."""
        now = self.clock.now()
        unit = Unit(
            id=identifiers.uuid7(now, self.entropy.token(10)),
            name=checked_name(command.name, "name", LONGEST_UNIT_NAME),
            unit_type=command.unit_type,
            credit_code=identifiers.credit_code(command.credit_code),
            area_code=identifiers.area_code(command.area_code),
            channel_unit_id=command.channel_unit_id,
            registered_at=now,
        )
        with self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            if earlier is not None:
                return transaction.units.get(earlier)
            if unit.channel_unit_id is not None:
                transaction.units.get(unit.channel_unit_id)
            transaction.units.add(unit)
            registered = Event(
                kind=EventKind.UNIT_REGISTERED,
                unit_id=unit.id,
                facts={
                    "unit_name": unit.name,
                    "unit_credit_code": unit.credit_code,
                    "area_code": unit.area_code,
                    "unit_type": unit.unit_type.value,
                    "channel_unit_id": unit.channel_unit_id,
                },
            )
            self.log.append(transaction, act_of(caller, registered))
            remember(transaction, caller, command, unit.id, now)
            transaction.commit()
        return unit

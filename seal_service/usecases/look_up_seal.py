"""状态公示 (articles 23, 24): what anyone may know of a seal, by its code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import SealNotFound
from seal_service.domain.identifiers import seal_code
from seal_service.domain.lifecycle import state_at
from seal_service.domain.seal import SealState
from seal_service.ports.records import Records
from seal_service.ports.system import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpSeal:
    """Which seal."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicStatus:
    """公示: name, holder, status and validity; no picture, no person."""

    code: str
    name: str
    holder: str
    state: SealState
    valid_from: datetime
    valid_until: datetime
    asked_at: datetime


@dataclass(frozen=True)
class LookUpSealUseCase:
    """状态公示 without login. Raises InvalidSealCode, SealNotFound."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    clock: Clock

    def __call__(self, _caller: Caller, command: LookUpSeal) -> PublicStatus:
        """The public status."""
        now = self.clock.now()
        with self.records.read() as transaction:
            seal = transaction.seals.find(seal_code(command.code))
            if seal is None:
                raise SealNotFound
            holder = transaction.units.get(seal.unit_id).name
        return PublicStatus(
            code=seal.code,
            name=seal.name,
            holder=holder,
            state=state_at(seal, now),
            valid_from=seal.not_before,
            valid_until=seal.not_after,
            asked_at=now,
        )

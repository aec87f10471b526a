"""状态公示 (articles 23, 24): what anyone may know of a seal whose code and name he has."""

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
    """Which seal: both as they stand on a document, so that nobody lists the city's seals by counting up."""

    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicStatus:
    """公示: name, holder, status since when, and validity; no picture, no person, no reason."""

    code: str
    name: str
    holder: str
    state: SealState
    since: datetime
    valid_from: datetime
    valid_until: datetime
    invalid_from: datetime | None
    asked_at: datetime


@dataclass(frozen=True)
class LookUpSealUseCase:
    """状态公示 without login. Raises InvalidSealCode, SealNotFound (also for another name)."""

    permission: ClassVar[Permission] = Permission.PUBLIC
    records: Records
    clock: Clock

    def __call__(self, _caller: Caller, command: LookUpSeal) -> PublicStatus:
        """The public status."""
        now = self.clock.now()
        with self.records.read() as transaction:
            seal = transaction.seals.find(seal_code(command.code))
            if seal is None or seal.name != command.name.strip():
                raise SealNotFound
            holder = transaction.units.get(seal.unit_id).name
            changes = transaction.log.status_changes(seal.code)
        state = state_at(seal, now)
        since = max((one.at for one in changes), default=seal.made_at)
        return PublicStatus(
            code=seal.code,
            name=seal.name,
            holder=holder,
            state=state,
            since=seal.not_after if state is SealState.EXPIRED else since,
            valid_from=seal.not_before,
            valid_until=seal.not_after,
            invalid_from=seal.invalid_from,
            asked_at=now,
        )

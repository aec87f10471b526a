"""介质交接: through whose hands a seal's medium went (article 20), each step in the log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import AlreadyRegistered, Conflict, InvalidTime, SealNotFound
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.identifiers import uuid7
from seal_service.domain.medium import (
    Medium,
    MediumAct,
    MediumEvent,
    media_of,
    medium_serial,
    person_name,
    require_next,
)
from seal_service.domain.seal import Seal
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.facts import lock_own_seal, may_see, seal_facts
from seal_service.usecases.requests import made_earlier, remember

KIND_OF = {
    MediumAct.ISSUED: EventKind.MEDIUM_ISSUED,
    MediumAct.HANDED_OVER: EventKind.MEDIUM_HANDED_OVER,
    MediumAct.RETURNED: EventKind.MEDIUM_RETURNED,
    MediumAct.DESTROYED: EventKind.MEDIUM_DESTROYED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOverMedium:
    """交付 to a keeper: the unit's first, or its next."""

    seal_code: str
    serial_number: str
    keeper: str
    """Who takes it."""
    giver: str
    """Who gives it."""
    at: datetime | None = None
    """When it happened; None: now."""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnMedium:
    """交回 to the making office."""

    seal_code: str
    serial_number: str
    receiver: str
    """Who takes it at the making office."""
    at: datetime | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMedia:
    """Which seal's media."""

    seal_code: str


@dataclass(frozen=True)
class MediumStory:
    """What the acts on a medium have in common: lock the seal, ask the rule, add a line, log, commit."""

    records: Records
    log: SigningLog
    clock: Clock
    entropy: Entropy

    def _record(
        self,
        caller: Caller,
        command: HandOverMedium | ReturnMedium,
        act: MediumAct,
        keeper: str | None,
        giver: str | None,
    ) -> Medium:
        serial = medium_serial(command.serial_number)
        with self.records.write() as transaction:
            repeated = made_earlier(transaction, caller, command) is not None
            seal = lock_own_seal(transaction, caller, command.seal_code)
            before = _medium(transaction, seal, serial)
            if repeated:
                return before
            now = self.clock.now()
            at = command.at or now
            if at > now:
                raise InvalidTime("What has not happened yet is not recorded", field="at")
            require_next(before, act, at)
            event = MediumEvent(
                id=uuid7(now, self.entropy.token(10)),
                seal_code=seal.code,
                position=len(transaction.media.history(seal.code)),
                serial_number=serial,
                version=before.version,
                act=act,
                at=at,
                recorded_at=now,
                recorded_by=caller.identity,
                keeper=keeper or before.keeper,
                giver=giver,
            )
            # What was prepared for its former keeper must not be completed by the next.
            changed = replace(seal, epoch=seal.epoch + 1)
            transaction.seals.replace(changed)
            append_medium_event(transaction, self.log, caller, changed, event)
            remember(transaction, caller, command, event.id, now)
            after = _medium(transaction, seal, serial)
            transaction.commit()
        return after


@dataclass(frozen=True)
class HandOverMediumUseCase(MediumStory):
    """交付, by the making office to the unit or within the unit by its keeper.

    Raises SealNotFound, Conflict for a medium that is not known, destroyed, or elsewhere; InvalidInput, InvalidTime.
    """

    permission: ClassVar[Permission] = Permission.KEEP_MEDIUM

    def __call__(self, caller: Caller, command: HandOverMedium) -> Medium:
        """The medium afterwards."""
        keeper, giver = person_name(command.keeper, "keeper"), person_name(command.giver, "giver")
        return self._record(caller, command, MediumAct.HANDED_OVER, keeper, giver)


@dataclass(frozen=True)
class ReturnMediumUseCase(MediumStory):
    """交回. Raises as a hand-over does."""

    permission: ClassVar[Permission] = Permission.KEEP_MEDIUM

    def __call__(self, caller: Caller, command: ReturnMedium) -> Medium:
        """The medium afterwards."""
        receiver = person_name(command.receiver, "receiver")
        with self.records.read() as transaction:
            seal = lock_own_seal(transaction, caller, command.seal_code)
            giver = _medium(transaction, seal, medium_serial(command.serial_number)).keeper
        return self._record(caller, command, MediumAct.RETURNED, receiver, giver)


@dataclass(frozen=True)
class ReadMediaUseCase:
    """印章介质 of a seal with their histories, for its unit, the making office and auditors. Raises SealNotFound."""

    permission: ClassVar[Permission] = Permission.READ_SEALS
    records: Records

    def __call__(self, caller: Caller, command: ReadMedia) -> tuple[Medium, ...]:
        """The media, newest last."""
        with self.records.read() as transaction:
            seal = transaction.seals.find(command.seal_code)
            if seal is None or not may_see(caller, seal):
                raise SealNotFound
            return media_of(transaction.media.history(seal.code))


def append_medium_event(
    transaction: Transaction, log: SigningLog, caller: Caller, seal: Seal, event: MediumEvent
) -> None:
    """Add a line to a medium's history, and its entry to the log: persons only as commitments."""
    transaction.media.add(event)
    unit = transaction.units.get(seal.unit_id)
    named = {"keeper": event.keeper, "giver": event.giver, "witness": event.witness}
    logged = Event(
        kind=KIND_OF[event.act],
        seal_code=seal.code,
        unit_id=unit.id,
        facts={
            **seal_facts(seal, unit),
            "medium_serial": event.serial_number,
            "medium_version": event.version,
            "happened_at": event.at.isoformat(),
        },
        private={name: value for name, value in named.items() if value},
    )
    log.append(transaction, act_of(caller, logged))


def require_free(transaction: Transaction, serial_number: str, seal_code: str) -> Medium | None:
    """The medium as it was, for one that a seal is to be made on; AlreadyRegistered when another seal is on it."""
    holder = transaction.media.seal_of(serial_number)
    if holder not in (None, seal_code):
        raise AlreadyRegistered("Another seal was made on this medium: each seal has its own")
    history = transaction.media.history(seal_code)
    return next((one for one in media_of(history) if one.serial_number == serial_number), None)


def _medium(transaction: Transaction, seal: Seal, serial_number: str) -> Medium:
    media = media_of(transaction.media.history(seal.code))
    found = next((one for one in media if one.serial_number == serial_number), None)
    if found is None:
        raise Conflict("The seal has no medium with this serial number")
    return found

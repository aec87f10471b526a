"""介质交回、销毁: a cancelled seal's medium comes back and is destroyed before a witness (article 23)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import InvalidInput, TransitionRefused
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.identifiers import uuid7
from seal_service.domain.lifecycle import Action, allowed_actions, next_state
from seal_service.domain.medium import MediumAct, MediumEvent, media_of, require_next
from seal_service.domain.seal import Custody, Seal
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.change_status import checked_text
from seal_service.usecases.facts import lock_own_seal, seal_facts
from seal_service.usecases.requests import made_earlier, remember

LONGEST_NAME = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnMedium:
    """介质交回 as received by the making office."""

    seal_code: str
    on: datetime
    witness: str
    medium_serial: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyMedium:
    """介质销毁 as done by the making office."""

    seal_code: str
    on: datetime
    witness: str
    medium_serial: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class ReceiveMediumUseCase:
    """介质交回 or 销毁, each once and in this order, of a cancelled seal whose key is on a medium.

    Raises SealNotFound, TransitionRefused, InvalidInput. The witness is personal: in the log as a commitment.
    """

    permission: ClassVar[Permission] = Permission.RECEIVE_MEDIUM
    records: Records
    log: SigningLog
    clock: Clock
    entropy: Entropy

    def __call__(self, caller: Caller, command: ReturnMedium | DestroyMedium) -> Seal:
        """The seal with the date."""
        witness = checked_text(command.witness, "witness")
        if len(witness) > LONGEST_NAME:
            raise InvalidInput(f"A name has at most {LONGEST_NAME} characters", field="witness")
        returning = isinstance(command, ReturnMedium)
        action = Action.RETURN_MEDIUM if returning else Action.DESTROY_MEDIUM
        with self.records.write() as transaction:
            repeated = made_earlier(transaction, caller, command)
            seal = lock_own_seal(transaction, caller, command.seal_code)
            if repeated is not None:
                return seal
            now = self.clock.now()
            next_state(seal, action, now)
            _require_its_turn(seal, action)
            if command.on > now:
                raise InvalidInput("The date lies in the future", field="on")
            if not returning and seal.medium_returned_on is not None and command.on < seal.medium_returned_on:
                raise InvalidInput("The medium is destroyed after it was returned", field="on")
            changed = (
                replace(seal, medium_returned_on=command.on)
                if returning
                else replace(seal, medium_destroyed_on=command.on)
            )
            transaction.seals.replace(changed)
            self._note(transaction, caller, seal, command, witness, now)
            unit = transaction.units.get(seal.unit_id)
            event = Event(
                kind=EventKind.MEDIUM_RETURNED if returning else EventKind.MEDIUM_DESTROYED,
                seal_code=seal.code,
                unit_id=unit.id,
                facts={
                    **seal_facts(changed, unit),
                    "on": command.on.isoformat(),
                    "medium_serial": command.medium_serial,
                },
                private={"witness": witness},
            )
            self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, command, seal.code, now)
            transaction.commit()
        return changed

    def _note(
        self,
        transaction: Transaction,
        caller: Caller,
        seal: Seal,
        command: ReturnMedium | DestroyMedium,
        witness: str,
        now: datetime,
    ) -> None:
        """The line in the history of the seal's newest medium, unless its keeper's return is there already."""
        act = MediumAct.RETURNED if isinstance(command, ReturnMedium) else MediumAct.DESTROYED
        history = transaction.media.history(seal.code)
        media = media_of(history)
        if not media or media[-1].last is act:
            return
        medium = media[-1]
        if command.medium_serial not in (None, medium.serial_number):
            raise InvalidInput(f"The seal's medium is {medium.serial_number}", field="medium_serial")
        at = max(command.on, medium.history[-1].at)  # a date may lie before the hour of the same day
        require_next(medium, act, at)
        transaction.media.add(
            MediumEvent(
                id=uuid7(now, self.entropy.token(10)),
                seal_code=seal.code,
                position=len(history),
                serial_number=medium.serial_number,
                version=medium.version,
                act=act,
                at=at,
                recorded_at=now,
                recorded_by=caller.identity,
                keeper=medium.keeper,
                witness=witness,
            )
        )


def _require_its_turn(seal: Seal, action: Action) -> None:
    """Raise TransitionRefused, which says what is missing."""
    told = None
    if all(one.custody is not Custody.TOKEN for one in seal.credentials):
        told = "The seal's key was never on a medium (集中式): there is nothing to return or destroy"
    elif action is Action.RETURN_MEDIUM and seal.medium_returned_on is not None:
        told = "The medium was returned already"
    elif action is Action.DESTROY_MEDIUM and seal.medium_returned_on is None:
        told = "The medium is returned before it is destroyed (article 23)"
    elif action is Action.DESTROY_MEDIUM and seal.medium_destroyed_on is not None:
        told = "The medium was destroyed already"
    if told is not None:
        allowed = [one.value for one in allowed_actions(seal.state) if one is not action]
        raise TransitionRefused(seal.state.value, action.value, allowed, told)

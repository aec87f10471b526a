"""双人控制: an act that takes two people waits for the second one, and is then done exactly as it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from seal_service.domain.access import Caller, Permission, require
from seal_service.domain.dual_control import (
    ControlledAct,
    ControlledRequest,
    carried_out,
    decided,
)
from seal_service.domain.errors import AccountNotFound, InvalidInput, SealServiceError, SecondPersonNeeded
from seal_service.domain.events import Event, EventKind, Result, Scalar, act_of
from seal_service.domain.identifiers import uuid7
from seal_service.formats.command_json import command_as_json, command_of_json
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.register_unit import checked_name
from seal_service.usecases.requests import request_digest

Command = TypeVar("Command")
Given = TypeVar("Given", contravariant=True)
Answer = TypeVar("Answer", covariant=True)

LONGEST_REASON = 500


class Confirmable(Protocol[Given, Answer]):
    """What is done in the end."""

    @property
    def permission(self) -> Permission:
        """Of the person who asks for it."""

    def __call__(self, caller: Caller, command: Given, /) -> Answer:
        """The act."""


@dataclass(frozen=True)
class Controlled(Generic[Command, Answer]):
    """双人控制 around a use case: what would change something is noted, and waits.

    Raises SecondPersonNeeded with the request's id; a mere look at what would be done goes through.
    """

    act: ControlledAct
    kind: type[Command]
    inner: Confirmable[Command, Answer]
    as_look: Callable[[Command], Command]
    """The same command as a mere look; a look stays as it is."""
    records: Records
    log: SigningLog
    clock: Clock
    entropy: Entropy

    @property
    def permission(self) -> Permission:
        """As of the act itself."""
        return self.inner.permission

    def __call__(self, caller: Caller, command: Command) -> Answer:
        """The answer to a look; else SecondPersonNeeded."""
        look = self.as_look(command)
        seen = self.inner(caller, look)  # what would be refused is refused before anyone is asked to confirm it
        if look == command:
            return seen
        with self.records.write() as transaction:
            request = ask(transaction, self.log, self.clock, self.entropy, caller, self.act, command)
            transaction.commit()
        raise SecondPersonNeeded(
            f"This takes two people: the request {request.id} waits for another one to confirm it",
            request_id=request.id,
            act=self.act.value,
        )

    def carry_out(self, caller: Caller, command: str) -> object:
        """The act, as it was confirmed; PermissionDenied when who asked for it may no longer."""
        require(caller, self.permission)
        return self.inner(caller, command_of_json(self.kind, command))


def ask(
    transaction: Transaction,
    log: SigningLog,
    clock: Clock,
    entropy: Entropy,
    caller: Caller,
    act: ControlledAct,
    command: object,
) -> ControlledRequest:
    """Note a request and log it, in the acting transaction."""
    now = clock.now()
    request = ControlledRequest(
        id=uuid7(now, entropy.token(10)),
        act=act,
        command=command_as_json(command),
        requested_by=caller.identity,
        requested_at=now,
    )
    transaction.controlled.add(request)
    facts: dict[str, Scalar] = {**request_facts(request), "command_sha256": request_digest(command)}
    log.append(transaction, act_of(caller, Event(kind=EventKind.CONTROL_REQUESTED, facts=facts)))
    return request


def request_facts(request: ControlledRequest) -> dict[str, Scalar]:
    """What the log keeps of a request."""
    return {"control_request_id": request.id, "controlled_act": request.act.value, "requested_by": request.requested_by}


class CarriesOut(Protocol):
    """An act by its stored command."""

    def carry_out(self, caller: Caller, command: str) -> object:
        """Do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideControlledAct:
    """双人控制的第二人: confirm a request, or reject it with a reason."""

    request_id: str
    confirmed: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedAct:
    """The request as it ended and, where the act was done, what it answered."""

    request: ControlledRequest
    answer: Any = None


@dataclass(frozen=True)
class DecideControlledActUseCase:
    """双人控制的决定: what is confirmed is done at once, by the account that asked for it, and at most once.

    Raises ControlledRequestNotFound, SelfDecisionRefused, AlreadyDecided, InvalidInput (rejected without a reason), and
    whatever the act itself raises; then the request has failed, with the reason.
    """

    permission: ClassVar[Permission] = Permission.CONFIRM_ACT
    records: Records
    log: SigningLog
    clock: Clock
    acts: dict[ControlledAct, CarriesOut]

    def __call__(self, caller: Caller, command: DecideControlledAct) -> DecidedAct:
        """The request, decided."""
        reason = None if command.reason is None else checked_name(command.reason, "reason", LONGEST_REASON)
        if not command.confirmed and reason is None:
            raise InvalidInput("Who rejects says why", field="reason")
        with self.records.write() as transaction:
            waiting = transaction.controlled.lock(command.request_id)
            now = self.clock.now()
            request = decided(waiting, caller.identity, now, confirmed=command.confirmed, reason=reason)
            asker = _asker(transaction, request, caller) if command.confirmed else None
            transaction.controlled.replace(request)
            kind = EventKind.CONTROL_CONFIRMED if command.confirmed else EventKind.CONTROL_REJECTED
            self.log.append(transaction, act_of(caller, Event(kind=kind, reason=reason, facts=request_facts(request))))
            transaction.commit()
        if asker is None:
            return DecidedAct(request=request)
        try:
            answer = self.acts[request.act].carry_out(asker, request.command)
        except SealServiceError as error:
            self._end(caller, request, f"{error.code()}: {error.message}"[:LONGEST_REASON])
            raise
        except Exception as error:
            self._end(caller, request, type(error).__name__)
            raise
        return DecidedAct(request=self._end(caller, request, None), answer=answer)

    def _end(self, caller: Caller, request: ControlledRequest, failure: str | None) -> ControlledRequest:
        with self.records.write() as transaction:
            ended = carried_out(transaction.controlled.lock(request.id), failure)
            transaction.controlled.replace(ended)
            if failure is not None:
                event = Event(
                    kind=EventKind.CONTROL_FAILED, result=Result.FAILURE, reason=failure, facts=request_facts(ended)
                )
                self.log.append(transaction, act_of(caller, event))
            transaction.commit()
        return ended


def _asker(transaction: Transaction, request: ControlledRequest, second: Caller) -> Caller:
    """Who asked, with the roles that the account has now, and who confirmed."""
    account = transaction.accounts.find(request.requested_by)
    if account is None or account.disabled_at is not None:
        raise AccountNotFound("Who asked for this has no account any more: reject it")
    return Caller(
        account_id=account.id,
        name=account.name,
        roles=account.roles,
        unit_id=account.unit_id,
        confirmed_by=second.identity,
    )

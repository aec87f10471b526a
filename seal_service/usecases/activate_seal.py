"""保管与启用: a seal whose key the service keeps is pressed only as far as its keeper lets it be (article 20)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.activation import (
    Activation,
    ActivationRecord,
    after_right_secret,
    after_wrong_secret,
    checked_extent,
    checked_secret,
    require_open,
)
from seal_service.domain.errors import ActivationSecretWrong, Conflict, SealNotFound, TokenPinLocked
from seal_service.domain.events import Event, EventKind, Result, Scalar, act_of
from seal_service.domain.lifecycle import Action, allowed_actions, state_at
from seal_service.domain.seal import Credential, Custody, Seal
from seal_service.ports.activation import KeyActivation
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock
from seal_service.usecases.facts import lock_own_seal, may_see, seal_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeIntoCustody:
    """保管: the keeper sets the secret that only the unit knows. It cannot be read again, nor set anew."""

    seal_code: str
    secret: str

    def __repr__(self) -> str:
        return f"TakeIntoCustody({self.seal_code})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateSeal:
    """启用 for a time, a number of uses, or both; it replaces the activation before."""

    seal_code: str
    secret: str
    until: datetime | None = None
    """None: the longest there is."""
    uses: int | None = None

    def __repr__(self) -> str:
        return f"ActivateSeal({self.seal_code})"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhichActivation:
    """Which seal's."""

    seal_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationState:
    """启用状态: who keeps the seal, and how far it is activated now."""

    record: ActivationRecord | None
    """None: no keeper has taken the present key into custody."""
    activation: Activation | None


@dataclass(frozen=True)
class CustodyStory:
    """What the acts have in common."""

    records: Records
    log: SigningLog
    keys: KeyActivation
    clock: Clock

    def _log(
        self, transaction: Transaction, caller: Caller, seal: Seal, kind: EventKind, facts: dict[str, Scalar]
    ) -> None:
        unit = transaction.units.get(seal.unit_id)
        event = Event(kind=kind, seal_code=seal.code, unit_id=unit.id, facts={**seal_facts(seal, unit), **facts})
        self.log.append(transaction, act_of(caller, event))

    def _taken(self, transaction: Transaction, seal: Seal) -> ActivationRecord:
        record = transaction.activations.find(seal.code)
        if record is None or record.version != seal.version:
            raise Conflict("The seal's keeper has not taken its present key into custody yet")
        return record

    def _find_key(self, caller: Caller, seal_code: str, *, taken: bool) -> None:
        """Have the HSM look for the key before a transaction waits for it; what does not fit is refused by that."""
        with self.records.read() as transaction:
            seal = transaction.seals.find(seal_code)
            if seal is None or not may_see(caller, seal):
                return
            record = transaction.activations.find(seal.code)
        credential = seal.signing_credential()
        is_taken = record is not None and record.version == seal.version
        if credential is not None and credential.custody is Custody.SERVER and is_taken is taken:
            self.keys.find(credential.key_reference, anew=not taken)


@dataclass(frozen=True)
class TakeIntoCustodyUseCase(CustodyStory):
    """保管 by the unit's keeper, once for each version of the seal.

    Raises SealNotFound, Conflict (taken already; a key on a medium or in the service's own token), InvalidInput.
    """

    permission: ClassVar[Permission] = Permission.ACTIVATE_SEAL

    def __call__(self, caller: Caller, command: TakeIntoCustody) -> ActivationState:
        """Taken; not activated yet."""
        secret = checked_secret(command.secret)
        self._find_key(caller, command.seal_code, taken=False)
        with self.records.write() as transaction:
            seal = lock_own_seal(transaction, caller, command.seal_code)
            credential = kept_here(seal)
            before = transaction.activations.find(seal.code)
            if before is not None and before.version == seal.version:
                raise Conflict("The seal's keeper has taken its key into custody already")
            record = ActivationRecord(
                seal_code=seal.code, version=seal.version, taken_by=caller.identity, taken_at=self.clock.now()
            )
            transaction.activations.put(record)
            self._log(transaction, caller, seal, EventKind.CUSTODY_TAKEN, {})
            # Before the commit: a crash between the two leaves a key that is locked, which its keeper takes again with
            # the same secret, never one that is said to be locked and is not.
            self.keys.protect(credential.key_reference, secret)
            transaction.commit()
        return ActivationState(record=record, activation=None)


@dataclass(frozen=True)
class ActivateSealUseCase(CustodyStory):
    """启用 by the unit's keeper.

    Raises SealNotFound, Conflict (not taken into custody; a key that is not here; a seal that cannot be pressed),
    InvalidInput, ActivationSecretWrong and TokenPinLocked (counted; each further one waits longer), ActivationBlocked,
    KeyProcessUnavailable.
    """

    permission: ClassVar[Permission] = Permission.ACTIVATE_SEAL

    def __call__(self, caller: Caller, command: ActivateSeal) -> ActivationState:
        """Activated in every process of the service."""
        now = self.clock.now()
        until = checked_extent(command.until, command.uses, now)
        secret = checked_secret(command.secret)
        self._find_key(caller, command.seal_code, taken=True)
        with self.records.write() as transaction:  # one attempt at a time: they are counted under the seal's lock
            seal = lock_own_seal(transaction, caller, command.seal_code)
            if Action.APPLY not in allowed_actions(state_at(seal, now)):
                raise Conflict(f"A seal that is {state_at(seal, now)} is not activated")
            credential = kept_here(seal)
            record = self._taken(transaction, seal)
            require_open(record, now)
            wrong: ActivationSecretWrong | TokenPinLocked | None = None
            try:
                self.keys.activate(credential.key_reference, secret, until, command.uses)
                record = after_right_secret(record)
                facts: dict[str, Scalar] = {"until": until.isoformat(), "uses": command.uses}
                self._log(transaction, caller, seal, EventKind.ACTIVATION_OPENED, facts)
            except (ActivationSecretWrong, TokenPinLocked) as error:  # a locked token too was asked, and may be again
                wrong, record = error, after_wrong_secret(record, now)
            if isinstance(wrong, TokenPinLocked):  # which is no refusal of the service's, or it would be logged as one
                self._log_locked(transaction, caller, seal, wrong)
            transaction.activations.put(record)
            transaction.commit()
        if isinstance(wrong, TokenPinLocked):
            raise wrong
        if wrong is not None:
            blocked = record.blocked_until.isoformat() if record.blocked_until is not None else None
            raise ActivationSecretWrong(failures=record.failures, retry_at=blocked)
        return ActivationState(record=record, activation=self.keys.status(credential.key_reference))

    def _log_locked(self, transaction: Transaction, caller: Caller, seal: Seal, wrong: TokenPinLocked) -> None:
        unit = transaction.units.get(seal.unit_id)
        refused = Event(
            kind=EventKind.SEAL_ACT_REFUSED,
            result=Result.REFUSED,
            seal_code=seal.code,
            unit_id=unit.id,
            reason=f"{wrong.code()}: {wrong.message}",
            facts={**seal_facts(seal, unit), "act": self.permission.value},
        )
        self.log.append(transaction, act_of(caller, refused))


@dataclass(frozen=True)
class EndActivationUseCase(CustodyStory):
    """停用 by the unit's keeper; twice is once. Raises SealNotFound, Conflict, KeyProcessUnavailable."""

    permission: ClassVar[Permission] = Permission.ACTIVATE_SEAL

    def __call__(self, caller: Caller, command: WhichActivation) -> None:
        """Locked again, in every process."""
        with self.records.write() as transaction:
            seal = lock_own_seal(transaction, caller, command.seal_code)
            if self.keys.end(kept_here(seal).key_reference):
                self._log(transaction, caller, seal, EventKind.ACTIVATION_ENDED, {})
                transaction.commit()


@dataclass(frozen=True)
class ReadActivationUseCase:
    """启用状态, for the seal's unit, the making office and auditors. Raises SealNotFound."""

    permission: ClassVar[Permission] = Permission.READ_SEALS
    records: Records
    keys: KeyActivation

    def __call__(self, caller: Caller, command: WhichActivation) -> ActivationState:
        """As it is now."""
        with self.records.read() as transaction:
            seal = transaction.seals.find(command.seal_code)
            if seal is None or not may_see(caller, seal):
                raise SealNotFound
            record = transaction.activations.find(seal.code)
        credential = seal.signing_credential()
        if record is None or record.version != seal.version or credential is None:
            return ActivationState(record=None, activation=None)
        return ActivationState(record=record, activation=self.keys.status(credential.key_reference))


def kept_here(seal: Seal) -> Credential:
    """The seal's credential, if the service keeps its key; else Conflict."""
    credential = seal.signing_credential()
    if credential is None or credential.custody is not Custody.SERVER:
        raise Conflict("The seal's key is on its unit's medium (分散式): the medium's own PIN activates it")
    return credential

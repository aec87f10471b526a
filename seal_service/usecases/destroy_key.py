"""密钥销毁: a private key that nothing needs any more is removed for good; certificates and log stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import KeyInUse
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.key_use import KeyUse, reasons_to_keep
from seal_service.ports.crypto import KeyFacts, KeyStore
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock
from seal_service.usecases.facts import credential_facts, seal_facts
from seal_service.usecases.key_uses import uses_of_keys
from seal_service.usecases.list_keys import ListedKey, listed_key


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyKey:
    """密钥销毁 as asked for."""

    reference: str
    confirmed: bool = False
    """Without it nothing is changed: the answer tells which key it would be."""


@dataclass(frozen=True)
class DestroyKeyUseCase:
    """密钥销毁. Raises KeyNotFound; KeyInUse with every reason why the key is still needed; Conflict for a seal's key
    in a token of its own that its keeper has taken, and which so is destroyed with the token.

    The entry is written before the key is removed: were it the other way round, a key could vanish without one. What
    was interrupted in between is asked for again. A use that is being sealed with the key loses nothing that it could
    have kept: keys of seals go only when the seal can no longer be applied with them, and then completing a use is
    refused as well (its epoch, its seal's state).
    """

    permission: ClassVar[Permission] = Permission.MANAGE_KEYS
    records: Records
    log: SigningLog
    keys: KeyStore
    clock: Clock

    def __call__(self, caller: Caller, command: DestroyKey) -> ListedKey:
        """The key that is or would be gone."""
        facts = KeyFacts(reference=command.reference, place=self.keys.place(command.reference))
        with self.records.read() as transaction:
            use, now = self._use(transaction, command.reference)
        self.keys.require_destroyable(command.reference)
        if not command.confirmed:
            return listed_key(facts, use, now)
        with self.records.write() as transaction:
            for seal in transaction.seals.of_keys([command.reference]).values():
                transaction.seals.lock(seal.code)
            use, now = self._use(transaction, command.reference)
            self.log.append(transaction, act_of(caller, _event(transaction, facts, use)))
            transaction.commit()
        self.keys.destroy(command.reference)
        return listed_key(facts, use, now)

    def _use(self, transaction: Transaction, reference: str) -> tuple[KeyUse, datetime]:
        """What names the key; KeyInUse when that still needs it."""
        now = self.clock.now()
        use = uses_of_keys(transaction, [reference], now)[reference]
        reasons = reasons_to_keep(use, now)
        if reasons:
            raise KeyInUse(f"The key {reference} is still needed. {'. '.join(reasons)}.", reasons=list(reasons))
        return use, now


def _event(transaction: Transaction, key: KeyFacts, use: KeyUse) -> Event:
    facts: dict[str, Scalar] = {"key_reference": key.reference, "place": key.place.value}
    if use.authority is not None:
        own = use.authority.credential
        facts |= {"role": own.role.value, "generation": own.version}
    if use.seal is None or use.credential is None:
        return Event(kind=EventKind.KEY_DESTROYED, facts=facts)
    unit = transaction.units.get(use.seal.unit_id)
    facts = seal_facts(use.seal, unit) | credential_facts(use.credential) | facts | {"version": use.credential.version}
    return Event(kind=EventKind.KEY_DESTROYED, seal_code=use.seal.code, unit_id=unit.id, facts=facts)

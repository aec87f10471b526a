"""印章续期: within the last 90 days of the certificate a new version is made (article 16)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain import identifiers
from seal_service.domain.access import Caller, Permission
from seal_service.domain.algorithms import Suite
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.lifecycle import Action, next_state
from seal_service.domain.seal import Seal
from seal_service.ports.crypto import CertificateAuthority, KeyStore
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.facts import lock_own_seal, seal_facts
from seal_service.usecases.fresh_key import fresh_key
from seal_service.usecases.make_seal import credential_of, subject_of
from seal_service.usecases.requests import made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewSeal:
    """续期 as asked for."""

    seal_code: str
    suite: Suite | None = None
    """None: that of the version before."""
    idempotency_key: str | None = None


@dataclass(frozen=True)
class RenewSealUseCase:
    """续期: new key and certificate under the same code; the old certificate is not revoked.

    Raises SealNotFound, RenewalNotPossible with the window, TransitionRefused.
    """

    permission: ClassVar[Permission] = Permission.RENEW_SEAL
    records: Records
    log: SigningLog
    keys: KeyStore
    authority: CertificateAuthority
    clock: Clock
    entropy: Entropy

    def __call__(self, caller: Caller, command: RenewSeal) -> Seal:
        """The seal in its new version."""
        with self.records.read() as transaction:
            if made_earlier(transaction, caller, command) is not None:
                return lock_own_seal(transaction, caller, command.seal_code)
            seal = lock_own_seal(transaction, caller, command.seal_code)
        next_state(seal, Action.RENEW, self.clock.now())
        before = seal.signing_credential()
        suite = command.suite or (before.suite if before else Suite.ECDSA_P256)
        key_reference = f"seal-{identifiers.uuid7(self.clock.now(), self.entropy.token(10))}"
        with fresh_key(self.records, self.keys, key_reference, suite) as public, self.records.write() as transaction:
            if made_earlier(transaction, caller, command) is not None:
                return lock_own_seal(transaction, caller, command.seal_code)
            renewed = self._renew(transaction, caller, command, suite, key_reference, public)
            transaction.commit()
        return renewed

    def _renew(
        self,
        transaction: Transaction,
        caller: Caller,
        command: RenewSeal,
        suite: Suite,
        key_reference: str,
        public_key_info: bytes,
    ) -> Seal:
        now = self.clock.now()
        seal = lock_own_seal(transaction, caller, command.seal_code)
        state = next_state(seal, Action.RENEW, now)
        unit = transaction.units.get(seal.unit_id)
        issued = self.authority.issue(transaction, subject_of(unit, seal.code), public_key_info, now)
        version = seal.version + 1
        renewed = replace(
            seal,
            state=state,
            version=version,
            epoch=seal.epoch + 1,
            credentials=(*seal.credentials, credential_of(issued, key_reference, suite, version)),
        )
        transaction.seals.replace(renewed)
        event = Event(
            kind=EventKind.SEAL_RENEWED, seal_code=seal.code, unit_id=unit.id, facts=seal_facts(renewed, unit)
        )
        self.log.append(transaction, act_of(caller, event))
        remember(transaction, caller, command, seal.code, now)
        return renewed

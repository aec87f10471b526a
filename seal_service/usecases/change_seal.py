"""变更: an approved change becomes the seal's next version, with a new key and certificate (article 23)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from seal_service.domain import identifiers
from seal_service.domain.access import Caller, Permission
from seal_service.domain.algorithms import Suite
from seal_service.domain.application import Application, ApplicationKind, ApplicationState
from seal_service.domain.errors import AlreadyDecided, Conflict, InvalidInput
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.lifecycle import Action, next_state
from seal_service.domain.organization import Unit
from seal_service.domain.seal import Custody, Seal
from seal_service.ports.crypto import CertificateAuthority, KeyStore
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.apply_for_change import changes, require_keeper
from seal_service.usecases.certified_seal import credential_of, subject_of
from seal_service.usecases.facts import lock_own_seal, seal_facts
from seal_service.usecases.fresh_key import fresh_key
from seal_service.usecases.notify import NOBODY, Notify
from seal_service.usecases.requests import made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSeal:
    """变更 as decided."""

    seal_code: str
    application_id: str
    suite: Suite | None = None
    """None: that of the version before."""
    idempotency_key: str | None = None


@dataclass(frozen=True)
class ChangeSealUseCase:
    """变更 by the making office. The certificates of earlier versions are superseded; what they sealed stays valid.

    Raises ApplicationNotFound, AlreadyDecided (not approved, or done), SealNotFound, TransitionRefused, InvalidInput
    (an application for another seal), Conflict (the key is not here, or an outside authority certifies seals).
    """

    permission: ClassVar[Permission] = Permission.CHANGE_SEAL
    records: Records
    log: SigningLog
    keys: KeyStore
    authority: CertificateAuthority
    clock: Clock
    entropy: Entropy
    certified_here: bool = True
    notify: Notify = NOBODY

    def __call__(self, caller: Caller, command: ChangeSeal) -> Seal:
        """The seal in its new version."""
        with self.records.read() as transaction:
            if made_earlier(transaction, caller, command) is not None:
                return lock_own_seal(transaction, caller, command.seal_code)
            _, seal = self._due(transaction, caller, command)
        before = seal.signing_credential()
        suite = command.suite or (before.suite if before else Suite.ECDSA_P256)
        key_reference = f"seal-{identifiers.uuid7(self.clock.now(), self.entropy.token(10))}"
        with fresh_key(self.records, self.keys, key_reference, suite) as public, self.records.write() as transaction:
            if made_earlier(transaction, caller, command) is not None:
                return lock_own_seal(transaction, caller, command.seal_code)
            now = self.clock.now()
            application, seal = self._due(transaction, caller, command)
            unit = transaction.units.get(seal.unit_id)
            issued = self.authority.issue(transaction, subject_of(unit, seal.code), public, now)
            credential = credential_of(issued, key_reference, suite, seal.version + 1)
            changed = replace(
                seal,
                state=next_state(seal, Action.CHANGE, now),
                seal_type=application.seal_type,
                impression=application.impression,
                keeper_id=application.keeper_id or seal.keeper_id,
                version=credential.version,
                epoch=seal.epoch + 1,
                credentials=(*seal.credentials, credential),
            )
            self._write(transaction, caller, application, (seal, changed), unit, now)
            remember(transaction, caller, command, seal.code, now)
            transaction.commit()
        return changed

    def _due(self, transaction: Transaction, caller: Caller, command: ChangeSeal) -> tuple[Application, Seal]:
        application = transaction.applications.lock(command.application_id)
        if application.kind is not ApplicationKind.CHANGE or application.changes_seal_code != command.seal_code:
            raise InvalidInput("The application is not for a change of this seal", field="application_id")
        if application.state is not ApplicationState.APPROVED:
            told = f"Only an approved change is made (article 14); this one is {application.state.value}"
            raise AlreadyDecided(told, state=application.state.value)
        seal = lock_own_seal(transaction, caller, command.seal_code)
        next_state(seal, Action.CHANGE, self.clock.now())
        before = seal.signing_credential()
        if not self.certified_here or (before is not None and before.custody is Custody.TOKEN):
            raise Conflict(
                "The seal's key is kept by its unit, or an outside authority certifies seals: "
                "cancel the seal and apply for a new one that names it"
            )
        if application.keeper_id is not None:
            require_keeper(transaction, application.keeper_id, transaction.units.get(seal.unit_id))
        return application, seal

    def _write(
        self,
        transaction: Transaction,
        caller: Caller,
        application: Application,
        versions: tuple[Seal, Seal],
        unit: Unit,
        now: datetime,
    ) -> None:
        seal, changed = versions
        differences = changes(application, seal, unit)
        transaction.seals.replace(changed)
        for one in seal.credentials:
            self.authority.revoke(transaction, one.serial, now, "superseded")
        done = replace(application, state=ApplicationState.MADE, seal_code=seal.code)
        transaction.applications.replace(done)
        facts: dict[str, Scalar] = {
            **seal_facts(changed, unit),
            "application_id": application.id,
            "changes": differences,
            "keeper_id": changed.keeper_id,
            "superseded_certificates": tuple(one.serial for one in seal.current),
        }
        if application.channel_unit_id is not None:
            transaction.units.replace(replace(unit, channel_unit_id=_channel(application.channel_unit_id, unit)))
            facts["channel_unit_id"] = application.channel_unit_id
        event = Event(kind=EventKind.SEAL_CHANGED, seal_code=seal.code, unit_id=unit.id, facts=facts)
        logged = self.log.append(transaction, act_of(caller, event))
        self.notify.of_seal(transaction, logged, changed, unit, ", ".join(differences), now)


def _channel(unit_id: str, unit: Unit) -> str | None:
    return None if unit_id == unit.id else unit_id

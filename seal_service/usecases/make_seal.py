"""制章: an approved application becomes a seal (articles 14–16)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain import identifiers
from seal_service.domain.access import Caller, Permission
from seal_service.domain.algorithms import Suite
from seal_service.domain.application import Application, ApplicationState
from seal_service.domain.errors import AlreadyDecided, InvalidInput
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.issuance import CertificateSubject, IssuedCertificate
from seal_service.domain.lifecycle import TRANSITIONS, Action
from seal_service.domain.organization import Unit
from seal_service.domain.seal import Credential, CredentialPurpose, Custody, Seal, SealState
from seal_service.ports.crypto import CertificateAuthority, KeyStore
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.facts import seal_facts
from seal_service.usecases.fresh_key import fresh_key
from seal_service.usecases.requests import made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeSeal:
    """制章 as asked for."""

    application_id: str
    suite: Suite | None = None
    """None: the instance's default."""
    seal_code: str | None = None
    """A code that the province issued; None: the next of the area's sequence."""
    idempotency_key: str | None = None


def subject_of(unit: Unit, seal_code: str) -> CertificateSubject:
    """C=CN, O=统一社会信用代码+单位名称, CN=印章编码."""
    return CertificateSubject(organization=unit.credit_code + unit.name, common_name=seal_code)


def credential_of(issued: IssuedCertificate, key_reference: str, suite: Suite, version: int) -> Credential:
    """The server-held signing credential that a certificate and its key make."""
    return Credential(
        id=key_reference,
        version=version,
        suite=suite,
        purpose=CredentialPurpose.SIGNING,
        custody=Custody.SERVER,
        key_reference=key_reference,
        certificate=issued.certificate,
        serial=issued.serial,
        not_before=issued.not_before,
        not_after=issued.not_after,
    )


@dataclass(frozen=True)
class MakeSealUseCase:
    """制章 by the making office.

    Raises ApplicationNotFound, AlreadyDecided (not approved, or made),
    InvalidSealCode, InvalidInput (another area's code), AlreadyRegistered (code taken).
    """

    permission: ClassVar[Permission] = Permission.MAKE_SEAL
    records: Records
    log: SigningLog
    keys: KeyStore
    authority: CertificateAuthority
    clock: Clock
    entropy: Entropy
    default_suite: Suite

    def __call__(self, caller: Caller, command: MakeSeal) -> Seal:
        """The seal, active."""
        with self.records.read() as transaction:
            earlier = made_earlier(transaction, caller, command)
            if earlier is not None:
                return transaction.seals.lock(earlier)
            _require_approved(transaction.applications.lock(command.application_id))
        suite = command.suite or self.default_suite
        key_reference = f"seal-{identifiers.uuid7(self.clock.now(), self.entropy.token(10))}"
        with fresh_key(self.records, self.keys, key_reference, suite) as public, self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, command)
            if earlier is not None:
                return transaction.seals.lock(earlier)
            made = self._make(transaction, caller, command, suite, key_reference, public)
            transaction.commit()
        return made

    def _make(
        self,
        transaction: Transaction,
        caller: Caller,
        command: MakeSeal,
        suite: Suite,
        key_reference: str,
        public_key_info: bytes,
    ) -> Seal:
        now = self.clock.now()
        application = transaction.applications.lock(command.application_id)
        _require_approved(application)
        unit = transaction.units.get(application.unit_id)
        code = _code(transaction, unit, command.seal_code)
        issued = self.authority.issue(transaction, subject_of(unit, code), public_key_info, now)
        # The certificate is here, so the seal is active at once; it stays `made` where a CA answers later.
        seal = Seal(
            code=code,
            name=application.seal_name,
            seal_type=application.seal_type,
            unit_id=unit.id,
            application_id=application.id,
            impression=application.impression,
            state=TRANSITIONS[SealState.MADE, Action.ACTIVATE],
            version=1,
            epoch=1,
            credentials=(credential_of(issued, key_reference, suite, 1),),
            made_at=now,
            replaces_seal_code=application.replaces_seal_code,
        )
        transaction.seals.add(seal)
        transaction.applications.replace(replace(application, state=ApplicationState.MADE, seal_code=code))
        facts = {
            **seal_facts(seal, unit),
            "application_id": application.id,
            "replaces_seal_code": seal.replaces_seal_code,
        }
        for kind in (EventKind.SEAL_MADE, EventKind.SEAL_ACTIVATED):
            event = Event(kind=kind, seal_code=code, unit_id=unit.id, facts=facts)
            self.log.append(transaction, act_of(caller, event))
        remember(transaction, caller, command, code, now)
        return seal


def _require_approved(application: Application) -> None:
    if application.state is not ApplicationState.APPROVED:
        raise AlreadyDecided(
            f"Only an approved application becomes a seal (article 14); this one is {application.state.value}",
            state=application.state.value,
        )


def _code(transaction: Transaction, unit: Unit, given: str | None) -> str:
    if given is None:
        while True:
            code = identifiers.seal_code_of(unit.area_code, transaction.seals.next_serial(unit.area_code))
            if transaction.seals.find(code) is None:  # a code that the province issued may stand in the way
                return code
    code = identifiers.seal_code(given)
    if not code.startswith(unit.area_code):
        raise InvalidInput(f"The code's area is not the unit's ({unit.area_code})", field="seal_code")
    return code

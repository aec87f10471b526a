"""第二因素登记: what a person proves to hold beside the password; enrolled, confirmed and removed by its owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import (
    AlreadyRegistered,
    FactorProofRefused,
    InvalidInput,
    LastSecondFactor,
    SecondFactorNotFound,
)
from seal_service.domain.events import Event, EventKind, Scalar, act_of
from seal_service.domain.identifiers import uuid7
from seal_service.domain.second_factor import (
    CONFIRMATION,
    MOST_FACTORS,
    FactorKind,
    FactorRule,
    SecondFactor,
    first_new_counter,
)
from seal_service.ports.people import OneTimeCodes, PersonCertificates
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy, Vault
from seal_service.usecases.pass_second_factor import secret_context
from seal_service.usecases.sessions import own_account, own_session
from seal_service.usecases.signing_in import TOKEN_BYTES, message_to_sign

_PURPOSE = "enrolment"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolFactor:
    """第二因素登记 as asked for."""

    kind: FactorKind
    certificate: bytes | None = None
    """Of a UKey."""
    presented_certificate: bytes | None = None
    """Of the client's TLS connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """The factor, and what its proof needs; shown this once."""

    factor: SecondFactor
    address: str | None = None
    """`otpauth://…` of a TOTP key."""
    to_sign: bytes | None = None
    """What the UKey signs."""


@dataclass(frozen=True)
class EnrolFactorUseCase:
    """第二因素登记. A client certificate is proven by the connection itself; the others wait for their proof.

    Raises SessionNotFound, InvalidInput (a kind that does not count here, no certificate, too many),
    CertificateRefused, KeyFamilyUnsupported, AlreadyRegistered.
    """

    permission: ClassVar[Permission] = Permission.OWN_FACTORS
    records: Records
    log: SigningLog
    clock: Clock
    entropy: Entropy
    vault: Vault
    codes: OneTimeCodes
    certificates: PersonCertificates
    rule: FactorRule
    origin: str

    def __call__(self, caller: Caller, command: EnrolFactor) -> Enrolment:
        """The factor with what its proof needs."""
        if command.kind not in self.rule.accepted:
            raise InvalidInput(f"A second factor of the kind {command.kind.value} does not count here", field="kind")
        now = self.clock.now()
        factor_id = uuid7(now, self.entropy.token(10))
        secret = self.entropy.token(TOKEN_BYTES) if command.kind is not FactorKind.CERTIFICATE else None
        certificate = self._certificate(command)
        judged = None if certificate is None else self.certificates.judged(certificate)
        factor = SecondFactor(
            id=factor_id,
            account_id=caller.identity,
            kind=command.kind,
            secret=None if secret is None else self.vault.encrypt(secret, secret_context(factor_id)),
            certificate=certificate,
            certificate_sha256=None if judged is None else judged.sha256,
            enrolled_at=now,
            confirmed_at=now if command.kind is FactorKind.CERTIFICATE else None,
        )
        with self.records.write() as transaction:
            transaction.logins.lock(caller.identity)
            account = own_account(transaction, caller)
            _give_up_waiting(transaction, caller, now)
            if sum(one.disabled_at is None for one in transaction.factors.of_account(account.id)) >= MOST_FACTORS:
                raise InvalidInput(f"A person has at most {MOST_FACTORS} second factors", field="kind")
            try:
                transaction.factors.add(factor)
            except AlreadyRegistered as error:
                raise AlreadyRegistered("The certificate is somebody's second factor already") from error
            if factor.usable:
                enrolled(self.log, transaction, caller, factor)
            transaction.commit()
        return Enrolment(
            factor=factor,
            address=self.codes.address(secret, account.name) if secret and command.kind is FactorKind.TOTP else None,
            to_sign=_to_sign(self.origin, factor, secret) if secret and command.kind is FactorKind.UKEY else None,
        )

    def _certificate(self, command: EnrolFactor) -> bytes | None:
        if command.kind is FactorKind.TOTP:
            return None
        given = command.certificate if command.kind is FactorKind.UKEY else command.presented_certificate
        if given is None:
            raise InvalidInput("No certificate was presented", field="certificate")
        return given


def _to_sign(origin: str, factor: SecondFactor, nonce: bytes) -> bytes:
    return message_to_sign(f"{_PURPOSE} {factor.id}", origin, factor.account_id, nonce)


def _give_up_waiting(transaction: Transaction, caller: Caller, now: datetime) -> None:
    """Enrolments that nobody proved in time are no longer there: their certificates may be given again."""
    own_session(transaction, caller)
    for one in transaction.factors.of_account(caller.identity):
        if one.confirmed_at is None and one.disabled_at is None and now >= one.enrolled_at + CONFIRMATION:
            transaction.factors.replace(replace(one, disabled_at=now, certificate_sha256=None, secret=None))


def enrolled(log: SigningLog, transaction: Transaction, caller: Caller, factor: SecondFactor) -> None:
    """Enter that a factor counts from now on; the session in which it was proven has passed it."""
    facts: dict[str, Scalar] = {
        "factor_id": factor.id,
        "factor_kind": factor.kind.value,
        "certificate_sha256": factor.certificate_sha256,
    }
    log.append(transaction, act_of(caller, Event(kind=EventKind.FACTOR_ENROLLED, unit_id=caller.unit_id, facts=facts)))
    session = own_session(transaction, caller)
    transaction.sessions.replace(replace(session, factor=factor.kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmFactor:
    """The proof of an enrolled factor: its first code, or the UKey's signature."""

    factor_id: str
    code: str | None = None
    signature: bytes | None = None


@dataclass(frozen=True)
class ConfirmFactorUseCase:
    """第二因素确认. Raises SecondFactorNotFound, FactorProofRefused, SessionNotFound."""

    permission: ClassVar[Permission] = Permission.OWN_FACTORS
    records: Records
    log: SigningLog
    clock: Clock
    vault: Vault
    codes: OneTimeCodes
    certificates: PersonCertificates
    origin: str

    def __call__(self, caller: Caller, command: ConfirmFactor) -> SecondFactor:
        """The factor, which counts from now on."""
        now = self.clock.now()
        with self.records.write() as transaction:
            transaction.logins.lock(caller.identity)
            own_session(transaction, caller)
            factor = _own(transaction, caller, command.factor_id)
            if factor.confirmed_at is not None:
                return factor
            if now >= factor.enrolled_at + CONFIRMATION:
                raise FactorProofRefused("The enrolment waited too long for its proof: begin again")
            secret = self.vault.decrypt(factor.secret or b"", secret_context(factor.id))
            proven = replace(factor, confirmed_at=now)
            if factor.kind is FactorKind.TOTP:
                counter = first_new_counter(self.codes.counters(secret, command.code or "", now), None)
                if counter is None:
                    raise FactorProofRefused
                proven = replace(proven, last_counter=counter)
            else:
                message = _to_sign(self.origin, factor, secret)
                if not self.certificates.is_signed(factor.certificate or b"", message, command.signature or b""):
                    raise FactorProofRefused
                proven = replace(proven, secret=None)
            transaction.factors.replace(proven)
            enrolled(self.log, transaction, caller, proven)
            transaction.commit()
        return proven


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFactors:
    """Nothing to say: the caller's own."""


@dataclass(frozen=True)
class ListFactorsUseCase:
    """第二因素列表, without what was removed or never proven. Raises SessionNotFound."""

    permission: ClassVar[Permission] = Permission.OWN_FACTORS
    records: Records

    def __call__(self, caller: Caller, _command: ListFactors) -> Sequence[SecondFactor]:
        """By time of enrolment."""
        with self.records.read() as transaction:
            own_session(transaction, caller)
            return [one for one in transaction.factors.of_account(caller.identity) if one.usable]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveFactor:
    """第二因素移除 as asked for."""

    factor_id: str


@dataclass(frozen=True)
class RemoveFactorUseCase:
    """第二因素移除. Raises SecondFactorNotFound, LastSecondFactor where one is required, SessionNotFound."""

    permission: ClassVar[Permission] = Permission.OWN_FACTORS
    records: Records
    log: SigningLog
    clock: Clock
    rule: FactorRule

    def __call__(self, caller: Caller, command: RemoveFactor) -> None:
        """Removed; what it was stays on record, its secret does not."""
        with self.records.write() as transaction:
            transaction.logins.lock(caller.identity)
            own_session(transaction, caller)
            factor = _own(transaction, caller, command.factor_id)
            others = [one for one in transaction.factors.of_account(caller.identity) if one.id != factor.id]
            counting = [one for one in others if one.usable and one.kind in self.rule.accepted]
            if self.rule.required and not counting and factor.usable:
                raise LastSecondFactor
            transaction.factors.replace(
                replace(factor, disabled_at=self.clock.now(), certificate_sha256=None, secret=None)
            )
            facts: dict[str, Scalar] = {"factor_id": factor.id, "factor_kind": factor.kind.value}
            event = Event(kind=EventKind.FACTOR_REMOVED, unit_id=caller.unit_id, facts=facts)
            self.log.append(transaction, act_of(caller, event))
            transaction.commit()


def _own(transaction: Transaction, caller: Caller, factor_id: str) -> SecondFactor:
    for one in transaction.factors.of_account(caller.identity):
        if one.id == factor_id and one.disabled_at is None:
            return one
    raise SecondFactorNotFound

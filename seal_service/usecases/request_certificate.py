"""证书申请: a key is made and a certificate asked of an outside authority for it (article 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain import identifiers
from seal_service.domain.access import Caller, Permission
from seal_service.domain.algorithms import Suite
from seal_service.domain.certification import CertificateRequest, CertificateRequestState
from seal_service.domain.errors import Conflict, InvalidInput
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.organization import Unit
from seal_service.ports.crypto import CertificateAuthority, CertificateRequestWriter, KeyStore
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock, Entropy
from seal_service.usecases.certified_seal import require_approved, require_renewable, seal_code_for, subject_of
from seal_service.usecases.facts import lock_own_seal
from seal_service.usecases.fresh_key import fresh_key
from seal_service.usecases.requests import Repeatable, made_earlier, remember


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCertificate:
    """证书申请 for an approved application's seal, or for a seal to be renewed."""

    application_id: str | None = None
    seal_code: str | None = None
    """With an application a code that the province issued (None: the next), else the seal to be renewed."""
    suite: Suite | None = None
    """None: the instance's default, or that of the version before."""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class _Plan:
    unit: Unit
    suite: Suite
    renewed_code: str | None
    renewed: bytes | None
    """The certificate to be renewed, if an outside authority issued it."""


@dataclass(frozen=True)
class RequestCertificateUseCase:
    """证书申请: one at a time for an application or a seal.

    Raises ApplicationNotFound, AlreadyDecided, SealNotFound, RenewalNotPossible, TransitionRefused, Conflict (there is
    a pending one, or the key is not here), InvalidSealCode, AlreadyRegistered (code taken), InvalidInput.
    """

    permission: ClassVar[Permission] = Permission.MAKE_SEAL
    records: Records
    log: SigningLog
    keys: KeyStore
    writer: CertificateRequestWriter
    authority: CertificateAuthority
    clock: Clock
    entropy: Entropy
    default_suite: Suite
    from_outside: bool
    """Whether seals are certified by an outside authority at all."""

    def __call__(self, caller: Caller, command: RequestCertificate) -> CertificateRequest:
        """The request, pending; for the same idempotency key as it is now."""
        return self.open(caller, command, command)

    def open(self, caller: Caller, command: RequestCertificate, remembered: Repeatable) -> CertificateRequest:
        """The same for a command of which this is a part: its idempotency key comes to stand for the request."""
        if not self.from_outside:
            raise InvalidInput(
                "Seals are certified by this instance's own authority: set SEAL_CERTIFICATE_SOURCE to request or est",
                field="certificate_source",
            )
        with self.records.read() as transaction:
            earlier = made_earlier(transaction, caller, remembered)
            if earlier is not None:
                return transaction.certificate_requests.lock(earlier)
            suite = self._plan(transaction, caller, command).suite
        request_id = identifiers.uuid7(self.clock.now(), self.entropy.token(10))
        key_reference = f"seal-{identifiers.uuid7(self.clock.now(), self.entropy.token(10))}"
        with fresh_key(self.records, self.keys, key_reference, suite), self.records.write() as transaction:
            earlier = made_earlier(transaction, caller, remembered)
            if earlier is not None:
                return transaction.certificate_requests.lock(earlier)
            now = self.clock.now()
            plan = self._plan(transaction, caller, command)
            code = plan.renewed_code or seal_code_for(transaction, plan.unit, command.seal_code)
            request = CertificateRequest(
                id=request_id,
                seal_code=code,
                application_id=command.application_id,
                suite=suite,
                key_reference=key_reference,
                request=self.writer.write(key_reference, subject_of(plan.unit, code), plan.renewed),
                state=CertificateRequestState.PENDING,
                requested_by=caller.identity,
                requested_at=now,
            )
            transaction.certificate_requests.add(request)
            facts = request_facts(request, plan.unit)
            event = Event(kind=EventKind.CERTIFICATE_REQUESTED, seal_code=code, unit_id=plan.unit.id, facts=facts)
            self.log.append(transaction, act_of(caller, event))
            remember(transaction, caller, remembered, request.id, now)
            transaction.commit()
        return request

    def _plan(self, transaction: Transaction, caller: Caller, command: RequestCertificate) -> _Plan:
        pending = CertificateRequestState.PENDING
        if command.application_id is not None:
            application = transaction.applications.lock(command.application_id)
            require_approved(application)
            _require_none(transaction.certificate_requests.chosen(pending, application_id=application.id, limit=1))
            unit = transaction.units.get(application.unit_id)
            if command.seal_code is not None and transaction.seals.find(command.seal_code) is not None:
                raise Conflict("There is a seal with this code already", seal_code=command.seal_code)
            return _Plan(unit, command.suite or self.default_suite, None, None)
        if command.seal_code is None:
            raise InvalidInput("Name an application or a seal to be renewed", field="application_id")
        seal = lock_own_seal(transaction, caller, command.seal_code)
        require_renewable(seal, self.clock.now())
        _require_none(transaction.certificate_requests.chosen(pending, seal_code=seal.code, limit=1))
        before = seal.signing_credential()
        suite = command.suite or (before.suite if before else self.default_suite)
        outside = before is not None and not self.authority.has_issued(transaction, before.certificate)
        renewed = before.certificate if before is not None and outside else None
        return _Plan(transaction.units.get(seal.unit_id), suite, seal.code, renewed)


def request_facts(request: CertificateRequest, unit: Unit) -> dict[str, str | None]:
    """证书申请 as the log has it."""
    return {
        "certificate_request_id": request.id,
        "application_id": request.application_id,
        "suite": request.suite.value,
        "unit_credit_code": unit.credit_code,
        "unit_name": unit.name,
        "area_code": unit.area_code,
    }


def _require_none(pending: Sequence[CertificateRequest]) -> None:
    if pending:
        raise Conflict(
            "There is a pending certificate request for this: hand in its certificate, or withdraw it",
            certificate_request_id=pending[0].id,
        )

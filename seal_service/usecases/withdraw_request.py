"""撤回证书申请: a certificate request ends without a certificate, and its key is destroyed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.certification import CertificateRequest, CertificateRequestState
from seal_service.domain.errors import Conflict
from seal_service.domain.events import Event, EventKind, act_of
from seal_service.domain.organization import Unit
from seal_service.ports.crypto import KeyStore
from seal_service.ports.records import Records, SigningLog, Transaction
from seal_service.ports.system import Clock
from seal_service.usecases.request_certificate import request_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawRequest:
    """Which request."""

    request_id: str


@dataclass(frozen=True)
class WithdrawRequestUseCase:
    """撤回, repeatable. Raises CertificateRequestNotFound, Conflict (its certificate is here)."""

    permission: ClassVar[Permission] = Permission.MAKE_SEAL
    records: Records
    log: SigningLog
    keys: KeyStore
    clock: Clock

    def __call__(self, caller: Caller, command: WithdrawRequest) -> CertificateRequest:
        """The request, withdrawn. Its key goes only when that is certainly written down."""
        with self.records.read() as transaction:
            request = transaction.certificate_requests.lock(command.request_id)
        with self.records.write() as transaction:
            unit = _lock_its_unit(transaction, request)
            request = transaction.certificate_requests.lock(command.request_id)
            if request.state is CertificateRequestState.ISSUED:
                raise Conflict("The request has its certificate: cancel the seal instead", state=request.state.value)
            if request.state is CertificateRequestState.PENDING:
                request = replace(request, state=CertificateRequestState.WITHDRAWN, ended_at=self.clock.now())
                transaction.certificate_requests.replace(request)
                event = Event(
                    kind=EventKind.CERTIFICATE_REQUEST_WITHDRAWN,
                    seal_code=request.seal_code,
                    unit_id=unit.id,
                    facts=request_facts(request, unit),
                )
                self.log.append(transaction, act_of(caller, event))
                transaction.commit()
        self.keys.destroy(request.key_reference)
        return request


def _lock_its_unit(transaction: Transaction, request: CertificateRequest) -> Unit:
    """The unit of what the request is for, which is locked."""
    if request.application_id is not None:
        return transaction.units.get(transaction.applications.lock(request.application_id).unit_id)
    return transaction.units.get(transaction.seals.lock(request.seal_code).unit_id)

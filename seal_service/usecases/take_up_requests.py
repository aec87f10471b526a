"""证书申请续办: pending requests whose authority certifies over the network are taken up again, by maintenance."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

from seal_service.domain.access import Caller, Permission, permitted
from seal_service.domain.certification import CertificateRequest, CertificateRequestState
from seal_service.domain.errors import AuthorityUnavailable, CertificatePending, SealServiceError
from seal_service.ports.records import Records
from seal_service.ports.system import Clock
from seal_service.usecases.fetch_certificate import FetchCertificate, FetchCertificateUseCase

SHORTEST_WAIT = timedelta(minutes=1)
WAIT_AFTER_FAILURE = timedelta(minutes=10)
MOST_AT_ONCE = 50
"""Requests that one run asks for."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeUpRequests:
    """证书申请续办 now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenUp:
    """How many certificates came, and how many requests still wait."""

    issued: int
    waiting: int


@dataclass(frozen=True)
class TakeUpRequestsUseCase:
    """证书申请续办, for who asked for the certificate, as long as that account may.

    Every process keeps to the time that the server asked it to wait, and waits longer after a failure.
    """

    permission: ClassVar[Permission] = Permission.RECONCILE
    records: Records
    fetch: FetchCertificateUseCase
    clock: Clock
    not_before: dict[str, datetime] = field(default_factory=dict)
    """Request → when this process asks again."""

    def __call__(self, _caller: Caller, _command: TakeUpRequests) -> TakenUp:
        """What came of it; failures go to the process's log."""
        if self.fetch.server is None:
            return TakenUp(issued=0, waiting=0)
        now = self.clock.now()
        with self.records.read() as transaction:
            pending = transaction.certificate_requests.chosen(CertificateRequestState.PENDING)
        for gone in set(self.not_before) - {one.id for one in pending}:
            self.not_before.pop(gone, None)
        due = [one for one in pending if self.not_before.get(one.id, now) <= now][:MOST_AT_ONCE]
        issued = 0
        for one in due:
            try:
                issued += self._fetched(one, now)
            except AuthorityUnavailable as error:  # most likely for the others too: they are tried the next time
                _log.warning("certificate request %s: %s", one.id, error.message)
                self.not_before[one.id] = now + WAIT_AFTER_FAILURE
                break
        return TakenUp(issued=issued, waiting=len(pending) - issued)

    def _fetched(self, request: CertificateRequest, now: datetime) -> bool:
        caller = self._requester(request)
        if caller is None:
            self.not_before[request.id] = now + WAIT_AFTER_FAILURE
            return False
        try:
            self.fetch(caller, FetchCertificate(request_id=request.id))
        except CertificatePending as pending:
            seconds = pending.details.get("retry_after_seconds")
            asked = timedelta(seconds=seconds) if isinstance(seconds, int) else SHORTEST_WAIT
            self.not_before[request.id] = now + max(asked, SHORTEST_WAIT)
            return False
        except AuthorityUnavailable:
            raise
        except SealServiceError as error:
            _log.warning("certificate request %s: %s", request.id, error.message)
            self.not_before[request.id] = now + WAIT_AFTER_FAILURE
            return False
        return True

    def _requester(self, request: CertificateRequest) -> Caller | None:
        """Who asked for the certificate, if that account may still make or renew the seal."""
        with self.records.read() as transaction:
            account = transaction.accounts.find(request.requested_by)
        if account is None or account.disabled_at is not None:
            return None
        caller = Caller(account_id=account.id, name=account.name, roles=account.roles, unit_id=account.unit_id)
        needed = Permission.MAKE_SEAL if request.application_id is not None else Permission.RENEW_SEAL
        return caller if permitted(caller, needed) else None

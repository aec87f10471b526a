"""证书申请查询: certificate requests, and the outside certificates that their authorities still have to revoke."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from seal_service.domain.access import Caller, Permission
from seal_service.domain.certification import CertificateRequest, CertificateRequestState, OutsideCertificate
from seal_service.domain.errors import InvalidCursor
from seal_service.domain.issuance import IssuedCertificate
from seal_service.domain.paging import Page, PageRequest
from seal_service.ports.crypto import CertificateAuthority, CertificateCheck
from seal_service.ports.records import Records
from seal_service.ports.system import Clock
from seal_service.usecases.facts import may_see
from seal_service.usecases.read_registers import ReadById

MOST_TO_REVOKE = 100
"""Certificates whose authorities are asked in one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequests:
    """证书申请列表."""

    state: CertificateRequestState | None = None
    seal_code: str | None = None
    page: PageRequest = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCertificatesToRevoke:
    """Of one seal, if it is named."""

    seal_code: str | None = None


@dataclass(frozen=True)
class ListRequestsUseCase:
    """证书申请列表, oldest first. Raises InvalidCursor."""

    permission: ClassVar[Permission] = Permission.MAKE_SEAL
    records: Records

    def __call__(self, _caller: Caller, command: ListRequests) -> Page[CertificateRequest]:
        """A page of requests."""
        limit = command.page.limit
        with self.records.read() as transaction:
            found = transaction.certificate_requests.chosen(
                command.state, seal_code=command.seal_code, after=_after(command.page.cursor), limit=limit + 1
            )
        return Page(items=tuple(found[:limit]), next_cursor=found[limit - 1].id if len(found) > limit else None)


@dataclass(frozen=True)
class ReadRequestUseCase:
    """证书申请. Raises CertificateRequestNotFound."""

    permission: ClassVar[Permission] = Permission.MAKE_SEAL
    records: Records

    def __call__(self, _caller: Caller, command: ReadById) -> CertificateRequest:
        """The request."""
        with self.records.read() as transaction:
            return transaction.certificate_requests.lock(command.id)


@dataclass(frozen=True)
class ListCertificatesToRevokeUseCase:
    """待外部机构吊销: on hold or revoked here, and not so by the outside authority, as far as it can be asked.

    Our registers and verification go by our own records; everyone else goes by that authority's lists.
    """

    permission: ClassVar[Permission] = Permission.READ_SEALS
    records: Records
    authority: CertificateAuthority
    check: CertificateCheck
    clock: Clock

    def __call__(self, caller: Caller, command: ListCertificatesToRevoke) -> tuple[OutsideCertificate, ...]:
        """Within what the caller may see, by serial number; not those that have expired."""
        now = self.clock.now()
        with self.records.read() as transaction:
            found: list[tuple[str, IssuedCertificate]] = []
            named = transaction.seals.find(command.seal_code) if command.seal_code is not None else None
            serials = (
                None if command.seal_code is None else {one.serial for one in (named.credentials if named else ())}
            )
            for one in transaction.certificates.not_good():
                if serials is not None and one.serial not in serials:
                    continue
                if len(found) == MOST_TO_REVOKE:
                    break
                if one.not_after <= now or self.authority.has_issued(transaction, one.certificate):
                    continue
                seal = transaction.seals.by_certificate(one.serial)
                if seal is not None and may_see(caller, seal):
                    found.append((seal.code, one))
        asked = [self._asked(code, one) for code, one in found]
        return tuple(one for one in asked if one.to_revoke)

    def _asked(self, seal_code: str, one: IssuedCertificate) -> OutsideCertificate:
        subject, issuer = self.check.describe(one.certificate)
        return OutsideCertificate(
            seal_code=seal_code,
            serial=one.serial,
            subject=subject,
            issuer=issuer,
            not_after=one.not_after,
            status=one.status,
            status_since=one.status_since,
            reason=one.reason,
            revoked_by_issuer=self.check.is_revoked(one.certificate),
        )


def _after(cursor: str | None) -> str | None:
    if cursor is None:
        return None
    try:
        return str(UUID(cursor))
    except ValueError:
        raise InvalidCursor from None

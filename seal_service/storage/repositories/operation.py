"""证书申请、信任锚、观测."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from seal_service.domain.algorithms import Suite
from seal_service.domain.certification import CertificateRequest, CertificateRequestState
from seal_service.domain.errors import AlreadyRegistered, CertificateRequestNotFound, TrustAnchorNotFound
from seal_service.domain.trust import TrustedCertificate
from seal_service.ports.records import Observation
from seal_service.storage.locking import locked
from seal_service.storage.refusals import unique
from seal_service.storage.tables import CertificateRequestRow, ObservationRow, TrustedCertificateRow
from seal_service.storage.upsert import upsert

_REQUEST = locked(select(CertificateRequestRow).where(CertificateRequestRow.id == bindparam("request_id")))

_TRUSTED = locked(select(TrustedCertificateRow).where(TrustedCertificateRow.id == bindparam("trusted_id")))


@dataclass(frozen=True, slots=True)
class SqlCertificateRequests:
    """证书申请."""

    connection: Connection

    def add(self, request: CertificateRequest) -> None:
        """Insert; AlreadyRegistered."""
        with unique(AlreadyRegistered):
            self.connection.execute(insert(CertificateRequestRow), _request_values(request))

    def lock(self, request_id: str) -> CertificateRequest:
        """Read, locked; CertificateRequestNotFound."""
        row = _REQUEST.on(self.connection).one(self.connection, request_id=request_id)
        if row is None:
            raise CertificateRequestNotFound(request_id=request_id)
        return _request_of(row)

    def replace(self, request: CertificateRequest) -> None:
        """Write the present form; CertificateRequestNotFound."""
        changed = update(CertificateRequestRow).where(CertificateRequestRow.id == request.id)
        if self.connection.execute(changed, _request_values(request)).rowcount == 0:
            raise CertificateRequestNotFound(request_id=request.id)

    def chosen(
        self,
        state: CertificateRequestState | None = None,
        *,
        seal_code: str | None = None,
        application_id: str | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> Sequence[CertificateRequest]:
        """Requests in a state, of a seal and of an application, oldest first, after an id."""
        row = CertificateRequestRow
        wanted = select(row).order_by(row.id).limit(limit)
        if state is not None:
            wanted = wanted.where(row.state == state.value)
        if seal_code is not None:
            wanted = wanted.where(row.seal_code == seal_code)
        if application_id is not None:
            wanted = wanted.where(row.application_id == application_id)
        if after is not None:
            wanted = wanted.where(row.id > after)
        return [_request_of(one) for one in self.connection.execute(wanted)]

    def names_key(self, key_reference: str) -> bool:
        """Whether any request names this key."""
        named = select(CertificateRequestRow.id).where(CertificateRequestRow.key_reference == key_reference).limit(1)
        return self.connection.scalar(named) is not None


@dataclass(frozen=True, slots=True)
class SqlTrust:
    """信任锚."""

    connection: Connection

    def add(self, trusted: TrustedCertificate) -> None:
        """Insert, or enter again what was removed; AlreadyRegistered when it is there."""
        row = TrustedCertificateRow
        again = update(row).where(row.id == trusted.id, row.removed_at.is_not(None))
        if self.connection.execute(again, _trusted_values(trusted)).rowcount == 0:
            with unique(AlreadyRegistered):
                self.connection.execute(insert(row), _trusted_values(trusted))

    def lock(self, trusted_id: str) -> TrustedCertificate:
        """Read, locked; TrustAnchorNotFound."""
        row = _TRUSTED.on(self.connection).one(self.connection, trusted_id=trusted_id)
        if row is None:
            raise TrustAnchorNotFound(trusted_id=trusted_id)
        return _trusted_of(row)

    def replace(self, trusted: TrustedCertificate) -> None:
        """Write the present form; TrustAnchorNotFound."""
        changed = update(TrustedCertificateRow).where(TrustedCertificateRow.id == trusted.id)
        if self.connection.execute(changed, _trusted_values(trusted)).rowcount == 0:
            raise TrustAnchorNotFound(trusted_id=trusted.id)

    def all(self) -> Sequence[TrustedCertificate]:
        """All that are not removed, by time of entry."""
        row = TrustedCertificateRow
        wanted = select(row).where(row.removed_at.is_(None)).order_by(row.added_at, row.id)
        return [_trusted_of(one) for one in self.connection.execute(wanted)]


@dataclass(frozen=True, slots=True)
class SqlObservations:
    """观测."""

    connection: Connection

    def put(self, observation: Observation) -> None:
        """Write it in the place of the last one of its name."""
        values = {"at": observation.at, "well": observation.well, "detail": observation.detail}
        first = upsert(self.connection, ObservationRow).values(name=observation.name, **values)
        self.connection.execute(first.on_conflict_do_update(index_elements=["name"], set_=values))

    def all(self) -> Sequence[Observation]:
        """All, by name."""
        found = self.connection.execute(select(ObservationRow).order_by(ObservationRow.name))
        return [Observation(name=one.name, at=one.at, well=one.well, detail=one.detail) for one in found]


def _request_values(request: CertificateRequest) -> dict[str, object]:
    return {
        "id": request.id,
        "seal_code": request.seal_code,
        "application_id": request.application_id,
        "suite": request.suite.value,
        "key_reference": request.key_reference,
        "request": request.request,
        "state": request.state.value,
        "requested_by": request.requested_by,
        "requested_at": request.requested_at,
        "ended_at": request.ended_at,
        "certificate_serial": request.certificate_serial,
    }


def _request_of(row: Row[Any]) -> CertificateRequest:
    return CertificateRequest(
        id=row.id,
        seal_code=row.seal_code,
        application_id=row.application_id,
        suite=Suite(row.suite),
        key_reference=row.key_reference,
        request=row.request,
        state=CertificateRequestState(row.state),
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        ended_at=row.ended_at,
        certificate_serial=row.certificate_serial,
    )


def _trusted_values(trusted: TrustedCertificate) -> dict[str, object]:
    return {
        "id": trusted.id,
        "certificate": trusted.certificate,
        "for_signatures": trusted.for_signatures,
        "for_timestamps": trusted.for_timestamps,
        "note": trusted.note,
        "revocation_addresses": "\n".join(trusted.revocation_addresses),
        "added_by": trusted.added_by,
        "added_at": trusted.added_at,
        "confirmed_at": trusted.confirmed_at,
        "removed_at": trusted.removed_at,
    }


def _trusted_of(row: Row[Any]) -> TrustedCertificate:
    return TrustedCertificate(
        id=row.id,
        certificate=row.certificate,
        for_signatures=row.for_signatures,
        for_timestamps=row.for_timestamps,
        note=row.note,
        revocation_addresses=tuple(row.revocation_addresses.splitlines()),
        added_by=row.added_by,
        added_at=row.added_at,
        confirmed_at=row.confirmed_at,
        removed_at=row.removed_at,
    )

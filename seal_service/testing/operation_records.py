"""Fakes of the records that operators' acts make: certificate requests, trust, observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from seal_service.domain import errors
from seal_service.domain.certification import CertificateRequest, CertificateRequestState
from seal_service.domain.trust import TrustedCertificate
from seal_service.ports.records import Observation


class OperationState(Protocol):
    """The part of the state that these fakes keep."""

    certificate_requests: dict[str, CertificateRequest]
    trust: dict[str, TrustedCertificate]
    observations: dict[str, Observation]


@dataclass
class MemoryCertificateRequests:
    """证书申请."""

    state: OperationState

    def add(self, request: CertificateRequest) -> None:
        """Insert."""
        if request.id in self.state.certificate_requests or self.names_key(request.key_reference):
            raise errors.AlreadyRegistered
        self.state.certificate_requests[request.id] = request

    def lock(self, request_id: str) -> CertificateRequest:
        """Read."""
        if request_id not in self.state.certificate_requests:
            raise errors.CertificateRequestNotFound
        return self.state.certificate_requests[request_id]

    def replace(self, request: CertificateRequest) -> None:
        """Write."""
        self.lock(request.id)
        self.state.certificate_requests[request.id] = request

    def chosen(
        self,
        state: CertificateRequestState | None = None,
        *,
        seal_code: str | None = None,
        application_id: str | None = None,
        after: str | None = None,
        limit: int = 1000,
    ) -> Sequence[CertificateRequest]:
        """Oldest first."""
        found = [
            one
            for one in self.state.certificate_requests.values()
            if state in (None, one.state)
            and seal_code in (None, one.seal_code)
            and application_id in (None, one.application_id)
            and (after is None or one.id > after)
        ]
        return sorted(found, key=lambda one: one.id)[:limit]

    def names_key(self, key_reference: str) -> bool:
        """Whether any names it."""
        return any(one.key_reference == key_reference for one in self.state.certificate_requests.values())


@dataclass
class MemoryTrust:
    """信任锚."""

    state: OperationState

    def add(self, trusted: TrustedCertificate) -> None:
        """Insert."""
        known = self.state.trust.get(trusted.id)
        if known is not None and known.removed_at is None:
            raise errors.AlreadyRegistered
        self.state.trust[trusted.id] = trusted

    def lock(self, trusted_id: str) -> TrustedCertificate:
        """Read."""
        if trusted_id not in self.state.trust:
            raise errors.TrustAnchorNotFound
        return self.state.trust[trusted_id]

    def replace(self, trusted: TrustedCertificate) -> None:
        """Write."""
        self.lock(trusted.id)
        self.state.trust[trusted.id] = trusted

    def all(self) -> Sequence[TrustedCertificate]:
        """By time of entry."""
        there = [one for one in self.state.trust.values() if one.removed_at is None]
        return sorted(there, key=lambda one: (one.added_at, one.id))


@dataclass
class MemoryObservations:
    """观测."""

    state: OperationState

    def put(self, observation: Observation) -> None:
        """Write."""
        self.state.observations[observation.name] = observation

    def all(self) -> Sequence[Observation]:
        """By name."""
        return [self.state.observations[name] for name in sorted(self.state.observations)]

"""Readiness and observing: the limits of the settings, and where the instance's directories lie."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from seal_service.bootstrap.machine import DirectoryVolumes
from seal_service.bootstrap.rooms import Rooms
from seal_service.config import Settings
from seal_service.domain.observation import key_of_authority
from seal_service.domain.readiness import Allowed
from seal_service.pki.timestamp_client import TrustedTimestampAuthority
from seal_service.pki.trust import InstanceTrustStore
from seal_service.ports.activation import KeyProcess
from seal_service.ports.crypto import PublicKeyServices, RevocationSource, TimestampAuthority
from seal_service.ports.reading import Queries
from seal_service.storage.engine import Database
from seal_service.usecases.check_readiness import CheckReadinessUseCase, Timestamps
from seal_service.usecases.log_health import PublicationHealth
from seal_service.usecases.observe import ObserveUseCase


def readiness_of(
    settings: Settings,
    rooms: Rooms,
    queries: Queries,
    services: PublicKeyServices,
    outside: Sequence[TimestampAuthority],
    process: KeyProcess,
    publication: PublicationHealth,
) -> CheckReadinessUseCase:
    """就绪检查, judged by the limits of the settings."""
    return CheckReadinessUseCase(
        records=rooms.records,
        queries=queries,
        keys=rooms.keys,
        custody=rooms.keys,
        services=services,
        volumes=_volumes_of(settings),
        clock=rooms.clock,
        allowed=_allowed_by(settings),
        timestamps=Timestamps(
            outside=tuple(key_of_authority(one.name) for one in outside), embedded=settings.timestamp_embedded
        ),
        durability=lambda: _durability(rooms.database),
        since=rooms.clock.now(),
        files=settings.filing_url is not None,
        process=process,
        activation_required=settings.activation_required,
        publication=publication,
    )


def observation_of(
    settings: Settings,
    rooms: Rooms,
    queries: Queries,
    outside: Sequence[TimestampAuthority],
    revocation: RevocationSource,
    trust: InstanceTrustStore,
) -> ObserveUseCase:
    """观测 of the authorities outside; `revocation` asks them alone."""
    return ObserveUseCase(
        records=rooms.records,
        queries=queries,
        authorities=[TrustedTimestampAuthority(one, trust, rooms.clock) for one in outside],
        revocation=revocation,
        issuers=trust.issuers,
        clock=rooms.clock,
        clock_allowed=timedelta(seconds=settings.clock_seconds),
    )


def _durability(database: Database) -> tuple[str, bool]:
    found = database.ask_durability()
    return found.words, found.sound


def _allowed_by(settings: Settings) -> Allowed:
    return Allowed(
        reservation=timedelta(seconds=settings.reservation_seconds),
        revocation=timedelta(hours=settings.crl_hours),
        confirmation=timedelta(days=settings.trust_days),
        clock=timedelta(seconds=settings.clock_seconds),
        disk_bytes=settings.disk_reserve_bytes,
        filing=timedelta(hours=settings.filing_hours),
    )


def _volumes_of(settings: Settings) -> DirectoryVolumes:
    """Home, documents and keys: each may lie on a volume of its own."""
    directories = {"home": settings.home, "documents": settings.home / "blobs", "keys": settings.key_directory}
    return DirectoryVolumes({name: path.absolute() for name, path in directories.items()})

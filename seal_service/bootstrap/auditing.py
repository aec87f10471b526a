"""审计台: what auditors take out of the log: signed reports, exports and their manifests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from seal_service.bootstrap.guarded import Answer, Command, Guarded, UseCase
from seal_service.bootstrap.rooms import Rooms
from seal_service.config import Settings
from seal_service.domain.authority import ended
from seal_service.domain.errors import InstanceNotReady
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole
from seal_service.pki.own_authorities import current
from seal_service.ports.isolation import Isolation
from seal_service.ports.reading import Queries
from seal_service.sealing.levels import LevelRaiser
from seal_service.sealing.report import SignedReports
from seal_service.usecases.export_log import ExportLog, ExportLogUseCase, LogExport
from seal_service.usecases.fetch_manifest import FetchManifest, FetchManifestUseCase
from seal_service.usecases.report_story import ReportStoryUseCase, StoryReport
from seal_service.usecases.sequence_log import CatchUp
from seal_service.usecases.trace import Trace, TraceUseCase


class Guarding(Protocol):
    """Puts a use case behind its permission."""

    def __call__(self, use_case: UseCase[Command, Answer], /) -> Guarded[Command, Answer]:
        """Guarded."""


@dataclass(frozen=True, kw_only=True)
class AuditDesk:
    """The use cases, each behind its permission."""

    report_story: Guarded[Trace, StoryReport]
    export_log: Guarded[ExportLog, LogExport]
    fetch_manifest: Guarded[FetchManifest, bytes]


def audit_desk(
    settings: Settings,
    rooms: Rooms,
    queries: Queries,
    catch_up: CatchUp,
    chain: Callable[[bytes], Sequence[bytes]],
    levels: LevelRaiser,
    isolation: Isolation,
    guarded: Guarding,
) -> AuditDesk:
    """All of them. `chain`: the certificates, DER, from the issuer of one to its root."""
    records, log, clock, signer = rooms.records, rooms.log, rooms.clock, rooms.log_key
    reports = SignedReports(
        keys=rooms.keys,
        credential=lambda: _credential(rooms),
        chain=chain,
        levels=levels,
        isolation=isolation,
        signer_name=f"{settings.city_name}电子印章服务",
        font=settings.report_font,
    )
    return AuditDesk(
        report_story=guarded(ReportStoryUseCase(TraceUseCase(records, queries), records, log, reports, clock)),
        export_log=guarded(ExportLogUseCase(records, queries, catch_up, log, clock, signer)),
        fetch_manifest=guarded(FetchManifestUseCase(queries, signer)),
    )


def _credential(rooms: Rooms) -> AuthorityCredential:
    """What signs reports now; InstanceNotReady."""
    now = rooms.clock.now()
    with rooms.records.read() as transaction:
        found = current(transaction, AuthorityRole.REPORT, now)
    if ended(found, now):
        raise InstanceNotReady("The certificate for reports has expired: see `seal keys rotate report`")
    return found

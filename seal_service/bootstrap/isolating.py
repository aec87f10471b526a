"""隔离解析: the processes that read untrusted documents, for each purpose its own."""

from __future__ import annotations

from collections.abc import Sequence

from seal_service.config import Settings
from seal_service.isolation.limits import ReadingLimits
from seal_service.isolation.processes import ReadingProcesses

SEALING = ("seal_service.sealing.writing", "seal_service.sealing.finding", "seal_service.sealing.repair")
VERIFYING = ("seal_service.verification.reading", "seal_service.verification.revisions")


def reading_processes(settings: Settings, modules: Sequence[str]) -> ReadingProcesses:
    """Processes for the functions of these modules; started when they are first needed."""
    limits = ReadingLimits(seconds=settings.reading_seconds, bytes=settings.reading_bytes)
    return ReadingProcesses(modules, limits, settings.reading_processes)

"""导出清单: what the log says of a file that was exported, signed by the log's key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import ExportNotFound
from seal_service.domain.events import EventKind, Result
from seal_service.domain.paging import PageRequest
from seal_service.formats import canonical
from seal_service.formats.export_manifest import ExportManifest, manifest_text
from seal_service.ports.reading import LogFilter, Queries
from seal_service.ports.records import LogRow
from seal_service.ports.transparency import NoteSigner
from seal_service.usecases.export_log import LOG_REPORT

_MOST_OF_A_DIGEST = 50
"""Entries that are looked through: the same file can be exported more than once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchManifest:
    """导出清单 of the file with this digest."""

    sha256: str


@dataclass(frozen=True)
class FetchManifestUseCase:
    """导出清单. Raises ExportNotFound for a file that was not exported whole, InstanceNotReady without a key."""

    permission: ClassVar[Permission] = Permission.READ_LOG
    queries: Queries
    signer: NoteSigner

    def __call__(self, _caller: Caller, command: FetchManifest) -> bytes:
        """The signed note. It repeats the newest entry of an export of these bytes: another such export changes it."""
        chosen = LogFilter(document_sha256=command.sha256, kind=EventKind.REPORT_EXPORTED, result=Result.SUCCESS)
        for row in self.queries.log(PageRequest(limit=_MOST_OF_A_DIGEST), chosen).items:
            entry = canonical.decode(row.canon)
            facts = entry.get("facts")
            if isinstance(facts, dict) and facts.get("report") == LOG_REPORT:
                return self.signer.sign(manifest_text(_manifest(row, entry, facts)))
        raise ExportNotFound(sha256=command.sha256)


def _manifest(row: LogRow, entry: canonical.Leaf, facts: canonical.Leaf) -> ExportManifest:
    chosen: dict[str, str] = json.loads(str(facts["filter"]))
    return ExportManifest(
        log=str(entry["log"]),
        file=str(facts["file"]),
        format=str(facts["format"]),
        sha256=row.document_sha256 or "",
        bytes=_number(facts, "bytes"),
        entries=_number(facts, "entries"),
        period_from=chosen.pop("at_from", None),
        period_until=chosen.pop("at_until", None),
        filter=chosen,
        upto_size=_number(facts, "upto_size"),
        by=row.account_id or "",
        by_name=str(facts["by_name"]),
        at=str(entry["at"]),
        begun=str(facts["begun"]),
        entry=row.entry_id,
    )


def _number(facts: canonical.Leaf, name: str) -> int:
    value = facts[name]
    if not isinstance(value, int):
        raise TypeError(f"{name} of an export is a number")
    return value

"""溯源报告 (article 22): the whole story as a signed PDF, which is itself in the log."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.events import Event, EventKind, LoggedEntry, act_of
from seal_service.ports.records import Records, SigningLog
from seal_service.ports.reporting import ReportWriter
from seal_service.ports.system import Clock
from seal_service.usecases.story_report import report_of
from seal_service.usecases.trace import Story, Trace, TraceUseCase


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryReport:
    """溯源报告: the signed PDF, what it tells, and the entry that says it was given out."""

    content: bytes
    sha256: str
    story: Story
    logged: LoggedEntry


@dataclass(frozen=True)
class ReportStoryUseCase:
    """溯源报告. Raises what TraceUseCase raises, InstanceNotReady without a key for reports."""

    permission: ClassVar[Permission] = Permission.TRACE
    trace: TraceUseCase
    records: Records
    log: SigningLog
    writer: ReportWriter
    clock: Clock

    def __call__(self, caller: Caller, command: Trace) -> StoryReport:
        """1 trace, 2 print and sign, 3 log; only then the report goes out."""
        story = self.trace(caller, command)
        start, value = command.start
        report = report_of(story, (start, value), caller.name, self.log.origin, self.clock.now())
        content = self.writer.write(report)
        sha256 = hashlib.sha256(content).hexdigest()
        event = Event(
            kind=EventKind.REPORT_EXPORTED,
            document_sha256=sha256,
            facts={
                "report": "trace",
                "format": "pdf",
                "bytes": len(content),
                "traced_by": start,
                "traced": value,
                "uses": len(story.uses),
                "complete": story.complete,
                "upto_size": story.upto_size,
            },
        )
        with self.records.write() as transaction:
            logged = self.log.append(transaction, act_of(caller, event))
            transaction.commit()
        return StoryReport(content=content, sha256=sha256, story=story, logged=logged)

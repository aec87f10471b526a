"""Wire forms of the signing log (签章日志): entries, statistics, trace."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from pydantic import Field

from seal_service.api.schemas.approvals import ApprovalView
from seal_service.api.schemas.common import Body, Digest, Identifier, Moment, Name, ScenarioCode, SealCode, View
from seal_service.api.schemas.registers import UnitView
from seal_service.api.schemas.seals import SealView
from seal_service.api.schemas.uses import GrantView, UseView
from seal_service.domain.events import EventKind, Result
from seal_service.domain.export import ExportFormat
from seal_service.domain.paging import PageRequest
from seal_service.domain.seal import SealState
from seal_service.ports.reading import LogFilter, LogStatistics, StatisticsKey
from seal_service.ports.records import LogRow
from seal_service.usecases.export_log import ExportLog
from seal_service.usecases.read_log import CountLog, EntryAnswer, LogAnswer
from seal_service.usecases.trace import Story, Trace, TracedSeal, TracedUse


class LogQuery(Body):
    """日志查询: which entries. The period is [at_from, at_until)."""

    seal_code: SealCode | None = None
    unit_id: Identifier | None = None
    account_id: Identifier | None = Field(None, description="接入系统.")
    scenario: ScenarioCode | None = None
    document_sha256: Digest | None = None
    use_id: Identifier | None = None
    kind: EventKind | None = None
    result: Result | None = None
    at_from: Moment | None = None
    at_until: Moment | None = None

    def chosen(self) -> LogFilter:
        """The filter."""
        return LogFilter(**{name: getattr(self, name) for name in LogQuery.model_fields})


class LogEntriesQuery(LogQuery):
    """日志查询 with operator and page."""

    operator_id: Name | None = Field(None, description="签章人标识; found by its keyed pseudonym.")
    limit: int = Field(50, ge=1, le=500)
    cursor: str | None = Field(None, max_length=500)


class StatisticsQuery(LogQuery):
    """日志统计: by which keys."""

    by: list[StatisticsKey] = Field(min_length=1, max_length=8, description="One or more; repeat the parameter.")
    limit: int = Field(50, ge=1, le=500)
    cursor: str | None = Field(None, max_length=500)

    @property
    def keys(self) -> tuple[StatisticsKey, ...]:
        """Each once, in their order."""
        return tuple(dict.fromkeys(self.by))

    def command(self) -> CountLog:
        """The command."""
        page = PageRequest(limit=self.limit, cursor=self.cursor)
        return CountLog(keys=self.keys, chosen=self.chosen(), page=page)


class ExportQuery(LogQuery):
    """日志导出: which entries, in which form."""

    format: ExportFormat = Field(description="`csv` for spreadsheets, `jsonl` for programs.")
    operator_id: Name | None = Field(None, description="签章人标识; found by its keyed pseudonym.")

    def command(self) -> ExportLog:
        """The command."""
        return ExportLog(format=self.format, chosen=self.chosen(), operator_id=self.operator_id)


class TraceQuery(Body):
    """溯源: exactly one of them."""

    document_sha256: Digest | None = Field(None, description="Of a document, original or sealed.")
    use_id: Identifier | None = Field(None, description="用印.")
    entry_id: Identifier | None = Field(None, description="日志条目.")
    index: int | None = Field(None, ge=0, lt=1 << 53, description="日志树序号.")
    seal_code: SealCode | None = None
    grant_id: Identifier | None = Field(None, description="用印授权.")
    approval_id: Identifier | None = Field(None, description="用印审批.")

    def command(self) -> Trace:
        """The command."""
        return Trace(**{name: getattr(self, name) for name in TraceQuery.model_fields})


class LogEntryView(View):
    """日志条目: what it is found by, and the entry as it was hashed."""

    entry_id: str
    kind: EventKind
    at: Moment
    seq: int | None = Field(description="Counter within the seal, from 1.")
    result: Result
    leaf_hash: str = Field(description="SHA-256(0x00 ‖ canonical), RFC 6962; hexadecimal.")
    account_id: str | None
    unit_id: str | None
    seal_code: str | None
    scenario: str | None
    operator_ref: str | None
    document_sha256: str | None
    use_id: str | None
    intent_id: str | None
    entry: dict[str, Any] = Field(description="The entry's fields, personal ones as commitments.")

    @classmethod
    def fields_of(cls, row: LogRow) -> dict[str, Any]:
        """The fields of the wire form."""
        derived = {"leaf_hash": row.leaf_hash.hex(), "entry": json.loads(row.canon)}
        return {name: getattr(row, name) for name in LogEntryView.model_fields if name not in derived} | derived

    @classmethod
    def of(cls, row: LogRow) -> LogEntryView:
        """The wire form."""
        return cls(**cls.fields_of(row))


class LogEntryDetailView(LogEntryView):
    """日志条目 with its exact bytes and the personal fields that are still kept."""

    canonical: str = Field(description="The entry's canonical JSON (RFC 8785), exactly as hashed, UTF-8.")
    personal: dict[str, str] = Field(description="Personal fields, each checked against its commitment.")

    @classmethod
    def of_answer(cls, answer: EntryAnswer) -> LogEntryDetailView:
        """The wire form."""
        fields = cls.fields_of(answer.row)
        return cls(**fields, canonical=answer.row.canon.decode(), personal=answer.private)


class LogPage(View):
    """A page of entries, newest first, and how many entries the log had then."""

    items: list[LogEntryView]
    next_cursor: str | None
    upto_size: int

    @classmethod
    def of(cls, answer: LogAnswer) -> LogPage:
        """The wire form."""
        items = [LogEntryView.of(row) for row in answer.page.items]
        return cls(items=items, next_cursor=answer.page.next_cursor, upto_size=answer.upto_size)


class StatisticsRowView(View):
    """统计: the values that were counted by, and how many entries have them."""

    key: dict[StatisticsKey, str | None]
    names: dict[StatisticsKey, str] = Field(
        description="What the unit, seal, system or scenario of the key is called now."
    )
    count: int


class StatisticsView(View):
    """A page of 日志统计, most first. Pages fit together when they are of a log of the same size."""

    items: list[StatisticsRowView]
    next_cursor: str | None
    upto_size: int

    @classmethod
    def of(cls, keys: tuple[StatisticsKey, ...], answer: LogStatistics) -> StatisticsView:
        """The wire form."""
        rows = [
            StatisticsRowView(
                key=dict(zip(keys, row.key, strict=True)),
                names={key: name for key, name in zip(keys, row.names, strict=True) if name is not None},
                count=row.count,
            )
            for row in answer.rows
        ]
        return cls(items=rows, next_cursor=answer.next_cursor, upto_size=answer.upto_size)


class StatusChangeView(View):
    """状态变更."""

    at: Moment
    state: SealState


class TracedUseView(View):
    """One use with all that stands behind it."""

    use: UseView
    seal: SealView
    unit: UnitView
    grant: GrantView
    approval: ApprovalView | None = Field(description="用印审批 that it took; null: the scenario sets it aside.")
    seal_history: list[StatusChangeView]
    entries: list[LogEntryView]
    decisions: list[LogEntryView] = Field(description="Entries of the grant and of the approval.")

    @classmethod
    def of(cls, traced: TracedUse, now: datetime) -> TracedUseView:
        """The wire form."""
        return cls(
            use=UseView.model_validate(traced.use),
            seal=SealView.of(traced.seal, now),
            unit=UnitView.model_validate(traced.unit),
            grant=GrantView.of(traced.grant),
            approval=ApprovalView.of(traced.approval) if traced.approval is not None else None,
            seal_history=[StatusChangeView.model_validate(one) for one in traced.seal_history],
            entries=[LogEntryView.of(row) for row in traced.entries],
            decisions=[LogEntryView.of(row) for row in traced.decisions],
        )


class TracedSealView(View):
    """The seal, grant or approval that was traced, whether it was used or not."""

    seal: SealView
    unit: UnitView
    seal_history: list[StatusChangeView]
    grant: GrantView | None
    approval: ApprovalView | None

    @classmethod
    def of(cls, asked: TracedSeal, now: datetime) -> TracedSealView:
        """The wire form."""
        return cls(
            seal=SealView.of(asked.seal, now),
            unit=UnitView.model_validate(asked.unit),
            seal_history=[StatusChangeView.model_validate(one) for one in asked.seal_history],
            grant=GrantView.of(asked.grant) if asked.grant is not None else None,
            approval=ApprovalView.of(asked.approval) if asked.approval is not None else None,
        )


class StoryView(View):
    """溯源结果: every use on the document's way, oldest first; none is an answer too."""

    asked: TracedSealView | None = Field(description="What was traced, if it was a seal, a grant or an approval.")
    uses: list[TracedUseView]
    further_entries: list[LogEntryView] = Field(
        description="Entries that belong to no use: refusals for this document; the entry asked for; what was done to "
        "the seal, the grant or the approval asked for."
    )
    complete: bool = Field(description="False when there are more uses, or more entries, than are followed.")
    upto_size: int

    @classmethod
    def of(cls, story: Story, now: datetime) -> StoryView:
        """The wire form."""
        return cls(
            asked=TracedSealView.of(story.asked, now) if story.asked is not None else None,
            uses=[TracedUseView.of(one, now) for one in story.uses],
            further_entries=[LogEntryView.of(row) for row in story.further_entries],
            complete=story.complete,
            upto_size=story.upto_size,
        )

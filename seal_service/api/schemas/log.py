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
from seal_service.domain.seal import SealState
from seal_service.ports.reading import LogFilter, StatisticsKey
from seal_service.ports.records import LogRow
from seal_service.usecases.read_log import EntryAnswer, LogAnswer, StatisticsAnswer
from seal_service.usecases.trace import Story, TracedUse


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

    by: list[StatisticsKey] = Field(min_length=1, max_length=7, description="One or more; repeat the parameter.")


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
    count: int


class StatisticsView(View):
    """日志统计, most first."""

    items: list[StatisticsRowView]
    upto_size: int

    @classmethod
    def of(cls, keys: tuple[StatisticsKey, ...], answer: StatisticsAnswer) -> StatisticsView:
        """The wire form."""
        rows = [StatisticsRowView(key=dict(zip(keys, row.key, strict=True)), count=row.count) for row in answer.rows]
        return cls(items=rows, upto_size=answer.upto_size)


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
        )


class StoryView(View):
    """溯源结果: every use on the document's way, oldest first; none is an answer too."""

    uses: list[TracedUseView]
    further_entries: list[LogEntryView]
    """Entries that belong to no use: refusals for this document; the entry asked for."""
    complete: bool
    """False when there are more uses than are followed."""
    upto_size: int

    @classmethod
    def of(cls, story: Story, now: datetime) -> StoryView:
        """The wire form."""
        return cls(
            uses=[TracedUseView.of(one, now) for one in story.uses],
            further_entries=[LogEntryView.of(row) for row in story.further_entries],
            complete=story.complete,
            upto_size=story.upto_size,
        )

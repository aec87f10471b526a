"""日志查询与统计 (article 22): entries, counts, one entry with the personal fields an auditor may see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import LogEntryNotFound
from seal_service.domain.paging import Page, PageRequest
from seal_service.ports.reading import LogFilter, Queries, StatisticsKey, StatisticsRow
from seal_service.ports.records import LogRow, Records, SigningLog


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLog:
    """日志查询. `operator_id` is looked for by its pseudonym."""

    chosen: LogFilter = LogFilter()
    operator_id: str | None = None
    page: PageRequest = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class CountLog:
    """日志统计 by one or more keys."""

    keys: tuple[StatisticsKey, ...]
    chosen: LogFilter = LogFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEntry:
    """One entry."""

    entry_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAnswer:
    """A page of entries, and how many the log had then."""

    page: Page[LogRow]
    upto_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsAnswer:
    """Counts, and how many entries the log had then."""

    rows: tuple[StatisticsRow, ...]
    upto_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryAnswer:
    """An entry with its personal fields, each checked against its commitment in the leaf."""

    row: LogRow
    private: dict[str, str]


@dataclass(frozen=True)
class QueryLogUseCase:
    """日志查询. Raises InvalidCursor."""

    permission: ClassVar[Permission] = Permission.READ_LOG
    queries: Queries
    log: SigningLog

    def __call__(self, _caller: Caller, command: QueryLog) -> LogAnswer:
        """A page of entries, newest first."""
        chosen = command.chosen
        if command.operator_id is not None:
            chosen = replace(chosen, operator_ref=self.log.operator_reference(command.operator_id))
        size = self.queries.log_size()
        return LogAnswer(page=self.queries.log(command.page, chosen), upto_size=size)


@dataclass(frozen=True)
class CountLogUseCase:
    """日志统计."""

    permission: ClassVar[Permission] = Permission.READ_LOG
    queries: Queries

    def __call__(self, _caller: Caller, command: CountLog) -> StatisticsAnswer:
        """Counts, most first."""
        size = self.queries.log_size()
        return StatisticsAnswer(rows=self.queries.statistics(command.keys, command.chosen), upto_size=size)


@dataclass(frozen=True)
class ReadEntryUseCase:
    """日志条目. Raises LogEntryNotFound."""

    permission: ClassVar[Permission] = Permission.READ_LOG
    records: Records
    log: SigningLog

    def __call__(self, _caller: Caller, command: ReadEntry) -> EntryAnswer:
        """The entry."""
        with self.records.read() as transaction:
            row = transaction.log.find(command.entry_id)
        if row is None:
            raise LogEntryNotFound
        return EntryAnswer(row=row, private=self.log.private_fields(row))

"""日志查询与统计 (article 22): entries, counts, one entry with the personal fields an auditor may see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import LogEntryNotFound
from seal_service.domain.paging import Page, PageRequest
from seal_service.ports.reading import LogFilter, LogStatistics, Queries, StatisticsKey
from seal_service.ports.records import LogRow, Records, SigningLog
from seal_service.usecases.sequence_log import CatchUp


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
    page: PageRequest = PageRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEntry:
    """One entry."""

    entry_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAnswer:
    """A page of entries, and how many had their place in the tree before it was read."""

    page: Page[LogRow]
    upto_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryAnswer:
    """An entry with its personal fields, each checked against its commitment in the leaf."""

    row: LogRow
    private: dict[str, str]


@dataclass(frozen=True)
class QueryLogUseCase:
    """日志查询. What waits gets its place first, so that what is answered can be checked. Raises InvalidCursor."""

    permission: ClassVar[Permission] = Permission.READ_LOG
    queries: Queries
    log: SigningLog
    catch_up: CatchUp

    def __call__(self, _caller: Caller, command: QueryLog) -> LogAnswer:
        """A page of entries, newest first."""
        chosen = command.chosen
        if command.operator_id is not None:
            chosen = replace(chosen, operator_ref=self.log.operator_reference(command.operator_id))
        size = self.catch_up()
        return LogAnswer(page=self.queries.log(command.page, chosen), upto_size=size)


@dataclass(frozen=True)
class CountLogUseCase:
    """日志统计 of the tree: what waits gets its place first, what is committed meanwhile is not counted."""

    permission: ClassVar[Permission] = Permission.READ_LOG
    queries: Queries
    catch_up: CatchUp

    def __call__(self, _caller: Caller, command: CountLog) -> LogStatistics:
        """Counts, most first."""
        self.catch_up()
        return self.queries.statistics(command.keys, command.chosen, command.page)


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

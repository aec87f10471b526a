"""/v1/log: entries and statistics of the signing log (article 22)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import Identifier
from seal_service.api.schemas.log import (
    LogEntriesQuery,
    LogEntryDetailView,
    LogPage,
    StatisticsQuery,
    StatisticsView,
)
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.domain.paging import PageRequest
from seal_service.usecases.read_log import QueryLog, ReadEntry

router = APIRouter(route_class=GuardedRoute, prefix="/v1/log", tags=["日志 log"])


@router.get(
    "/entries",
    operation_id="query_log",
    summary="日志查询: entries, newest first",
    responses=refusals(e.InvalidCursor),
)
def query_log(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("query_log", Permission.READ_LOG))],
    query: Annotated[LogEntriesQuery, Query()],
) -> LogPage:
    """By seal, unit, system, operator, scenario, document digest, time, kind, result."""
    page = PageRequest(limit=query.limit, cursor=query.cursor)
    command = QueryLog(chosen=query.chosen(), operator_id=query.operator_id, page=page)
    return LogPage.of(service.query_log(caller, command))


@router.get(
    "/entries/{entry_id}",
    operation_id="read_entry",
    summary="日志条目: one entry with its exact bytes and personal fields",
    responses=refusals(e.LogEntryNotFound),
)
def read_entry(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("read_entry", Permission.READ_LOG))],
    entry_id: Identifier,
) -> LogEntryDetailView:
    """By its id."""
    return LogEntryDetailView.of_answer(service.read_entry(caller, ReadEntry(entry_id=entry_id)))


@router.get(
    "/statistics",
    operation_id="count_log",
    summary="日志统计: how many entries, by one or more keys",
    responses=refusals(e.InvalidCursor),
)
def count_log(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("count_log", Permission.READ_LOG))],
    query: Annotated[StatisticsQuery, Query()],
) -> StatisticsView:
    """`by=day&by=seal…`; days, and months of them, are those of Asia/Shanghai; most first, then by value."""
    return StatisticsView.of(query.keys, service.count_log(caller, query.command()))

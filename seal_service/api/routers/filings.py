"""/v1/filings: what was sent to the provincial registry and what waits for it (articles 8, 22)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import IdempotencyKey, Paging, Serving
from seal_service.api.problems import refusals
from seal_service.api.schemas.common import SealCode
from seal_service.api.schemas.filings import AreaCode, FilingId, FilingPage, FilingStateView, FilingView
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.domain.filing import FilingState
from seal_service.usecases.read_filings import ListFilings, ReadFilingState
from seal_service.usecases.read_registers import ReadById
from seal_service.usecases.retry_filing import RetryFiling

router = APIRouter(route_class=GuardedRoute, prefix="/v1/filings", tags=["备案 filings"])


@router.get(
    "",
    operation_id="list_filings",
    summary="备案列表: filings, newest first",
    responses=refusals(e.InvalidCursor),
)
def list_filings(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("filing.list_all", Permission.READ_FILINGS))],
    page: Paging,
    state: Annotated[FilingState | None, Query()] = None,
    seal_code: Annotated[SealCode | None, Query()] = None,
    area_code: Annotated[AreaCode | None, Query()] = None,
) -> FilingPage:
    """An auditor and the making office see all, a unit those of its own area (行政区划)."""
    command = ListFilings(state=state, seal_code=seal_code, area_code=area_code, page=page)
    found = service.filing.list_all(caller, command)
    items = [FilingView.model_validate(one) for one in found.items]
    return FilingPage(items=items, next_cursor=found.next_cursor)


@router.get("/state", operation_id="read_filing_state", summary="备案情况: how much waits, and since when")
def read_filing_state(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("filing.read_state", Permission.READ_FILINGS))],
) -> FilingStateView:
    """Of everything, or of the unit's own area."""
    return FilingStateView.of(service.filing.read_state(caller, ReadFilingState()))


@router.get(
    "/{filing_id}",
    operation_id="read_filing",
    summary="备案: one filing",
    responses=refusals(e.FilingNotFound),
)
def read_filing(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("filing.read", Permission.READ_FILINGS))],
    filing_id: FilingId,
) -> FilingView:
    """By its id."""
    return FilingView.model_validate(service.filing.read(caller, ReadById(id=filing_id)))


@router.post(
    "/{filing_id}/retry",
    operation_id="retry_filing",
    summary="备案重报: try again at once",
    responses=refusals(e.FilingNotFound, e.IdempotencyKeyReused),
)
def retry_filing(
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("filing.retry", Permission.RETRY_FILING))],
    filing_id: FilingId,
    key: IdempotencyKey = None,
) -> FilingView:
    """What waits before it goes first. One that is acknowledged stays as it is."""
    command = RetryFiling(filing_id=filing_id, idempotency_key=key)
    return FilingView.model_validate(service.filing.retry(caller, command))

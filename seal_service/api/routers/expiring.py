"""/v1/expiring: what ends soon, whatever it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Paging, Serving
from seal_service.api.negotiation import preferred
from seal_service.api.problems import refusals
from seal_service.api.schemas.life import ExpiringPage
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.domain.expiry import Expiring, ExpiringKind
from seal_service.formats.representation import expiring
from seal_service.usecases.list_expiring import ListExpiring

router = APIRouter(route_class=GuardedRoute, prefix="/v1/expiring", tags=["到期 expiring"])

JSON, CSV = "application/json", "text/csv"
COLUMNS = ("kind", "id", "ends_at", "name", "unit_id", "seal_code", "what_to_do")
_AS_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {CSV: {"schema": {"type": "string"}}}}}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@router.get(
    "",
    operation_id="list_expiring",
    summary="到期提醒: seals, certificates, credentials, grants, anchors and lists that end soon",
    response_model=ExpiringPage,
    responses=_AS_CSV | refusals(e.InvalidCursor, "not-acceptable"),
)
def list_expiring(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("life.list_expiring", Permission.READ_EXPIRING))],
    page: Paging,
    days: Annotated[int, Query(ge=0, le=36_500)] = 90,
    kind: Annotated[ExpiringKind | None, Query()] = None,
) -> Response:
    """What ends first stands first; `Accept: text/csv` exports the page, with the next cursor in `Link`."""
    offered = preferred(request.headers.get("accept"), (JSON, CSV))
    found = service.life.list_expiring(caller, ListExpiring(days=days, kind=kind, page=page))
    if offered == CSV:
        headers = {"Content-Disposition": 'attachment; filename="expiring.csv"'}
        if found.next_cursor is not None:
            headers["Link"] = f'<{request.url.include_query_params(cursor=found.next_cursor)}>; rel="next"'
        return Response(as_csv(found.items), media_type=CSV, headers=headers)
    items = [expiring(one) for one in found.items]
    return JSONResponse({"items": items, "next_cursor": found.next_cursor})


def as_csv(items: Iterable[Expiring]) -> str:
    """A table; what a spreadsheet would take for a formula is marked as text."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    for one in items:
        row = {name: "" if value is None else str(value) for name, value in expiring(one).items()}
        writer.writerow({name: f"'{text}" if text.startswith(_FORMULA) else text for name, text in row.items()})
    return out.getvalue()

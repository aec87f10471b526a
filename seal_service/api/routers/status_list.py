"""/v1/public/status-list: the signed list of status, for anyone (article 23)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Serving
from seal_service.api.problems import refusals
from seal_service.api.uploads import answering
from seal_service.domain import errors as e
from seal_service.domain.access import Caller, Permission
from seal_service.formats.status_list import MEDIA_TYPE
from seal_service.usecases.publish_status_list import FetchStatusList

router = APIRouter(route_class=GuardedRoute, prefix="/v1/public", tags=["印章 seals"])

MAX_AGE_SECONDS = 60


@router.get(
    "/status-list",
    operation_id="fetch_status_list",
    summary="状态公示名单: the signed list of seals whose history is not simply active (article 23)",
    response_class=Response,
    responses=answering(MEDIA_TYPE) | {304: {"description": "As the caller has it."}} | refusals(e.InstanceNotReady),
)
def fetch_status_list(
    request: Request,
    service: Serving,
    caller: Annotated[Caller, Depends(Calling("life.fetch_status_list", Permission.PUBLIC, bucket="status list"))],
) -> Response:
    """A compact JWS; `seal verify --offline --status-list` takes it. `If-None-Match` answers 304 while it stands."""
    found = service.life.fetch_status_list(caller, FetchStatusList())
    headers = {"ETag": f'"{found.etag}"', "Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if headers["ETag"] in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=MEDIA_TYPE, headers=headers)

"""/metrics: what was measured, for Prometheus, answered to the networks that the settings name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Serving
from seal_service.api.problems import refusals
from seal_service.api.proxies import came_through_a_stranger
from seal_service.api.uploads import answering
from seal_service.domain.access import Caller, Permission
from seal_service.domain.errors import NotFound
from seal_service.usecases.read_metrics import ReadMetrics

router = APIRouter(route_class=GuardedRoute, tags=["健康 health"])

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format."""
_calling = Calling("read_metrics", Permission.PUBLIC, reads_bearer=False, limited=False)


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="指标: what was measured, for Prometheus",
    response_class=Response,
    responses=answering("text/plain") | refusals(NotFound),
)
def metrics(service: Serving, caller: Annotated[Caller, Depends(_calling)], request: Request) -> Response:
    """404 for an address outside SEAL_METRICS_ADDRESSES, and for what a proxy forwards that is not trusted."""
    if came_through_a_stranger(request):
        raise NotFound("Forwarded by a proxy that SEAL_TRUSTED_PROXIES does not name: for whom is not known")
    return Response(service.read_metrics(caller, ReadMetrics()), media_type=MEDIA_TYPE)

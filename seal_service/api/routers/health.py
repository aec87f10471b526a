"""/healthz and /readyz: whether the process lives, and whether a seal applied now would be worth something."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from seal_service.api.auth import Calling, GuardedRoute
from seal_service.api.dependencies import Serving
from seal_service.api.lately import LatelyFound
from seal_service.api.schemas.health import DependencyView, LivenessView, ReadinessView
from seal_service.domain.access import Caller, Permission
from seal_service.usecases.check_readiness import CheckReadiness

router = APIRouter(route_class=GuardedRoute, tags=["健康 health"])

_living = Calling("check_readiness", Permission.PUBLIC, reads_bearer=False, limited=False)
_ready = Calling("check_readiness", Permission.PUBLIC, reads_bearer=False, bucket="readiness")


@router.get("/healthz", operation_id="healthz", summary="存活检查: the process answers")
async def healthz(_caller: Annotated[Caller, Depends(_living)]) -> LivenessView:
    """Asks nothing of anything else."""
    return LivenessView()


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="就绪检查: each dependency, ready or not",
    responses={503: {"model": ReadinessView, "description": "未就绪 (Not ready)"}},
)
def readyz(
    request: Request, service: Serving, caller: Annotated[Caller, Depends(_ready)], response: Response
) -> ReadinessView:
    """503 when one of them is not. What is wrong with it, `seal doctor` tells the operator.

    An answer is given for a second, and found by one request at a time: however many ask, the database is asked once.
    """

    def look() -> ReadinessView:
        dependencies = service.check_readiness(caller, CheckReadiness())
        views = [DependencyView.model_validate(one) for one in dependencies]
        ready = all(one.ready for one in dependencies)
        return ReadinessView(ready=ready, checked_at=service.clock.now(), dependencies=views)

    lately: LatelyFound[ReadinessView] = request.app.state.readiness
    found = lately.found(look)
    response.status_code = 200 if found.ready else 503
    return found

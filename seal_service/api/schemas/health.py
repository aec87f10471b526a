"""Wire form of liveness and readiness."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seal_service.api.schemas.common import Moment, View


class LivenessView(View):
    """The process answers."""

    status: Literal["ok"] = "ok"


class DependencyView(View):
    """One thing that the service stands on; what is inside it is nobody's business but the operator's."""

    name: str
    ready: bool
    age_seconds: int | None = Field(
        description="How old it is, or since when it is as it is; null for what has no age. docs/reference/health.md "
        "tells what it means for each."
    )


class ReadinessView(View):
    """就绪检查: whether a seal applied now would be worth something."""

    ready: bool
    checked_at: Moment
    dependencies: list[DependencyView]

"""Wire forms of acts that take two people (双人控制)."""

from __future__ import annotations

from pydantic import Field

from seal_service.api.schemas.common import Body, Moment, View, example
from seal_service.domain.dual_control import ControlledAct, ControlledState


class ControlledActView(View):
    """双人控制请求."""

    id: str
    act: ControlledAct
    command: str = Field(description="What would be done, to the last word, as JSON.")
    requested_by: str
    requested_at: Moment
    state: ControlledState
    decided_by: str | None
    decided_at: Moment | None
    reason: str | None = Field(description="Why it was rejected, or could not be done.")


class ControlledActPage(View):
    """A page of requests, newest first."""

    items: list[ControlledActView]
    next_cursor: str | None


class RejectionBody(Body):
    """驳回."""

    model_config = example(reason="未经领导批准")

    reason: str = Field(min_length=1, max_length=500)

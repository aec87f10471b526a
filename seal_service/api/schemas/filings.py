"""Wire forms of filings with the province (备案)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints

from seal_service.api.schemas.common import Moment, View
from seal_service.domain.filing import FilingState, FilingTask
from seal_service.usecases.read_filings import FilingCondition

FilingId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-(108|207|209|log)$"),
    Field(description="The log entry's id and the task.", examples=["019ca7e2-6f00-7c3e-9d5a-0b1c2d3e4f50-207"]),
]
AreaCode = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{6}$"), Field(description="行政区划 (GB/T 2260).", examples=["999900"])
]


class FilingView(View):
    """备案: one message for the provincial registry and how far it got."""

    id: str
    entry_id: str = Field(description="The log entry that is filed; without its hyphens the serial number there.")
    task: FilingTask = Field(description="207 印章发布, 108 印章延期, 209 吊销或挂失, log 日志备案.")
    seal_code: str
    area_code: str
    at: Moment
    state: FilingState
    attempts: int = Field(description="How often it did not get through.")
    due_at: Moment = Field(description="When it is tried (again), if no earlier one of its seal waits.")
    failure: str | None = Field(description="Why it did not get through the last time.")
    receipt: str | None = Field(description="What the province answered.")
    acknowledged_at: Moment | None


class FilingPage(View):
    """A page of filings, newest first."""

    items: list[FilingView]
    next_cursor: str | None


class FilingStateView(View):
    """备案情况: of everything, or of the caller's own area."""

    registry: str | None = Field(description="Host of the provincial registry; null: none is configured.")
    area_code: str | None
    waiting: int = Field(description="Filings that are not acknowledged.")
    seals_refused: int = Field(description="Seals whose next filing was refused: their later ones wait.")
    oldest_at: Moment | None

    @classmethod
    def of(cls, condition: FilingCondition) -> Self:
        """The condition's form."""
        backlog = condition.backlog
        return cls(
            registry=condition.registry,
            area_code=condition.area_code,
            waiting=backlog.waiting,
            seals_refused=backlog.refused,
            oldest_at=backlog.oldest_at,
        )

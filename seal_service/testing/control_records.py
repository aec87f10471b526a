"""A fake of the records of acts that take two people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from seal_service.domain import errors
from seal_service.domain.dual_control import ControlledRequest


class ControlledState(Protocol):
    """The part of the state that this fake keeps."""

    controlled: dict[str, ControlledRequest]


@dataclass
class MemoryControlledRequests:
    """双人控制请求."""

    state: ControlledState

    def add(self, request: ControlledRequest) -> None:
        """Insert."""
        if request.id in self.state.controlled:
            raise errors.AlreadyRegistered
        self.state.controlled[request.id] = request

    def lock(self, request_id: str) -> ControlledRequest:
        """Read."""
        if request_id not in self.state.controlled:
            raise errors.ControlledRequestNotFound
        return self.state.controlled[request_id]

    def replace(self, request: ControlledRequest) -> None:
        """Write."""
        self.lock(request.id)
        self.state.controlled[request.id] = request

    def newest(self, *, before: str | None = None, limit: int) -> Sequence[ControlledRequest]:
        """Newest first."""
        known = sorted(self.state.controlled.values(), key=lambda one: one.id, reverse=True)
        return [one for one in known if before is None or one.id < before][:limit]

"""Acts that take two people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from seal_service.domain.dual_control import ControlledRequest


class ControlledRecords(Protocol):
    """双人控制请求."""

    def add(self, request: ControlledRequest) -> None:
        """Insert."""

    def lock(self, request_id: str) -> ControlledRequest:
        """Read, locked until the transaction ends; ControlledRequestNotFound."""

    def replace(self, request: ControlledRequest) -> None:
        """Write the request's present form."""

    def newest(self, *, before: str | None = None, limit: int) -> Sequence[ControlledRequest]:
        """Requests, newest first, older than the one with an id if it is named."""

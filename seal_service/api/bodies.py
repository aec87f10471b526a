"""上传限度: how much memory request bodies may hold in one process, and how long a body may take to arrive."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.types import Message, Receive

from seal_service.api.problems import RETRY_SECONDS, DoorRefusal

SMALL_BODY = 64 * 1024
"""Bytes of a body that is no upload. They are not counted: small requests pass while uploads are too many."""
SECONDS_TO_ARRIVE = 60.0
_CLOSE = {"Connection": "close"}


@dataclass
class BodyBudget:
    """Bytes that the bodies of all requests under way may hold, callers without an account at most half of them.

    Used in the event loop alone, so nothing is locked.
    """

    limit: int
    seconds: float = SECONDS_TO_ARRIVE
    held: int = 0
    held_by_public: int = 0

    def body(self) -> Body:
        """What a new request holds: nothing yet."""
        return Body(self)


class Body:
    """One request's share of the budget."""

    def __init__(self, budget: BodyBudget) -> None:
        self._budget = budget
        self._arrived = 0
        self._counted = 0
        self._public = True
        self._deadline: float | None = None

    async def next(self, receive: Receive) -> Message:
        """The next piece of the body; DoorRefusal (request-timeout) when it does not come in time."""
        now = asyncio.get_running_loop().time
        if self._deadline is None:
            self._deadline = now() + self._budget.seconds
        try:
            async with asyncio.timeout_at(self._deadline):
                return await receive()
        except TimeoutError as error:
            told = f"The request's body did not arrive within {self._budget.seconds:g} seconds"
            raise DoorRefusal("request-timeout", told, _CLOSE) from error

    def hold(self, length: int, limit: int, *, public: bool) -> None:
        """Count more bytes; DoorRefusal over the request's own limit (content-too-large) or the budget (overloaded)."""
        self._arrived += length
        if self._arrived > limit:
            raise DoorRefusal("content-too-large", f"The request has more than {limit} bytes")
        more = max(0, self._arrived - SMALL_BODY) - self._counted
        budget = self._budget
        if budget.held + more > budget.limit or (public and budget.held_by_public + more > budget.limit // 2):
            told = "Too many documents are being received: try again shortly"
            raise DoorRefusal("overloaded", told, {"Retry-After": str(RETRY_SECONDS)} | _CLOSE)
        self._public = public
        self._counted += more
        self._change(more)

    def release(self) -> None:
        """The request has ended."""
        self._change(-self._counted)
        self._counted = 0

    def _change(self, by: int) -> None:
        self._budget.held += by
        if self._public:
            self._budget.held_by_public += by

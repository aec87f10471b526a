"""盖章文件 as an answer: piece after piece, of which nothing is copied but what is on its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from seal_service.ports.documents import Content

PART_BYTES = 1 << 18


class DocumentResponse(Response):
    """A document in pieces, with its length."""

    def __init__(self, pieces: Sequence[Content], status: int, headers: Mapping[str, str], media_type: str) -> None:
        self._pieces = pieces
        self._length = sum(len(one) for one in pieces)
        super().__init__(None, status, {**headers, "Content-Length": str(self._length)}, media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Send it; a slow client is waited for after each part."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        last = b""
        if self._length <= PART_BYTES:
            last = b"".join(self._pieces)
        else:
            for piece in self._pieces:
                for start in range(0, len(piece), PART_BYTES):
                    part = piece[start : start + PART_BYTES]
                    await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": last})

"""The stream of an export: it ends where its pieces end, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Generator

from seal_service.api.routers.log_exports import streamed


def test_an_empty_piece_does_not_end_the_file() -> None:
    closed: list[bool] = []

    def pieces() -> Generator[bytes, None, None]:
        try:
            yield from (b"first", b"", b"last")
        finally:
            closed.append(True)

    async def read() -> bytes:
        return b"".join([piece async for piece in streamed(pieces())])

    assert asyncio.run(read()) == b"firstlast"
    assert closed == [True]

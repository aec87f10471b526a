"""`python -m benchmarks.caller`: a light HTTP client that keeps a server busy from a process of its own.

Standard input is the order, standard output what came of it. Nothing of an answer is looked at but its status and
length; some are kept for others to judge.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

KEPT = 8
"""Answers that are kept: the last ones of so many callers."""
_READ_AHEAD = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be called, and for how long: until the seconds have passed and the answers are there."""

    host: str
    port: int
    path: str
    token: str = field(repr=False)
    document: str
    """File with the body of every request; what is kept is written beside it."""
    seconds: float = 0
    answers: int = 0
    callers: int = 16


@dataclass(frozen=True, slots=True)
class Called:
    """What came of it."""

    seconds: float
    """From the first byte sent to the last one received."""
    latencies: list[float]
    """Seconds of each request, from its first byte to its answer's last."""
    statuses: dict[str, int]
    cpu: float
    """The client's own processor time meanwhile."""
    kept: list[str]
    """Files with some of the answers."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds


class _Calls:
    def __init__(self, order: Order) -> None:
        self._order = order
        self._body = Path(order.document).read_bytes()
        self._numbers = itertools.count()
        self._latencies: list[float] = []
        self._statuses: Counter[str] = Counter()
        self._last: dict[int, bytes] = {}

    async def run(self) -> Called:
        connections = [
            await asyncio.open_connection(self._order.host, self._order.port, limit=_READ_AHEAD)
            for _ in range(self._order.callers)
        ]
        cpu, began = time.process_time(), time.perf_counter()
        await asyncio.gather(
            *(self._caller(number, began, *connection) for number, connection in enumerate(connections))
        )
        passed, used = time.perf_counter() - began, time.process_time() - cpu
        for _, writer in connections:
            writer.close()
        return Called(passed, self._latencies, dict(self._statuses), used, [self._keep(one) for one in self._last])

    async def _caller(
        self, number: int, began: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while self._is_more(began):
            sent = time.perf_counter()
            writer.write(self._request())
            await writer.drain()
            status, content = await _answer(reader)
            self._latencies.append(time.perf_counter() - sent)
            self._statuses[status] += 1
            if number < KEPT:
                self._last[number] = content

    def _is_more(self, began: float) -> bool:
        under_way = next(self._numbers)
        return under_way < self._order.answers or time.perf_counter() - began < self._order.seconds

    def _request(self) -> bytes:
        order = self._order
        head = (
            f"POST {order.path} HTTP/1.1\r\nHost: {order.host}:{order.port}\r\n"
            f"Authorization: Bearer {order.token}\r\nContent-Type: application/pdf\r\nAccept: application/pdf\r\n"
            f"Idempotency-Key: {os.urandom(12).hex()}\r\nContent-Length: {len(self._body)}\r\n\r\n"
        )
        return head.encode() + self._body

    def _keep(self, number: int) -> str:
        path = Path(self._order.document).with_name(f"answer-{number}.pdf")
        path.write_bytes(self._last[number])
        return str(path)


async def _answer(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Status and content, whose length is told or that comes in chunks (RFC 9112, 6)."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if "content-length" in fields:
        return lines[0].split()[1], await reader.readexactly(int(fields["content-length"]))
    chunks = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        chunks.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return lines[0].split()[1], b"".join(chunks)


def main() -> None:
    """Call as ordered."""
    done = asyncio.run(_Calls(Order(**json.load(sys.stdin))).run())
    json.dump(asdict(done), sys.stdout)


if __name__ == "__main__":
    main()

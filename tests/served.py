"""`seal serve` as its own processes, over an instance that a test has made."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.metrics import Scrape

ROOT = Path(__file__).parents[1]
SECONDS = 150
"""The most that anything here waits for."""


@dataclass
class Served:
    """A running server, and the lines of its log so far."""

    url: str
    process: subprocess.Popen[str]
    environment: dict[str, str]
    lines: list[dict[str, Any]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """What it wrote to standard error that is no line of the log."""

    def read(self) -> None:
        """Read the log until the last of the processes has ended."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.unread.append(line)

    def until(self, condition: Callable[[], object], expectation: str) -> None:
        """Wait until it is so; AssertionError when it does not come to be."""
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end, f"not in {SECONDS} s: {expectation}\n{self.lines[-5:]}\n{self.unread}"
            time.sleep(0.02)

    def said(self, event: str) -> list[dict[str, Any]]:
        """The lines of an event, by its beginning."""
        return [one for one in list(self.lines) if one["event"].startswith(event)]

    def answers(self) -> bool:
        """Whether it is ready."""
        try:
            return httpx.get(f"{self.url}/readyz", timeout=SECONDS).status_code == 200
        except httpx.TransportError:
            return False

    def refuses(self) -> bool:
        """Whether nobody takes a connection any more."""
        address = httpx.URL(self.url)
        try:
            socket.create_connection((address.host, address.port or 0), timeout=SECONDS).close()
        except ConnectionError:
            return True
        return False

    def scrape(self) -> Scrape:
        """Its numbers, from whichever process answers."""
        return Scrape(httpx.get(f"{self.url}/metrics", timeout=SECONDS))

    def workers(self) -> list[int]:
        """The process ids of those that have begun to serve."""
        return [one["pid"] for one in self.said("Started server process")]

    def stopped_by(self, number: int) -> int:
        """The exit code after a signal."""
        self.process.send_signal(number)
        return self.process.wait(SECONDS)

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A `seal` command on the same instance."""
        return subprocess.run(
            [sys.executable, "-m", "seal_service", *arguments],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )


@contextmanager
def served(home: Path, workers: int, **settings: object) -> Iterator[Served]:
    """The server, ready; whatever is left of it is killed at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    values = {"home": home, "keys": home / "keys", "requests_per_minute": 10**6, "log_format": "json"} | settings
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEAL_")}
    environment |= {f"SEAL_{name.upper()}": str(value) for name, value in values.items()} | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-m", "seal_service", "serve", "--port", str(port), "--workers", str(workers)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    server = Served(f"http://127.0.0.1:{port}", process, environment)
    reading = threading.Thread(target=server.read, daemon=True)
    reading.start()
    try:
        server.until(lambda: server.answers() or process.poll() is not None, "it is ready")
        assert process.poll() is None, server.unread
        server.until(lambda: len(server.workers()) == workers, "all processes have begun")
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(SECONDS)
        reading.join(SECONDS)
        assert process.stderr is not None
        process.stderr.close()

"""`seal serve` as its own processes, on an instance that is measured."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydantic import SecretStr

from benchmarks.machine import ROOT
from benchmarks.office import Office
from benchmarks.scraped import Scraped, scraped
from seal_service.config import Settings

SECONDS = 120
"""The most that anything here waits for."""
POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Served:
    """A running server."""

    host: str
    port: int
    pid: int
    started_in: float
    """Seconds from the command to the first 200 of /readyz."""

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.host}:{self.port}"

    def metrics(self) -> str:
        """What it tells of itself, of all its processes together."""
        return httpx.get(f"{self.url}/metrics", timeout=SECONDS).raise_for_status().text

    def scrape(self) -> Scraped:
        """The same, as sums."""
        return scraped(self.metrics())

    def token(self, credentials: tuple[str, str]) -> str:
        """An access token, had as a client has it."""
        form = {"grant_type": "client_credentials"}
        answer = httpx.post(f"{self.url}/oauth2/token", data=form, auth=credentials, timeout=SECONDS)
        token: str = answer.raise_for_status().json()["access_token"]
        return token


def environment_of(settings: Settings) -> dict[str, str]:
    """What hands an instance's settings to a command; nothing of this process's own instance."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SEAL_")}
    environment = {name: value for name, value in kept.items() if name != "PYTHONDONTWRITEBYTECODE"}  # as installed
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        environment[f"SEAL_{name.upper()}"] = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return environment | {"PYTHONPATH": str(ROOT)}


@contextmanager
def served(office: Office, workers: int | None) -> Iterator[Served]:
    """The server, ready with all its processes; None: as many as it has without being told."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host, port = free.getsockname()
    told = [] if workers is None else ["--workers", str(workers)]
    log_path = office.home.parent / "serve.log"
    with log_path.open("wb") as log:
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "seal_service", "serve", "--port", str(port), *told],
            env=environment_of(office.settings),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _until_ready(process, f"http://{host}:{port}", log_path)
        server = Served(host, port, process.pid, time.perf_counter() - began)
        until = time.monotonic() + SECONDS
        while f"seal_processes {workers or 1}.0" not in server.metrics():
            assert time.monotonic() < until, "not all processes have begun"
            time.sleep(POLL_SECONDS)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(SECONDS)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + SECONDS
    with httpx.Client(timeout=SECONDS) as client:
        while True:
            with suppress(httpx.TransportError):
                if client.get(f"{url}/readyz").status_code == 200:
                    return
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the server did not become ready:\n{log.read_text(encoding='utf-8')[-3000:]}")
            time.sleep(POLL_SECONDS)

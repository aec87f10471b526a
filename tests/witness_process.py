"""A witness that runs in a process of its own, made and served by command."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
SECONDS = 60
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("SEAL_")} | {
    "PYTHONPATH": str(ROOT)
}


def command(*arguments: str | Path) -> list[str]:
    """`seal witness`, as a process."""
    return [sys.executable, "-m", "seal_service", "witness", *map(str, arguments)]


def made_witness(directory: Path, name: str) -> Path:
    """One that knows no log yet; its directory."""
    subprocess.run(command("init", directory, "--name", name), env=ENVIRONMENT, check=True, capture_output=True)
    return directory


def shown(directory: Path) -> dict[str, object]:
    """What it tells of itself."""
    told = subprocess.run(command("show", directory, "--json"), env=ENVIRONMENT, check=True, capture_output=True)
    found: dict[str, object] = json.loads(told.stdout)
    return found


def key_of(directory: Path) -> str:
    """Its verifier key."""
    return str(shown(directory)["verifier_key"])


@contextmanager
def serving(directory: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A witness's process; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (directory / "stderr").open("ab") as log:
        process = subprocess.Popen(command("serve", directory, "--port", str(port)), env=ENVIRONMENT, stderr=log)
    try:
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None, "the witness ended"
                assert time.monotonic() < deadline, "the witness did not begin"
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait(SECONDS)

"""The processes that are killed, seen from outside."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.zygote import ALL

ROOT = Path(__file__).parents[2]
SECONDS = 60.0
"""The most that anything here waits for."""


class Died(Exception):
    """The process ended before it answered."""


@dataclass
class Victim:
    """A process of the service."""

    role: str
    pid: int
    handle: int
    wire: socket.socket

    def __post_init__(self) -> None:
        # not in __del__: of a cycle that is collected as a whole, the socket may be finalized first, with a warning
        weakref.finalize(self, _let_go, self.handle, self.wire)

    def go(self) -> None:
        """Let it begin."""
        self.wire.send(b"!")

    def begun(self) -> Victim:
        """The same, once it is ready: a task's process alone; Died."""
        self.go()
        self._told()
        return self

    def run(self) -> str:
        """Let it do its task once; what came of it: `well`, `not well` or the error. Died."""
        try:
            self.wire.send(b"!")
        except OSError:
            raise Died(self.role) from None
        return self._told()

    def _told(self) -> str:
        if not select.select([self.wire], [], [], SECONDS)[0]:
            raise AssertionError(f"{self.role} does not answer")
        try:
            told = self.wire.recv(1000)
        except OSError:
            told = b""
        if not told:
            self.wait()
            raise Died(self.role)
        return told.decode()

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return not select.select([self.handle], [], [], 0)[0]

    def kill(self) -> None:
        """As `kill -9`; it is gone when this returns."""
        if self.alive:
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        self.wait()

    def wait(self) -> None:
        """Wait until it is gone."""
        assert select.select([self.handle], [], [], SECONDS)[0], f"{self.role} does not end"

    def threads(self) -> dict[str, int]:
        """Its threads by name; the last of those of one name, and the main thread as `main`."""
        found = {}
        for one in sorted(Path(f"/proc/{self.pid}/task").iterdir(), key=lambda path: int(path.name)):
            found[(one / "comm").read_text().strip()] = int(one.name)
        return found | {"main": self.pid}


def _let_go(handle: int, wire: socket.socket) -> None:
    os.close(handle)
    wire.close()


@dataclass
class Zygote:
    """What they are forked from."""

    channel: socket.socket
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fork(
        self,
        role: str,
        environment: Mapping[str, str],
        output: Path,
        arguments: Sequence[str] = (),
        tasks: Sequence[str] = (ALL,),
    ) -> Victim:
        """A process that waits for `go`."""
        request = {"role": role, "environment": dict(environment), "arguments": list(arguments), "tasks": list(tasks)}
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with there, output.open("ab") as file, self.lock:
            socket.send_fds(self.channel, [json.dumps(request).encode()], [there.fileno(), file.fileno()])
            pid, (handle, *_), _, _ = socket.recv_fds(self.channel, 100, 1)
        return Victim(role, int(pid), handle, here)


@contextmanager
def zygote() -> Iterator[Zygote]:
    """It, ready; whatever was forked from it ends with it."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEAL_")}
    with here:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.zygote", str(there.fileno())],
            pass_fds=[there.fileno()],
            cwd=ROOT,
            env=environment | {"PYTHONPATH": str(ROOT)},
        )
        there.close()
        try:
            assert here.recv(10) == b"ready"
            yield Zygote(here)
        finally:
            process.kill()
            process.wait()

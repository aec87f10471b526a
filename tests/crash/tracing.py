"""strace: which system calls a thread makes, and one of them that fails, or at which the process is killed."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

WRITES = ("write", "writev", "pwrite64", "pwritev", "ftruncate")
SYNCS = ("fsync", "fdatasync")
NAMES = ("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "mkdir", "mkdirat")
SENDS = ("sendto", "sendmsg")
"""To a socket: where a database server or a caller is told something."""
CALLS = (*WRITES, *SYNCS, *NAMES, *SENDS)

_LINE = re.compile(r"^(?:\d+ +)?(\w+)\(")
_ATTACH_SECONDS = 20.0


class Fault(StrEnum):
    """What happens at a call; the value is strace's."""

    KILLED = "signal=SIGKILL"
    """As `kill -9`, before the call is made."""
    IO_ERROR = "error=EIO"
    FULL = "error=ENOSPC"


def faults_at(call: str) -> Sequence[Fault]:
    """What may happen at a call: a socket does not become full, and has no disk that fails."""
    return (Fault.KILLED,) if call in SENDS else tuple(Fault)


def can_trace() -> bool:
    """Whether strace is installed and may trace here."""
    if shutil.which("strace") is None:
        return False
    with subprocess.Popen(["sleep", "60"]) as sleeping:
        try:
            with traced(sleeping.pid, "--trace=none"):
                return True
        except CannotTrace:
            return False
        finally:
            sleeping.kill()


class CannotTrace(Exception):
    """strace did not attach."""


@dataclass
class Trace:
    """What was seen of a process."""

    path: Path
    lines: list[str] = field(default_factory=list)

    @property
    def calls(self) -> Counter[str]:
        """How often each call was made."""
        return Counter(found[1] for line in self.lines if (found := _LINE.match(line)))

    @property
    def struck(self) -> bool:
        """Whether the fault came to pass."""
        return any("(INJECTED)" in line or "killed by SIGKILL" in line for line in self.lines)


@contextmanager
def traced(thread: int, *options: str) -> Iterator[Trace]:
    """strace is attached to a thread; what it saw is there when the block has ended."""
    with tempfile.NamedTemporaryFile(prefix="seal-crash-strace-") as file:
        # `when=` counts each thread's calls for itself, so one thread at a time is followed.
        command = ["strace", "-o", file.name, "-p", str(thread), *options]
        trace = Trace(Path(file.name))
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            first = process.stderr.readline()
            if "attached" not in first:
                process.wait(_ATTACH_SECONDS)
                raise CannotTrace(first)
            try:
                yield trace
            finally:
                process.send_signal(signal.SIGINT)  # it lets go of the thread
                process.wait(_ATTACH_SECONDS)
        trace.lines += trace.path.read_text(errors="replace").splitlines()


@contextmanager
def counted(thread: int, *options: str) -> Iterator[Trace]:
    """The calls of a thread are written down."""
    with traced(thread, f"--trace={','.join(CALLS)}", *options) as trace:
        yield trace


@contextmanager
def injected(thread: int, call: str, fault: Fault, number: int, *options: str) -> Iterator[Trace]:
    """The thread's `number`th such call from here on meets the fault."""
    with traced(thread, f"--trace={call}", f"--inject={call}:{fault}:when={number}", *options) as trace:
        yield trace

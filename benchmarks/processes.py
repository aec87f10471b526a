"""What a process and all below it use, read from /proc: processor time, memory.

RUSAGE_CHILDREN counts children only when they have ended; workers live on.
"""

from __future__ import annotations

import os
import re
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_PROC = Path("/proc")
_ROLLUP = re.compile(r"^(Pss|Pss_Shmem):\s+(\d+) kB", re.MULTILINE)
_GONE = (FileNotFoundError, ProcessLookupError)


def below(pid: int) -> list[int]:
    """The processes that this one started, and theirs, by their order in the tree."""
    parents: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            with suppress(*_GONE):
                # The name, in parentheses, may hold anything; state and parent follow the last one.
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                parents.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def cpu_seconds(pid: int) -> float:
    """Processor time of the live threads of a process, to the nanosecond; 0 when it is gone."""
    total = 0
    with suppress(*_GONE):
        for task in (_PROC / str(pid) / "task").iterdir():
            with suppress(*_GONE):
                total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


class CpuMeter:
    """Processor time since it was made: of this process, and of all below it that live at the end."""

    def __init__(self) -> None:
        self._others = {pid: cpu_seconds(pid) for pid in below(os.getpid())}
        self._own = time.process_time()

    def seconds(self) -> float:
        """So far."""
        own = time.process_time() - self._own
        return own + sum(max(0.0, cpu_seconds(pid) - self._others.get(pid, 0.0)) for pid in below(os.getpid()))


def tree_cpu_seconds(pid: int) -> float:
    """Processor time of the live threads of a process and of all below it."""
    return sum(cpu_seconds(one) for one in (pid, *below(pid)))


def all_cpu_seconds() -> float:
    """Processor time that the whole machine has spent on anything, since it was started."""
    user, nice, system, _idle, _waiting, *interrupts = (Path("/proc/stat").read_text().split("\n", 1)[0]).split()[1:8]
    return sum(map(int, (user, nice, system, *interrupts))) / os.sysconf("SC_CLK_TCK")


def tree_memory(pid: int) -> int:
    """Bytes that a process and all below it hold: proportional sets, and memory files whether mapped or not.

    A memory file (memfd) that nobody has mapped is in no set; what is mapped of it is, as shared memory.
    """
    own = shared = 0
    files: dict[int, int] = {}
    for one in (pid, *below(pid)):
        with suppress(*_GONE, PermissionError):
            told = dict(_ROLLUP.findall((_PROC / str(one) / "smaps_rollup").read_text()))
            own += (int(told["Pss"]) - int(told["Pss_Shmem"])) * 1024
            shared += int(told["Pss_Shmem"]) * 1024
            for handle in (_PROC / str(one) / "fd").iterdir():
                with suppress(*_GONE):
                    if os.readlink(handle).startswith("/memfd:"):
                        status = handle.stat()
                        files[status.st_ino] = status.st_blocks * 512
    return own + max(shared, sum(files.values()))


class MemorySampler:
    """Samples the memory of a process tree every few milliseconds as long as its context is open."""

    def __init__(self, pid: int, every: float) -> None:
        self.samples: list[int] = []
        self._pid = pid
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            self.samples.append(tree_memory(self._pid))
            if self._stop.wait(self._every):
                return

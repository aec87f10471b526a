"""限额: what one reading process may take of the machine, held by the kernel."""

from __future__ import annotations

import re
import resource
import signal
from dataclasses import dataclass
from pathlib import Path

_DATA = re.compile(r"^VmData:\s+(\d+) kB", re.MULTILINE)
_LARGEST_FILE = 1 << 30
_MOST_FILES = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingLimits:
    """限额 of one document."""

    seconds: float = 4.0
    """Of processor time, half of it where a document is rewritten; the process is killed after it."""
    bytes: int = 320 << 20
    """Of memory beside the document and what the programs take themselves; more is refused to it."""
    patience: float = 20.0
    """Seconds of the clock until it answers, on a machine that is busy with others."""
    waiting: float = 10.0
    """Seconds until a process comes free."""


def limit_this_process(limits: ReadingLimits) -> None:
    """For good: memory, no dumps, few open files, no large files; the kernel's first choice when memory runs out."""
    held = _DATA.search(Path("/proc/self/status").read_text(encoding="ascii"))
    allowed = (int(held[1]) << 10 if held else 0) + limits.bytes
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MOST_FILES, _MOST_FILES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an error to the writer instead
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def limit_time(seconds: float) -> None:
    """From now on; 0 lifts it. SIGPROF kills even what never comes back to the interpreter."""
    signal.setitimer(signal.ITIMER_PROF, seconds)

"""Where a measurement was made, and of what."""

from __future__ import annotations

import os
import platform
import re
import ssl
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def machine(directory: Path) -> dict[str, Any]:
    """The machine's facts; `directory` is where what is measured keeps its files."""
    memory = re.search(r"MemTotal:\s+(\d+)", _read("/proc/meminfo"))
    model = re.search(r"model name\s*:\s*(.+)", _read("/proc/cpuinfo"))
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": model[1].strip() if model else platform.machine(),
        "memory_gib": round(int(memory[1]) / (1 << 20), 1) if memory else None,
        "system": f"{platform.system()} {platform.release()}",
        "file_system": file_system(directory),
        "python": platform.python_version(),
        "openssl": _linked_openssl(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def commit() -> tuple[str | None, bool]:
    """The commit that is checked out, and whether the tree differs from it; None where there is no repository."""
    named = _git("rev-parse", "HEAD")
    return named, bool(named and _git("status", "--porcelain", "--", ":!benchmarks/results.json"))


def file_system(directory: Path) -> str | None:
    """The type of the file system that a directory lies on: on `tmpfs` nothing that is written is durable."""
    best, kind = "", None
    for line in _read("/proc/self/mounts").splitlines():
        _, mounted, found, *_ = line.split()
        if (directory.resolve() == Path(mounted) or Path(mounted) in directory.resolve().parents) and mounted >= best:
            best, kind = mounted, found
    return kind


def _linked_openssl() -> str:
    """Of `cryptography`, which signs; Python's own makes the digests."""
    from cryptography.hazmat.backends.openssl import backend

    return f"{backend.openssl_version_text()}; Python: {ssl.OPENSSL_VERSION}"


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None

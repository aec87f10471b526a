"""PostgreSQL's own programs for dumps: which are here, and how they are run without showing a password."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url

from seal_service.domain.errors import ProgramMissing, Unavailable

_DEBIANS = Path("/usr/lib/postgresql")
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_SECRETS = ("password", "sslpassword")
_CHUNK = 1 << 20
_STOP_SECONDS = 10


def program(name: str, server: int) -> str:
    """The path of a program for a server of this major version: of the same, else of the next newer one here.

    A newer `pg_restore` may say what an older server does not understand, an older `pg_dump` refuses a newer server.
    Raises ProgramMissing, naming Debian's package.
    """
    on_path = shutil.which(name)
    candidates = [*_DEBIANS.glob(f"*/bin/{name}"), *([Path(on_path)] if on_path else [])]
    fitting = sorted((major, str(path)) for path in candidates if (major := _major(path)) >= server)
    if not fitting:
        raise ProgramMissing(
            f"{name} for PostgreSQL {server} is not installed here (Debian: apt-get install postgresql-client-{server})"
        )
    return fitting[0][1]


def dumped(url: str, command: Iterable[str]) -> Iterator[bytes]:
    """What a program that reads the database at a URL writes; Unavailable, with what it said, when it fails."""
    with _running(url, command, stdout=subprocess.PIPE) as (process, said):
        stream = _pipe(process.stdout)
        while chunk := stream.read(_CHUNK):
            yield chunk
        _require_success(process, said)


def restored(url: str, command: Iterable[str], content: Iterable[bytes]) -> None:
    """Feed a program that writes to the database at a URL; it is killed, and so undone, when the content fails."""
    with _running(url, command, stdin=subprocess.PIPE) as (process, said):
        stream = _pipe(process.stdin)
        try:
            for chunk in content:
                stream.write(chunk)
            stream.close()
        except BrokenPipeError:
            pass  # it ended before; it says why
        _require_success(process, said)


@contextmanager
def _running(
    url: str, command: Iterable[str], *, stdin: int = subprocess.DEVNULL, stdout: int = subprocess.DEVNULL
) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """The process, and a file of what it says; it never outlives the block."""
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(  # noqa: S603 - a program of PostgreSQL's, found where it is installed
            [*command, f"--dbname={_conninfo(url)}", "--no-password"],
            stdin=stdin,
            stdout=stdout,
            stderr=said,
            env=_environment(url),
        ) as process,
    ):
        try:
            yield process, said
        except BaseException:
            process.kill()
            raise


def _require_success(process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
    if process.wait() != 0:
        said.seek(0)
        lines = said.read(1 << 16).decode(errors="replace").splitlines()
        told = next((line for line in lines if "error" in line or "fatal" in line.lower()), "nothing said")
        raise Unavailable(f"PostgreSQL's program failed: {told}")


def _conninfo(url: str) -> str:
    """libpq's connection string of a SQLAlchemy URL, without what may not be seen among the processes."""
    address = make_url(url)
    _, named = address.get_dialect()().create_connect_args(address)
    shown = {name: value for name, value in named.items() if name not in _SECRETS}
    return make_conninfo(**{"connect_timeout": 10, "target_session_attrs": "primary", **shown})


def _environment(url: str) -> dict[str, str]:
    password = make_url(url).password
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "SEAL_"))}
    kept = {name: os.environ[name] for name in ("PGPASSFILE", "PGSSLROOTCERT") if name in os.environ}
    return {**inherited, **kept, **({"PGPASSWORD": str(password)} if password is not None else {})}


def _major(path: Path) -> int:
    """A program's major version; 0 when it does not say."""
    try:
        said = subprocess.run(  # noqa: S603
            [path, "--version"], capture_output=True, text=True, timeout=_STOP_SECONDS, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = _VERSION.search(said)
    return int(found[1]) if found else 0


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise TypeError("The process was started without a pipe")
    return stream

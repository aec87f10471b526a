"""The session of the person at the command line: its token, in a file of the home, readable by its owner alone."""

from __future__ import annotations

import json
from pathlib import Path

from seal_service.cli.files import read_small, waiting_file
from seal_service.domain.errors import Unauthenticated

FILE_NAME = "session.json"


def stored(home: Path) -> str | None:
    """The token that `seal login` stored, or None; Unauthenticated when the file is not what it stored."""
    path = home / FILE_NAME
    if not path.exists():
        return None
    try:
        return str(json.loads(read_small(path, 4096))["token"])
    except (ValueError, KeyError, TypeError) as error:
        raise Unauthenticated(f"{path} is damaged") from error


def store(home: Path, token: str) -> Path:
    """Keep the token; the file's path."""
    path = home / FILE_NAME
    with waiting_file(path, mode=0o600) as file:
        file.write(json.dumps({"token": token}).encode())
    return path


def forget(home: Path) -> bool:
    """Remove the stored token; whether there was one."""
    path = home / FILE_NAME
    existed = path.exists()
    path.unlink(missing_ok=True)
    return existed

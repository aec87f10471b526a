"""Secrets in files of one line that are their owner's alone."""

from __future__ import annotations

import os
from pathlib import Path

from seal_service.domain.errors import InstanceNotReady

_MOST_BYTES = 1024


def load_secret(path: Path, name: str) -> str:
    """The secret from its file's one line; InstanceNotReady when it is missing, empty or not its owner's alone."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & 0o077:
                raise InstanceNotReady(
                    f"The {name} file {path} can be read by others (mode {mode & 0o777:04o}): chmod 600 it"
                )
            content = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InstanceNotReady(f"The {name} file {path} cannot be read: {error.strerror}") from error
    try:
        secret = content.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        secret = ""
    if not secret or "\n" in secret or len(content) > _MOST_BYTES:
        raise InstanceNotReady(f"The {name} file {path} does not hold one line with the {name}")
    return secret

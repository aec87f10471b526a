"""What a person is asked for: from the environment, at the terminal, or as a line of standard input."""

from __future__ import annotations

import os
import sys

import typer

from seal_service.domain.errors import Unauthenticated

PASSWORD = "SEAL_PASSWORD"  # noqa: S105 - the variable's name
NEW_PASSWORD = "SEAL_NEW_PASSWORD"  # noqa: S105 - the variable's name
CODE = "SEAL_CODE"
UKEY_PIN = "SEAL_UKEY_PIN"


def asked(what: str, variable: str | None = None, *, hidden: bool = True) -> str:
    """The answer; Unauthenticated when there is none."""
    given = os.environ.get(variable) if variable is not None else None
    if given:
        return given
    if sys.stdin.isatty():
        answer = str(typer.prompt(what, hide_input=hidden, err=True))
    else:
        answer = sys.stdin.readline().strip("\r\n")
    if not answer:
        raise Unauthenticated(f"No {what} was given")
    return answer

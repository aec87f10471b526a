"""Entry: the `seal` command, composed of its doors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from io import TextIOWrapper
from typing import TYPE_CHECKING

import typer

from seal_service.cli.application import program

if TYPE_CHECKING:
    from seal_service.bootstrap import Service


def _maintained(service: Service) -> AbstractContextManager[None]:
    from seal_service.jobs.maintenance import maintained  # the whole service hangs on it: only when it serves

    return maintained(service)


def seal_command(arguments: Sequence[str] = ()) -> typer.Typer:
    """The `seal` command for these arguments; for none, with all its verbs and nouns."""
    return program(_maintained, arguments)


def main() -> None:
    """Run `seal`; where the output's encoding lacks a sign, a question mark stands for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    seal_command(sys.argv[1:])(prog_name="seal")


if __name__ == "__main__":
    main()

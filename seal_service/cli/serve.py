"""seal serve: the HTTP service, with the maintenance that runs beside it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from seal_service.cli.options import example
from seal_service.cli.session import instance

if TYPE_CHECKING:
    from seal_service.bootstrap import Service

Maintained = Callable[["Service"], AbstractContextManager[None]]
"""Keeps an instance tidy as long as its context is open."""

EXAMPLE = example("seal serve", "seal serve --host 0.0.0.0 --port 8443 --workers 4")
APPLICATION = "seal_service.asgi:application"


def serving(maintained: Maintained) -> Callable[..., None]:
    """The command, with what is to run beside the server, once however many workers there are."""

    def serve(
        host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
        workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    ) -> None:
        """Serve the HTTP interface of this instance."""
        with instance() as service, maintained(service):
            import uvicorn

            from seal_service.bootstrap import settings_from_environment

            shown = f"[{host}]" if ":" in host else host
            print(f"seal: http://{shown}:{port} (Ctrl+C stops it)", file=sys.stderr)
            # The address in the log is the socket's: nobody may name another one by X-Forwarded-For.
            uvicorn.run(
                APPLICATION,
                factory=True,
                host=host,
                port=port,
                workers=workers,
                server_header=False,
                proxy_headers=False,
                log_level=settings_from_environment().log_level.lower(),
            )

    return serve

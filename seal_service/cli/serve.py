"""seal serve: the HTTP service, with the maintenance that runs beside it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated

import typer

from seal_service.cli.options import example
from seal_service.cli.session import instance
from seal_service.domain.errors import InvalidInput

if TYPE_CHECKING:
    from seal_service.bootstrap import Service

Maintained = Callable[["Service"], AbstractContextManager[None]]
"""Keeps an instance tidy as long as its context is open."""

EXAMPLE = example("seal serve", "seal serve --host 0.0.0.0 --port 8443 --workers 4")
APPLICATION = "seal_service.asgi:application"
MOST_CONNECTIONS = 512
"""Of one process; the next is answered with 503 at once."""
SECONDS_TO_ANSWER_PARENT = 60
"""After which a worker that does not answer its parent is taken for dead: longer than a document keeps Python busy."""
IDLE_SECONDS = 20
"""After which a connection without a request is closed."""


def serving(maintained: Maintained) -> Callable[..., None]:
    """The command, with what is to run beside the server, once however many workers there are."""

    def serve(
        host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
        workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    ) -> None:
        """Serve the HTTP interface of this instance."""
        from seal_service import bootstrap

        settings = bootstrap.settings_from_environment()
        require_free(host, port)
        bootstrap.log_as_server(settings)
        with instance() as service, maintained(service), bootstrap.key_process(settings):
            from uvicorn import Config

            from seal_service.cli.server import serve_in_this_process, serve_in_workers

            shown = f"[{host}]" if ":" in host else host
            if sys.stderr.isatty():  # elsewhere every line is a line of the log
                print(f"seal: http://{shown}:{port} (Ctrl+C stops it)", file=sys.stderr)
            config = Config(
                APPLICATION,
                factory=True,
                host=host,
                port=port,
                workers=workers,
                server_header=False,
                ws="none",
                proxy_headers=False,  # the application believes those whom the settings name
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=settings.shutdown_seconds,
                timeout_worker_healthcheck=SECONDS_TO_ANSWER_PARENT,
                access_log=False,  # it would print queries, which are personal: the door writes one itself
                log_level=settings.log_level.lower(),
                log_config=bootstrap.log_configuration(settings),
            )
            if workers == 1:
                started = serve_in_this_process(config)
            else:
                with bootstrap.measured_together() as ended:
                    started = serve_in_workers(config, ended)
        if not started:
            raise typer.Exit(1)

    return serve


def require_free(host: str, port: int) -> None:
    """Raise InvalidInput when nothing can listen there: asked before anything is said to be served."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise InvalidInput(f"Nothing can listen on {host} port {port}: {error.strerror}", field="port") from error

"""seal serve: the HTTP service, with the maintenance that runs beside it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any

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
        with instance() as service, maintained(service):
            import uvicorn

            from seal_service.bootstrap import settings_from_environment

            settings = settings_from_environment()
            require_free(host, port)
            shown = f"[{host}]" if ":" in host else host
            print(f"seal: http://{shown}:{port} (Ctrl+C stops it)", file=sys.stderr)
            # The client's address is the socket's, unless a proxy named in the settings tells another one.
            # The server's own access log would print queries, which are personal: the door writes one itself.
            uvicorn.run(
                APPLICATION,
                factory=True,
                host=host,
                port=port,
                workers=workers,
                server_header=False,
                ws="none",
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=[str(one) for one in settings.trusted_proxies],
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=IDLE_SECONDS,
                access_log=False,
                log_level=settings.log_level.lower(),
                log_config=log_configuration(settings.log_level),
            )

    return serve


def log_configuration(level: str) -> dict[str, Any]:
    """The server's log, one line each on standard error, for the service and for uvicorn (logging.config)."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            name: {"handlers": ["stderr"], "level": level, "propagate": False} for name in ("seal_service", "uvicorn")
        },
    }


def require_free(host: str, port: int) -> None:
    """Raise InvalidInput when nothing can listen there: asked before anything is said to be served."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise InvalidInput(f"Nothing can listen on {host} port {port}: {error.strerror}", field="port") from error

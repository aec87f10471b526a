"""Entry: settings → service → HTTP doors. `seal serve` runs it; a server's own access log would print personal data."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from fastapi import FastAPI

from seal_service.api.app import create_app
from seal_service.bootstrap import Service, build, log_as_server, settings_from_environment
from seal_service.web.app import add_pages
from seal_service.web.routers import ROUTERS as PAGES


def application() -> FastAPI:
    """The application of the instance that the environment (SEAL_…) describes."""
    settings = settings_from_environment()
    log_as_server(settings)
    parent = multiprocessing.parent_process()
    if parent is not None:
        _follow(parent)
    composed = compose(build(settings))
    gc.collect()
    gc.freeze()  # what is loaded stays: looking through it again would put off collecting what the documents leave
    return composed


def compose(service: Service) -> FastAPI:
    """The application of a service: the API, and the pages beside it."""
    app = create_app(service, *PAGES)
    add_pages(app)
    return app


def _follow(parent: BaseProcess) -> None:
    """Let a worker stop when its parent says so, and when its parent is gone; not of itself, at a terminal's Ctrl+C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end_with_parent() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=end_with_parent, name="parent", daemon=True).start()

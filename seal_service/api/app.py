"""The HTTP door as an ASGI application."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from seal_service.api import openapi
from seal_service.api.auth import calling_of
from seal_service.api.bodies import BodyBudget
from seal_service.api.edge import Edge
from seal_service.api.lately import LatelyFound
from seal_service.api.limits import TokenBuckets
from seal_service.api.problems import problem_of_error, problem_of_http, problem_of_validation
from seal_service.api.routers import ROUTERS, routes_of
from seal_service.api.schemas.health import ReadinessView
from seal_service.bootstrap import Service
from seal_service.domain.errors import SealServiceError

DOCUMENTS_A_THREAD = 2
"""Documents that may be held in memory for each worker thread: one in work, one waiting."""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Bound the worker threads (threads hurt short CPU work: scale with processes); close the service at the end."""
    service: Service = app.state.service
    anyio.to_thread.current_default_thread_limiter().total_tokens = service.worker_threads
    yield
    service.close()


async def _problem_of_http(request: Request, error: Exception) -> Response:
    """As `problem_of_http`, where a wrong method is told all that the address knows (RFC 9110, 15.5.6)."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        routes = routes_of(*ROUTERS, *request.app.state.more)
        known = (route.methods or () for route in routes if route.path_regex.match(request.url.path))
        error.headers = {"Allow": ", ".join(sorted({method for methods in known for method in methods}))}
    return problem_of_http(request, error)


def describe() -> FastAPI:
    """The application without a service: its routes and its contract, nothing that answers."""
    app = FastAPI(
        title=openapi.TITLE,
        version=openapi.version(),
        description=openapi.DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,  # the interactive pages load their scripts from elsewhere; /openapi.json is served
        redoc_url=None,
        redirect_slashes=False,
    )
    for router in ROUTERS:
        app.include_router(router)
    app.add_exception_handler(SealServiceError, problem_of_error)
    app.add_exception_handler(HTTPException, _problem_of_http)
    app.add_exception_handler(RequestValidationError, problem_of_validation)

    def contract() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi.contract_of(app)
        return app.openapi_schema

    app.openapi = contract  # type: ignore[method-assign]  # FastAPI's documented way to extend the contract
    return app


def create_app(service: Service, *more: APIRouter) -> FastAPI:
    """The application of a service. Raises TypeError when an endpoint declares another permission than its use case.

    More routers are those of the pages. The service is closed when the application shuts down.
    """
    for route in routes_of(*ROUTERS, *more):
        calling_of(route).check(service)
    app = describe()
    for router in more:
        app.include_router(router)
    if service.trusted_proxies:
        # The client's address is the socket's, unless a proxy named in the settings tells another one.
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(service.trusted_proxies))
    app.add_middleware(Edge)  # added last, so the outermost
    app.state.service = service
    app.state.more = more
    app.state.bodies = BodyBudget(DOCUMENTS_A_THREAD * service.worker_threads * service.document_bytes)
    app.state.buckets = TokenBuckets(time.monotonic)
    app.state.readiness = LatelyFound[ReadinessView](1.0, time.monotonic)
    return app

"""One file a resource. Every endpoint names the use case it calls (`Calling`), so that none is left unguarded."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.routing import APIRoute

from seal_service.api.auth import Calling, calling_of
from seal_service.api.routers import (
    accounts,
    activation,
    applications,
    certificate_requests,
    conveyances,
    grants,
    health,
    log,
    media,
    metrics,
    pki,
    prepared_uses,
    seals,
    status_changes,
    token,
    trace,
    units,
    uses,
    verifications,
)

ROUTERS: tuple[APIRouter, ...] = (
    token.router,
    units.router,
    accounts.router,
    applications.router,
    seals.router,
    status_changes.router,
    certificate_requests.router,
    uses.router,
    prepared_uses.router,
    media.router,
    activation.router,
    conveyances.router,
    grants.router,
    verifications.router,
    log.router,
    trace.router,
    pki.router,
    health.router,
    metrics.router,
)


def routes_of(*routers: APIRouter) -> Iterator[APIRoute]:
    """The endpoints of the routers."""
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                yield route


def callings() -> Iterator[Calling]:
    """What all endpoints call."""
    return (calling_of(route) for route in routes_of(*ROUTERS))

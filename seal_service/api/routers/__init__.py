"""One file a resource. Every endpoint names the use case it calls (`Calling`), so that none is left unguarded."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.routing import APIRoute

from seal_service.api.routers import (
    accounts,
    activation,
    application_systems,
    applications,
    certificate_requests,
    controlled_acts,
    conveyances,
    expiring,
    filings,
    grants,
    health,
    life,
    log,
    log_exports,
    media,
    metrics,
    notifications,
    people,
    pki,
    prepared_uses,
    published_log,
    scenarios,
    seals,
    sessions,
    status_changes,
    status_list,
    token,
    trace,
    unit_people,
    units,
    use_approvals,
    uses,
    verifications,
)

ROUTERS: tuple[APIRouter, ...] = (
    token.router,
    units.router,
    accounts.router,
    controlled_acts.router,
    application_systems.router,
    unit_people.router,
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
    scenarios.router,
    use_approvals.router,
    verifications.router,
    log.router,
    published_log.router,
    trace.router,
    log_exports.router,
    filings.router,
    pki.router,
    health.router,
    metrics.router,
    status_list.router,
    life.router,
    notifications.router,
    expiring.router,
    sessions.router,
    people.router,
)


def routes_of(*routers: APIRouter) -> Iterator[APIRoute]:
    """The endpoints of the routers."""
    for router in routers:
        for route in router.routes:
            if isinstance(route, APIRoute):
                yield route

"""One file a matter. Every page names the use case that it calls, as the endpoints of the API do."""

from __future__ import annotations

from fastapi import APIRouter

from seal_service.web.routers import factors, own, provider, seals, sign_in, status

ROUTERS: tuple[APIRouter, ...] = (
    own.router,
    sign_in.router,
    provider.router,
    factors.router,
    seals.router,
    status.router,
)

"""Entry: settings → service → HTTP door. `seal serve` runs it; a server's own access log would print personal data."""

from __future__ import annotations

from fastapi import FastAPI

from seal_service.api.app import create_app
from seal_service.bootstrap import build, settings_from_environment


def application() -> FastAPI:
    """The application of the instance that the environment (SEAL_…) describes."""
    return create_app(build(settings_from_environment()))

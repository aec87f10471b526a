"""Wiring: the only floor that knows every class; doors come here for a ready Service."""

from seal_service.bootstrap.instance import (
    certificates_of_files,
    database_is_current,
    initialise,
    is_initialised,
    settings_from_environment,
    upgrade_database,
)
from seal_service.bootstrap.service import Guarded, Service
from seal_service.bootstrap.wiring import build, verifier_without_instance

__all__ = [
    "Guarded",
    "Service",
    "build",
    "certificates_of_files",
    "database_is_current",
    "initialise",
    "is_initialised",
    "settings_from_environment",
    "upgrade_database",
    "verifier_without_instance",
]

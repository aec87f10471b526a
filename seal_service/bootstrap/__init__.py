"""Wiring: the only floor that knows every class; doors come here for a ready Service.

What is named here is loaded when it is first asked for: who verifies a document waits for no database.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seal_service.bootstrap.backups import restoring
    from seal_service.bootstrap.checking import check_configuration
    from seal_service.bootstrap.describing import facts_of
    from seal_service.bootstrap.environment import is_initialised, settings_from_environment
    from seal_service.bootstrap.instance import fresh_master_key, initialise, schema_of_database, upgrade_database
    from seal_service.bootstrap.key_processes import key_process
    from seal_service.bootstrap.observing import (
        log_as_command,
        log_as_server,
        log_configuration,
        measured_together,
    )
    from seal_service.bootstrap.service import Guarded, Service
    from seal_service.bootstrap.ukeys import sign_by_ukey
    from seal_service.bootstrap.verifying import (
        certificates_of_files,
        proven_uses,
        verifier_with_instance,
        verifier_without_instance,
    )
    from seal_service.bootstrap.wiring import build

_MODULE_OF = {
    "Guarded": "service",
    "Service": "service",
    "build": "wiring",
    "certificates_of_files": "verifying",
    "check_configuration": "checking",
    "fresh_master_key": "instance",
    "facts_of": "describing",
    "initialise": "instance",
    "is_initialised": "environment",
    "key_process": "key_processes",
    "log_as_command": "observing",
    "log_as_server": "observing",
    "log_configuration": "observing",
    "measured_together": "observing",
    "proven_uses": "verifying",
    "restoring": "backups",
    "schema_of_database": "instance",
    "settings_from_environment": "environment",
    "sign_by_ukey": "ukeys",
    "upgrade_database": "instance",
    "verifier_with_instance": "verifying",
    "verifier_without_instance": "verifying",
}

__all__ = [
    "Guarded",
    "Service",
    "build",
    "certificates_of_files",
    "check_configuration",
    "fresh_master_key",
    "facts_of",
    "initialise",
    "is_initialised",
    "key_process",
    "log_as_command",
    "log_as_server",
    "log_configuration",
    "measured_together",
    "proven_uses",
    "restoring",
    "schema_of_database",
    "settings_from_environment",
    "sign_by_ukey",
    "upgrade_database",
    "verifier_with_instance",
    "verifier_without_instance",
]


def __getattr__(name: str) -> object:
    """Load the module that holds a name (PEP 562)."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)

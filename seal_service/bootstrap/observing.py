"""What a process tells its operators: its log, and numbers that several processes count together."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from seal_service.config import Settings
from seal_service.observability import logging


def log_configuration(settings: Settings) -> dict[str, Any]:
    """The log of a server (logging.config), for a process that is started before it reads the settings."""
    return logging.configuration(_form(settings), settings.log_level)


def log_as_server(settings: Settings) -> None:
    """Let all that this process has to tell go through its log."""
    logging.log_as_server(_form(settings), settings.log_level)


def _form(settings: Settings) -> str:
    """As the settings say; where they say nothing, a person at a terminal reads text."""
    said = "log_format" in settings.model_fields_set
    return logging.TEXT if not said and sys.stderr.isatty() else settings.log_format


def log_as_command() -> None:
    """Let what a command tells beside its answer be redacted too: as text to a person, else as `seal serve` does.

    The environment is read as it is: a command that needs no settings is not to fail for them.
    """
    form = logging.TEXT if sys.stderr.isatty() else os.environ.get("SEAL_LOG_FORMAT", logging.JSON)
    level = os.environ.get("SEAL_LOG_LEVEL", "")
    logging.log_as_command(form, "ERROR" if level == "ERROR" else "WARNING")


def measured_together() -> AbstractContextManager[Callable[[int], None]]:
    """Measure the children of this process as one; what it yields is told the id of each that has ended."""
    from seal_service.observability import processes  # prometheus_client costs time that only a server has

    return processes.measured_together()

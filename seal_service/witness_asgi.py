"""Entry: a witness → its HTTP door. `seal witness serve` runs it; it needs neither settings nor an instance."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.applications import Starlette

from seal_service.api.witness import witness_app
from seal_service.bootstrap.witnessing import DIRECTORY_VARIABLE, LOGS_VARIABLE, standing_witness


def application() -> Starlette:
    """The application of the witness that the environment names."""
    logs = os.environ.get(LOGS_VARIABLE, "").split()
    return witness_app(standing_witness(Path(os.environ[DIRECTORY_VARIABLE]), logs).witness)

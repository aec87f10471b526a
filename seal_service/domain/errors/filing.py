"""What goes wrong with filings at the provincial registry (备案)."""

from __future__ import annotations

from seal_service.domain.errors.availability import Unavailable
from seal_service.domain.errors.missing import NotFound


class FilingNotFound(NotFound):
    """There is no such filing (备案)."""


class RegistryUnavailable(Unavailable):
    """The provincial registry does not answer, or not in its interface's form."""


class FilingRefused(Unavailable):
    """The provincial registry refused a filing, or what it needs is missing here."""

"""Port to what ends soon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from seal_service.domain.expiry import Expiring, ExpiringKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiringFilter:
    """Which: ending in (after, until), of a unit and a kind only if they are named, after a place in the list."""

    after: datetime
    until: datetime
    unit_id: str | None = None
    kind: ExpiringKind | None = None
    place: tuple[datetime, str, str] | None = None


class ExpiringQueries(Protocol):
    """What the database knows of it. Each call sees one consistent state."""

    def expiring(self, chosen: ExpiringFilter, limit: int) -> Sequence[Expiring]:
        """What ends first stands first."""


ExpiringSource = Callable[[], Sequence[Expiring]]
"""What is not in the database, such as files with certificates; of no unit."""

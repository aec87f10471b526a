"""Port to what signs lists of status."""

from __future__ import annotations

from typing import Protocol

from seal_service.domain.status_list import StatusList


class StatusListSigner(Protocol):
    """Signs with the key that is for it alone. Safe for threads."""

    def sign(self, content: StatusList) -> bytes:
        """The list as it is published; InstanceNotReady without a key for it."""

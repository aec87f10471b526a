"""Right in itself, wrong now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from seal_service.domain.errors.base import SealServiceError


class Conflict(SealServiceError):
    """This cannot be done in the present state."""


class TransitionRefused(Conflict):
    """The seal's state does not allow this action."""

    def __init__(self, state: str, action: str, allowed: Sequence[str], message: str | None = None) -> None:
        """Take the state now, the action asked for and the actions that would be allowed."""
        super().__init__(
            message or f"A seal that is {state} does not allow {action}; allowed: {', '.join(allowed) or 'nothing'}",
            state=state,
            action=action,
            allowed=list(allowed),
        )


class RenewalNotPossible(Conflict):
    """Renewal is possible only within the 90 days before the certificate expires (article 16)."""

    def __init__(self, possible_from: datetime, possible_until: datetime) -> None:
        """Take the window [possible_from, possible_until), UTC."""
        start, end = possible_from.isoformat(), possible_until.isoformat()
        super().__init__(
            f"Renewal is possible from {start} until {end}; after that a new seal is applied for (article 16)",
            possible_from=start,
            possible_until=end,
        )


class SecondPersonNeeded(SealServiceError):
    """This takes two people: the request waits for another security administrator to confirm it."""


class AlreadyDecided(Conflict):
    """The application is not waiting for this: see its state."""


class AlreadyRegistered(Conflict):
    """This is registered already."""


class IdempotencyKeyReused(Conflict):
    """This idempotency key was used for another request."""


class UseInProgress(Conflict):
    """The same use is being worked on: ask again shortly with the same key."""


class UseOvertaken(Conflict):
    """Seal, grant or reservation changed while the seal was being applied: nothing was released."""


class KeyInUse(Conflict):
    """The key is still needed and cannot be destroyed."""


class CertificatePending(Conflict):
    """The outside authority has not issued the certificate yet: the request is kept, ask again later."""

"""Why a seal's life does not go on as asked for."""

from __future__ import annotations

from seal_service.domain.errors.availability import Unavailable
from seal_service.domain.errors.conflict import Conflict
from seal_service.domain.errors.input import InvalidInput
from seal_service.domain.errors.missing import NotFound


class NameChangeRefused(Conflict):
    """A change of the unit's name is no change of its seal: cancel it, then apply for a new one naming it (23)."""


class MadeByCaller(Conflict):
    """A seal is marked invalid by someone other than who made it."""


class SealsStillValid(Conflict):
    """The unit's seals are cancelled before its name changes (article 23)."""


class NotificationNotFound(NotFound):
    """There is no such notification (通知)."""


class DeliveryFailed(Unavailable):
    """The notification was not taken."""


class StatusListRefused(InvalidInput):
    """This is no status list of an authority that is trusted here."""

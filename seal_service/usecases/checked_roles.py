"""Which roles an account may hold."""

from __future__ import annotations

from seal_service.domain.access import UNIT_STAFF, Role, incompatible
from seal_service.domain.errors import InvalidInput

ROLES_OF_UNITS = UNIT_STAFF | {Role.BUSINESS_SYSTEM}


def checked_roles(roles: tuple[Role, ...], unit_id: str | None) -> frozenset[Role]:
    """The roles as a set; InvalidInput for none, for two that check each other, or for a missing unit."""
    held = frozenset(roles)
    if not held:
        raise InvalidInput("An account has at least one role", field="roles")
    pair = incompatible(held)
    if pair is not None:
        names = " and ".join(sorted(role.value for role in pair))
        raise InvalidInput(f"One account cannot hold {names}: they check each other", field="roles")
    if held & ROLES_OF_UNITS and unit_id is None:
        raise InvalidInput("A unit's account or business system names its unit", field="unit_id")
    return held

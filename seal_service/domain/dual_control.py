"""双人控制: acts that take two people, the one who asks and another who confirms (等保三级; 管理员分权)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from seal_service.domain.access import Account, Role
from seal_service.domain.errors import AlreadyDecided, SelfDecisionRefused

TIME_TO_CONFIRM = timedelta(days=3)
"""After which a request lapses: what was right to ask for may no longer be."""


class ControlledAct(StrEnum):
    """What takes two people. Names are kept in the log and never change."""

    GIVE_ROLES = "give_roles"
    ADD_TRUST = "add_trust"
    REMOVE_TRUST = "remove_trust"
    ROTATE_AUTHORITY_KEY = "rotate_authority_key"
    DESTROY_KEY = "destroy_key"
    CHANGE_RETENTION = "change_retention"


class ControlledState(StrEnum):
    """待确认状态. `lapsed` is derived from the clock and never stored."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    DONE = "done"
    FAILED = "failed"
    REJECTED = "rejected"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlledRequest:
    """双人控制请求: one act as it was asked for, to the last word, and what became of it."""

    id: str
    act: ControlledAct
    command: str
    """The command as JSON: what is confirmed is what is done."""
    requested_by: str
    requested_at: datetime
    state: ControlledState = ControlledState.WAITING
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None
    """Why it was rejected, or failed when it was done."""


def state_at(request: ControlledRequest, now: datetime) -> ControlledState:
    """The state now: a request that nobody decided on in time has lapsed."""
    if request.state is ControlledState.WAITING and now >= request.requested_at + TIME_TO_CONFIRM:
        return ControlledState.LAPSED
    return request.state


def decided(
    request: ControlledRequest, by: str, now: datetime, *, confirmed: bool, reason: str | None = None
) -> ControlledRequest:
    """The request with the second person's decision.

    Raises SelfDecisionRefused for the person who asked, AlreadyDecided for a request that does not wait any more.
    """
    if by == request.requested_by:
        raise SelfDecisionRefused("What takes two people is confirmed by someone other than who asked for it")
    state = state_at(request, now)
    if state is not ControlledState.WAITING:
        raise AlreadyDecided(f"The request is {state.value}", state=state.value)
    outcome = ControlledState.CONFIRMED if confirmed else ControlledState.REJECTED
    return replace(request, state=outcome, decided_by=by, decided_at=now, reason=reason)


def reason_against(first: Account | None, second: Account | None, held: frozenset[Role]) -> str | None:
    """Why two accounts are not the two people that restoring a backup takes; None: they are.

    `held` are the roles of active accounts in the backup: one of a time before there were security administrators is
    restored by its system operator alone, an empty one by anybody.
    """
    present = [one for one in (first, second) if one is not None and one.disabled_at is None]
    administrators = {Role.SECURITY_ADMINISTRATOR, Role.SYSTEM_OPERATOR}
    if Role.SECURITY_ADMINISTRATOR not in held:
        well = not held & administrators or any(one.roles & administrators for one in present)
        return None if well else "the backup has no security administrators yet: its system operator restores it"
    if len({one.id for one in present}) != 2:
        return "it takes two different people with their client ids and secrets, as the backup knows them"
    if not all(one.roles & administrators for one in present):
        return "the two are security administrators, or one of them the system operator"
    if not any(Role.SECURITY_ADMINISTRATOR in one.roles for one in present):
        return "one of the two is a security administrator"
    return None


def carried_out(request: ControlledRequest, failure: str | None) -> ControlledRequest:
    """The confirmed request after its act was done, or could not be done."""
    return replace(
        request, state=ControlledState.FAILED if failure else ControlledState.DONE, reason=failure or request.reason
    )

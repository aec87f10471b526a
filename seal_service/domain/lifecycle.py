"""印章生命周期: which act a seal's state allows, and what its status was at a moment (articles 16, 23, 24)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from seal_service.domain.errors import RenewalNotPossible, TransitionRefused
from seal_service.domain.seal import Seal, SealState

RENEWAL_WINDOW = timedelta(days=90)
"""Article 16: 数字证书到期前90日内."""


class Action(StrEnum):
    """An act on a seal."""

    ACTIVATE = "activate"
    APPLY = "apply"
    RENEW = "renew"
    REPORT_LOSS = "report_loss"
    RESUME = "resume"
    CANCEL = "cancel"
    CHANGE = "change"
    INVALIDATE = "invalidate"
    RETURN_MEDIUM = "return_medium"
    DESTROY_MEDIUM = "destroy_medium"


_S, _A = SealState, Action

TRANSITIONS: dict[tuple[SealState, Action], SealState] = {
    (_S.MADE, _A.ACTIVATE): _S.ACTIVE,
    (_S.MADE, _A.CANCEL): _S.CANCELLED,
    (_S.ACTIVE, _A.APPLY): _S.ACTIVE,
    (_S.ACTIVE, _A.RENEW): _S.ACTIVE,
    (_S.ACTIVE, _A.REPORT_LOSS): _S.SUSPENDED,
    (_S.ACTIVE, _A.CANCEL): _S.CANCELLED,
    (_S.SUSPENDED, _A.RESUME): _S.ACTIVE,
    (_S.SUSPENDED, _A.CANCEL): _S.CANCELLED,
    (_S.EXPIRED, _A.CANCEL): _S.CANCELLED,
    (_S.ACTIVE, _A.CHANGE): _S.ACTIVE,
    (_S.MADE, _A.INVALIDATE): _S.CANCELLED,
    (_S.ACTIVE, _A.INVALIDATE): _S.CANCELLED,
    (_S.SUSPENDED, _A.INVALIDATE): _S.CANCELLED,
    (_S.EXPIRED, _A.INVALIDATE): _S.CANCELLED,
    (_S.CANCELLED, _A.INVALIDATE): _S.CANCELLED,
    (_S.CANCELLED, _A.RETURN_MEDIUM): _S.CANCELLED,
    (_S.CANCELLED, _A.DESTROY_MEDIUM): _S.CANCELLED,
}
"""The one table: what is not here is refused. It is printed into docs/reference/lifecycle.md."""


def state_at(seal: Seal, now: datetime) -> SealState:
    """印章状态 now: the stored state, or EXPIRED once the certificate's validity has ended (article 16)."""
    if seal.state is not SealState.CANCELLED and now >= seal.not_after:
        return SealState.EXPIRED
    return seal.state


def allowed_actions(state: SealState) -> tuple[Action, ...]:
    """The actions that the table allows in a state, in the table's order."""
    return tuple(action for (at, action) in TRANSITIONS if at is state)


def renewal_window(seal: Seal) -> tuple[datetime, datetime]:
    """续期窗口 [not_after − 90 days, not_after), UTC (article 16)."""
    return seal.not_after - RENEWAL_WINDOW, seal.not_after


def next_state(seal: Seal, action: Action, now: datetime) -> SealState:
    """The state after an action.

    Raises TransitionRefused with what is allowed instead; RenewalNotPossible outside article 16's window.
    """
    state = state_at(seal, now)
    start, end = renewal_window(seal)
    if action is Action.RENEW and state in (SealState.ACTIVE, SealState.EXPIRED) and not start <= now < end:
        raise RenewalNotPossible(start, end)
    after = TRANSITIONS.get((state, action))
    if after is None:
        raise TransitionRefused(state.value, action.value, [one.value for one in allowed_actions(state)])
    return after


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """状态变更: one change of a seal's status, as the log has it."""

    at: datetime
    state: SealState


def status_at(changes: Iterable[StatusChange], moment: datetime) -> SealState | None:
    """印章状态 at a moment in the past, by the logged changes; None before the seal was made."""
    status: SealState | None = None
    for change in sorted(changes, key=lambda one: one.at):
        if change.at > moment:
            break
        status = change.state
    return status


def status_when_sealed(
    changes: Sequence[StatusChange], signed_at: datetime, *, proven: bool, invalid_from: datetime | None = None
) -> SealState | None:
    """签章时状态: the seal's status when a signature was made, or None when it cannot be told.

    A time that only the signer claims counts only if the seal has been active ever since: who has a lost seal's key
    would claim a time before the loss. A time-stamp in whole seconds may lie up to a second before its moment.
    From the date on from which a seal was marked invalid it counts as cancelled, whatever it was taken for then.
    """
    moment = signed_at
    if status_at(changes, moment) in (None, SealState.MADE) and moment.microsecond == 0:
        moment += timedelta(seconds=1)
    if invalid_from is not None and moment >= invalid_from:
        return SealState.CANCELLED
    status = status_at(changes, moment)
    if proven or status is not SealState.ACTIVE:
        return status or (SealState.MADE if proven else None)
    later = (change.state for change in changes if change.at > moment)
    return status if invalid_from is None and all(state is SealState.ACTIVE for state in later) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """停用区间 [since, until): a seal was not active; it stays on record when the hold is lifted (article 24)."""

    since: datetime
    until: datetime | None
    """None: it still is not."""
    state: SealState


def suspensions(changes: Iterable[StatusChange]) -> tuple[Suspension, ...]:
    """The intervals in which a seal, once made, was suspended or cancelled, by the logged changes, oldest first."""
    found: list[Suspension] = []
    open_one: StatusChange | None = None
    for change in sorted(changes, key=lambda one: one.at):
        stopped = change.state in (SealState.SUSPENDED, SealState.CANCELLED)
        if open_one is not None and change.state is not open_one.state:
            found.append(Suspension(since=open_one.at, until=change.at, state=open_one.state))
            open_one = None
        if stopped and open_one is None:
            open_one = change
    if open_one is not None:
        found.append(Suspension(since=open_one.at, until=None, state=open_one.state))
    return tuple(found)

"""印章申请: an application for a seal and its decision (articles 12–14)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from seal_service.domain.errors import AlreadyDecided, InvalidInput, SelfDecisionRefused
from seal_service.domain.impression import Impression, SealType


class ApplicationState(StrEnum):
    """申请状态."""

    APPLIED = "applied"
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"
    MADE = "made"


class ApplicationKind(StrEnum):
    """申请种类: a new seal, or a change (变更) of one that is there."""

    NEW = "new"
    CHANGE = "change"


class Decision(StrEnum):
    """审批结论: approve, reject for good, or return for change."""

    APPROVE = "approve"
    REJECT = "reject"
    RETURN = "return"


_STATE_AFTER: dict[Decision, ApplicationState] = {
    Decision.APPROVE: ApplicationState.APPROVED,
    Decision.REJECT: ApplicationState.REJECTED,
    Decision.RETURN: ApplicationState.RETURNED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """印章申请: what article 12 asks for, who applied and what was decided."""

    id: str
    unit_id: str
    seal_name: str
    seal_type: SealType
    impression: Impression
    replaces_seal_code: str | None
    """The lost or cancelled seal that the new one takes the place of (article 24)."""
    state: ApplicationState
    applied_by: str
    applied_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_reason: str | None = None
    seal_code: str | None = None
    kind: ApplicationKind = ApplicationKind.NEW
    changes_seal_code: str | None = None
    """变更: the seal to be changed; name, type and impression above are those that it is to have."""
    keeper_id: str | None = None
    """变更: its new 印章管理员; None: as it was."""
    channel_unit_id: str | None = None
    """变更: the unit's new channel (扎口单位, article 13); None: as it was."""


def state_after_decision(
    application: Application, decision: Decision, decided_by: str, reason: str | None
) -> ApplicationState:
    """审批: the state that a decision leads to.

    Raises AlreadyDecided when it waits for none, SelfDecisionRefused when the applicant decides (articles 14, 18),
    InvalidInput when a rejection or return says no reason.
    """
    if application.state is not ApplicationState.APPLIED:
        raise AlreadyDecided(
            state=application.state.value,
            allowed=["revise"] if application.state is ApplicationState.RETURNED else [],
        )
    if application.applied_by == decided_by:
        raise SelfDecisionRefused
    if decision is not Decision.APPROVE and not (reason or "").strip():
        raise InvalidInput("A rejection or return needs a reason", field="reason")
    return _STATE_AFTER[decision]

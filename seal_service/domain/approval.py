"""用印审批: a use is asked for and decided before the seal is applied, bound to the document's digest (article 22)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from seal_service.domain.errors import ApprovalDecided, InvalidInput, InvalidTime, SelfDecisionRefused

MOST_DOCUMENTS = 1000
"""Digests that one decision covers."""
USUAL_VALIDITY = timedelta(days=7)
"""How long an approval can be used when nobody says otherwise."""
LONGEST_VALIDITY = timedelta(days=90)


class ApprovalState(StrEnum):
    """审批状态 as stored; that its time has passed is told by the clock."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class UseDecision(StrEnum):
    """用印审批结论."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedDocument:
    """One document of an approval, which may be sealed once."""

    sha256: str
    use_id: str | None = None
    """The use that took it; a use that fails gives it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UseApproval:
    """用印审批: who asked for which use, who decided, and until when the decision can be used."""

    id: str
    seal_code: str
    unit_id: str
    """The seal's: its people decide."""
    scenario: str
    title: str
    """用印事由: what is to be sealed, for whoever decides."""
    documents: int
    """How many documents it covers."""
    requested_by: str
    """The account that will apply the seal."""
    requested_at: datetime
    state: ApprovalState
    number: str
    """用章审批编号, as the log has it."""
    epoch: int = 1
    """Grows with every change that a use under way must not survive."""
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None
    """Of the decision, or of the withdrawal."""
    valid_until: datetime | None = None
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None


def require_decidable(approval: UseApproval, decision: UseDecision, decided_by: str, reason: str | None) -> None:
    """Raise ApprovalDecided when it waits for no decision, SelfDecisionRefused, InvalidInput (rejected, no reason)."""
    if approval.state is not ApprovalState.REQUESTED:
        raise ApprovalDecided(state=approval.state.value)
    if approval.requested_by == decided_by:
        raise SelfDecisionRefused("A use is approved by someone other than whoever asked for it (article 22)")
    if decision is UseDecision.REJECT and not (reason or "").strip():
        raise InvalidInput("A rejection needs a reason", field="reason")


def validity(until: datetime | None, now: datetime) -> datetime:
    """Until when an approval given now can be used; InvalidTime for a moment that is past or too far away."""
    chosen = until or now + USUAL_VALIDITY
    if not now < chosen <= now + LONGEST_VALIDITY:
        raise InvalidTime(
            f"An approval can be used for at most {LONGEST_VALIDITY.days} days from now", field="valid_until"
        )
    return chosen

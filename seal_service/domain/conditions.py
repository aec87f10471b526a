"""用印条件: a small closed family of values, each of which answers a use with a reason against it, or with none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seal_service.domain.approval import ApprovalState, ApprovedDocument, UseApproval
from seal_service.domain.grant import Grant
from seal_service.domain.scenario import RegisteredScenario, Scenario, accepts_seal_type
from seal_service.domain.seal import Seal

Reason = tuple[str, str]
"""A code that never changes, and a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundApproval:
    """用印审批 as far as one use is concerned: the decision, and the use's document among those it covers."""

    approval: UseApproval
    document: ApprovedDocument | None
    """None: the use's document is none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UseFacts:
    """What is known of a use when it is asked for."""

    account_id: str | None
    seal: Seal
    scenario: str
    document_sha256: str
    media_type: str
    now: datetime
    uses_counted: int
    """Of the grant, read under its lock."""


@dataclass(frozen=True, slots=True)
class Matches:
    """The grant is for this system or person, seal and scenario."""

    grantee_id: str
    seal_code: str
    scenario: str

    def refusal(self, facts: UseFacts) -> Reason | None:
        """grant_mismatch."""
        asked = (facts.account_id, facts.seal.code, facts.scenario)
        if asked == (self.grantee_id, self.seal_code, self.scenario):
            return None
        return "grant_mismatch", "the grant is for another system, seal or scenario"


@dataclass(frozen=True, slots=True)
class NotRevoked:
    """The grant stands."""

    revoked_at: datetime | None

    def refusal(self, facts: UseFacts) -> Reason | None:  # noqa: ARG002
        """grant_revoked."""
        if self.revoked_at is None:
            return None
        return "grant_revoked", f"the grant was revoked at {self.revoked_at.isoformat()}"


@dataclass(frozen=True, slots=True)
class Period:
    """授权期限."""

    valid_from: datetime
    valid_until: datetime

    def refusal(self, facts: UseFacts) -> Reason | None:
        """grant_not_yet_valid, grant_expired."""
        if facts.now < self.valid_from:
            return "grant_not_yet_valid", f"the grant is valid from {self.valid_from.isoformat()}"
        if facts.now >= self.valid_until:
            return "grant_expired", f"the grant ended at {self.valid_until.isoformat()}"
        return None


@dataclass(frozen=True, slots=True)
class Count:
    """授权次数."""

    maximum_uses: int | None

    def refusal(self, facts: UseFacts) -> Reason | None:
        """grant_used_up."""
        if self.maximum_uses is None or facts.uses_counted < self.maximum_uses:
            return None
        return "grant_used_up", f"the grant's {self.maximum_uses} uses are used up"


@dataclass(frozen=True, slots=True)
class MediaTypes:
    """文件类型: empty is any."""

    allowed: tuple[str, ...]

    def refusal(self, facts: UseFacts) -> Reason | None:
        """grant_media_type."""
        if not self.allowed or facts.media_type in self.allowed:
            return None
        return "grant_media_type", f"the grant is for {', '.join(self.allowed)}, the document is {facts.media_type}"


@dataclass(frozen=True, slots=True)
class Digests:
    """文件清单: the digests of the only documents that may be sealed; empty is any."""

    allowed: tuple[str, ...]

    def refusal(self, facts: UseFacts) -> Reason | None:
        """grant_other_document."""
        if not self.allowed or facts.document_sha256 in self.allowed:
            return None
        return "grant_other_document", f"the document is none of the {len(self.allowed)} that the grant lists"


@dataclass(frozen=True, slots=True)
class FitsSeal:
    """场景类别 and 印章类型 (article 21)."""

    scenario: Scenario

    def refusal(self, facts: UseFacts) -> Reason | None:
        """scenario_kind."""
        if accepts_seal_type(self.scenario.kind, facts.seal.seal_type):
            return None
        return "scenario_kind", "证明类 documents take the 电子证照查询专用章, and only they do (article 21)"


@dataclass(frozen=True, slots=True)
class InRegistry:
    """The scenario is registered and still used."""

    registered: RegisteredScenario | None

    def refusal(self, facts: UseFacts) -> Reason | None:
        """scenario_unregistered, scenario_inactive."""
        if self.registered is None:
            return "scenario_unregistered", f"the scenario {facts.scenario} is not registered"
        if not self.registered.active:
            return "scenario_inactive", f"the scenario {facts.scenario} is no longer used"
        return None


@dataclass(frozen=True, slots=True)
class Approved:
    """经批准同意后方可进行签章 (article 22)."""

    found: FoundApproval | None

    def refusal(self, facts: UseFacts) -> Reason | None:
        """no_approval, approval_undecided, _rejected, _withdrawn, _expired, _other_document, _used."""
        asked = (facts.account_id, facts.seal.code, facts.scenario)
        if self.found is None:
            return "no_approval", "nobody has approved this use (article 22)"
        approval, document = self.found.approval, self.found.document
        if asked != (approval.requested_by, approval.seal_code, approval.scenario):
            return "no_approval", "the approval is for another account, seal or scenario (article 22)"
        if approval.state is ApprovalState.REQUESTED:
            return "approval_undecided", "the approval has been asked for and is not decided yet"
        if approval.state is ApprovalState.REJECTED:
            return "approval_rejected", "the approval was refused"
        if approval.state is ApprovalState.WITHDRAWN:
            return "approval_withdrawn", "the approval was withdrawn"
        if approval.valid_until is None or facts.now >= approval.valid_until:
            return "approval_expired", "the approval's time has passed"
        if document is None:
            return "approval_other_document", "the approval is for another document"
        if document.use_id is not None:
            return "approval_used", f"the approval was used for this document by the use {document.use_id}"
        return None


Condition = Matches | NotRevoked | Period | Count | MediaTypes | Digests | FitsSeal | InRegistry | Approved
"""The whole family. How many pages a document has is known only when it is read: `SealingPermit.most_pages`."""


def conditions_of(grant: Grant) -> tuple[Condition, ...]:
    """授权条件."""
    return (
        Matches(grant.grantee_id, grant.seal_code, grant.scenario.code),
        NotRevoked(grant.revoked_at),
        Period(grant.valid_from, grant.valid_until),
        Count(grant.maximum_uses),
        MediaTypes(grant.media_types),
        Digests(grant.digests),
        FitsSeal(grant.scenario),
    )


def reasons_against(conditions: Sequence[Condition], facts: UseFacts) -> tuple[Reason, ...]:
    """Every reason, in the order of the conditions."""
    answers = (one.refusal(facts) for one in conditions)
    return tuple(one for one in answers if one is not None)

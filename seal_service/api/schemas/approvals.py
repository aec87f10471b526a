"""Wire forms of scenarios (用印场景) and use approvals (用印审批)."""

from __future__ import annotations

from pydantic import Field, StrictBool

from seal_service.api.schemas.common import Body, Digest, Moment, Name, ScenarioCode, SealCode, Text, View, example
from seal_service.domain.approval import MOST_DOCUMENTS, ApprovalState, UseApproval, UseDecision
from seal_service.domain.scenario import RegisteredScenario, ScenarioKind
from seal_service.usecases.read_approvals import ApprovalDetail


class RegisterScenarioBody(Body):
    """用印场景登记 (articles 20, 21)."""

    model_config = example(
        code="license.issue", kind="approval", name="证照核发", waived_for="政务服务平台审批流程",
        waiver_number="示政办〔2026〕3号",
    )  # fmt: skip

    code: ScenarioCode
    kind: ScenarioKind = Field(
        ScenarioKind.APPROVAL, description="证明类 (proof) takes the 电子证照查询专用章, and only that (article 21)."
    )
    name: Name
    waived_for: Name | None = Field(
        None, description="The named process whose approval stands in the place of ours; null: each use needs one."
    )
    waiver_number: Name | None = Field(None, description="文号 of the decision that sets our approval aside.")


class ChangeScenarioBody(Body):
    """用印场景变更: null leaves a field as it is."""

    model_config = example(active=False, reason="场景停用")

    reason: Text
    name: Name | None = None
    active: StrictBool | None = None
    waived_for: Name | None = None
    waiver_number: Name | None = None
    approval_required: StrictBool = Field(False, description="Ends a waiver: from now on each use needs an approval.")


class ScenarioView(View):
    """用印场景."""

    code: str
    kind: ScenarioKind
    name: str
    active: bool
    waived_for: str | None = Field(description="null: each use needs an approval of the seal's unit (article 22).")
    waiver_number: str | None
    registered_by: str
    registered_at: Moment
    changed_by: str | None
    changed_at: Moment | None

    @classmethod
    def of(cls, one: RegisteredScenario) -> ScenarioView:
        """The wire form."""
        return cls(
            code=one.code,
            kind=one.scenario.kind,
            name=one.name,
            active=one.active,
            waived_for=one.waiver.process if one.waiver is not None else None,
            waiver_number=one.waiver.document_number if one.waiver is not None else None,
            registered_by=one.registered_by,
            registered_at=one.registered_at,
            changed_by=one.changed_by,
            changed_at=one.changed_at,
        )


class ScenarioPage(View):
    """A page of scenarios, by code."""

    items: list[ScenarioView]
    next_cursor: str | None


class RequestApprovalBody(Body):
    """用印申请 (article 22): for one document or for each of a list."""

    model_config = example(
        seal_code="99990000000001", scenario="notice.issue", title="关于样例事项的通知", digests=["ab" * 32]
    )

    seal_code: SealCode
    scenario: ScenarioCode
    title: Name = Field(description="用印事由: what is to be sealed, for whoever decides.")
    digests: list[Digest] = Field(
        min_length=1, max_length=MOST_DOCUMENTS, description="SHA-256 of each document; each can be sealed once."
    )
    number: Name | None = Field(None, description="用章审批编号, as the log has it; null: the approval's id.")


class UseDecisionBody(Body):
    """用印审批结论."""

    model_config = example(decision="approve", valid_until="2026-03-08T00:00:00Z")

    decision: UseDecision
    reason: Text | None = Field(None, description="Needed to reject.")
    valid_until: Moment | None = Field(None, description="At most 90 days from now; null: a week.")


class WithdrawalBody(Body):
    """撤回."""

    model_config = example(reason="文件有误")

    reason: Text


class ApprovalView(View):
    """用印审批."""

    id: str
    seal_code: str
    unit_id: str
    scenario: str
    title: str
    documents: int = Field(description="How many it covers.")
    requested_by: str
    requested_at: Moment
    state: ApprovalState
    number: str
    decided_by: str | None
    decided_at: Moment | None
    reason: str | None
    valid_until: Moment | None
    withdrawn_by: str | None
    withdrawn_at: Moment | None

    @classmethod
    def of(cls, one: UseApproval) -> ApprovalView:
        """The wire form."""
        return cls.model_validate(one)


class ApprovedDocumentView(View):
    """A document of an approval, and the use that took it."""

    sha256: str
    use_id: str | None


class ApprovalDetailView(ApprovalView):
    """用印审批 with its documents."""

    covered: list[ApprovedDocumentView]

    @classmethod
    def of_detail(cls, detail: ApprovalDetail) -> ApprovalDetailView:
        """The wire form."""
        covered = [ApprovedDocumentView.model_validate(one) for one in detail.documents]
        return cls(**ApprovalView.of(detail.approval).model_dump(), covered=covered)


class ApprovalPage(View):
    """A page of approvals, newest first."""

    items: list[ApprovalView]
    next_cursor: str | None

"""A city on fakes in which uses are approved one by one, and short ways to their approvals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from seal_service.domain.access import Caller, Role
from seal_service.domain.approval import UseApproval, UseDecision
from seal_service.formats.upload import upload_of
from seal_service.usecases.apply_seal import AppliedSeal
from seal_service.usecases.approve_use import (
    DecideApproval,
    DecideApprovalUseCase,
    RequestApproval,
    RequestApprovalUseCase,
    WithdrawApproval,
    WithdrawApprovalUseCase,
)
from seal_service.usecases.manage_scenarios import ChangeScenarioUseCase, RegisterScenarioUseCase
from seal_service.usecases.read_approvals import ListApprovalsUseCase, ReadApprovalUseCase
from tests.city import Office

SCENARIO = "notice"


def sha256(content: bytes) -> str:
    """Of a document."""
    return upload_of(content).sha256_hex


@dataclass
class ApprovingOffice(Office):
    """An office whose system and applicant are granted a scenario that sets no approval aside."""

    def __post_init__(self) -> None:
        super().__post_init__()
        records, log, clock = self.records, self.log, self.clock
        self.register_scenario = RegisterScenarioUseCase(records, log, clock)
        self.change_scenario = ChangeScenarioUseCase(records, log, clock)
        self.request_approval = RequestApprovalUseCase(records, log, clock, self.entropy)
        self.decide_approval = DecideApprovalUseCase(records, log, clock)
        self.withdraw_approval = WithdrawApprovalUseCase(records, log, clock)
        self.list_approvals = ListApprovalsUseCase(records)
        self.read_approval = ReadApprovalUseCase(records)
        self.scenario(SCENARIO, waiver=None)
        self.applicant = self.account("applicant", Role.APPLICANT, self.holder)
        for one in (self.system, self.applicant):
            self.grant(self.keeper, self.made, one, scenario=SCENARIO)

    def asked(self, *contents: bytes, by: Caller | None = None, **fields: Any) -> UseApproval:
        """A request for some documents."""
        digests = tuple(sha256(one) for one in contents or (b"document",))
        given = {"seal_code": self.made.code, "scenario": SCENARIO, "title": "关于样例事项的通知", "digests": digests}
        return self.request_approval(by or self.system, RequestApproval(**(given | fields)))

    def decided(self, approval: UseApproval, decision: UseDecision = UseDecision.APPROVE, **fields: Any) -> UseApproval:
        """The unit's decision."""
        return self.decide_approval(self.keeper, DecideApproval(approval_id=approval.id, decision=decision, **fields))

    def approved(self, *contents: bytes, by: Caller | None = None, **fields: Any) -> UseApproval:
        """An approval of some documents."""
        return self.decided(self.asked(*contents, by=by), **fields)

    def withdrawn(self, approval: UseApproval, by: Caller | None = None) -> UseApproval:
        """The approval, withdrawn."""
        return self.withdraw_approval(by or self.keeper, WithdrawApproval(approval_id=approval.id, reason="文件有误"))

    def notice(self, key: str, content: bytes = b"document") -> AppliedSeal:
        """Apply the seal in the scenario that needs an approval."""
        return self.use(key, content, SCENARIO)

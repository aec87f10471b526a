"""用印许可: scenarios and use approvals, ready to be called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from seal_service.bootstrap.guarded import Answer, Command, Guarded, UseCase
from seal_service.bootstrap.rooms import Rooms
from seal_service.domain.approval import UseApproval
from seal_service.domain.paging import Page
from seal_service.domain.scenario import RegisteredScenario
from seal_service.usecases.approve_use import (
    DecideApproval,
    DecideApprovalUseCase,
    RequestApproval,
    RequestApprovalUseCase,
    WithdrawApproval,
    WithdrawApprovalUseCase,
)
from seal_service.usecases.manage_scenarios import (
    ChangeScenario,
    ChangeScenarioUseCase,
    ListScenarios,
    ListScenariosUseCase,
    ReadScenario,
    ReadScenarioUseCase,
    RegisterScenario,
    RegisterScenarioUseCase,
)
from seal_service.usecases.read_approvals import (
    ApprovalDetail,
    ListApprovals,
    ListApprovalsUseCase,
    ReadApprovalUseCase,
)
from seal_service.usecases.read_registers import ReadById


class Guard(Protocol):
    """Puts a use case behind its permission."""

    def __call__(self, use_case: UseCase[Command, Answer], /) -> Guarded[Command, Answer]:
        """The use case, guarded."""


@dataclass(frozen=True, kw_only=True)
class Permitting:
    """What decides on uses before they are asked for (articles 20–22)."""

    register_scenario: Guarded[RegisterScenario, RegisteredScenario]
    change_scenario: Guarded[ChangeScenario, RegisteredScenario]
    list_scenarios: Guarded[ListScenarios, Page[RegisteredScenario]]
    read_scenario: Guarded[ReadScenario, RegisteredScenario]
    request_approval: Guarded[RequestApproval, UseApproval]
    decide_approval: Guarded[DecideApproval, UseApproval]
    withdraw_approval: Guarded[WithdrawApproval, UseApproval]
    list_approvals: Guarded[ListApprovals, Page[UseApproval]]
    read_approval: Guarded[ReadById, ApprovalDetail]


def permitting(rooms: Rooms, guarded: Guard) -> Permitting:
    """Its use cases."""
    records, log, clock = rooms.records, rooms.log, rooms.clock
    return Permitting(
        register_scenario=guarded(RegisterScenarioUseCase(records, log, clock)),
        change_scenario=guarded(ChangeScenarioUseCase(records, log, clock)),
        list_scenarios=guarded(ListScenariosUseCase(records)),
        read_scenario=guarded(ReadScenarioUseCase(records)),
        request_approval=guarded(RequestApprovalUseCase(records, log, clock, rooms.entropy)),
        decide_approval=guarded(DecideApprovalUseCase(records, log, clock)),
        withdraw_approval=guarded(WithdrawApprovalUseCase(records, log, clock)),
        list_approvals=guarded(ListApprovalsUseCase(records)),
        read_approval=guarded(ReadApprovalUseCase(records)),
    )

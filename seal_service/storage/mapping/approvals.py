"""Scenarios and use approvals as rows, and back."""

from __future__ import annotations

from seal_service.domain.approval import ApprovalState, UseApproval
from seal_service.domain.scenario import ApprovalWaiver, RegisteredScenario, Scenario, ScenarioKind
from seal_service.storage.mapping.values import Values
from seal_service.storage.statement import Row


def scenario_values(registered: RegisteredScenario) -> Values:
    """Columns of `use_scenario`."""
    waiver = registered.waiver
    return {
        "code": registered.scenario.code,
        "kind": registered.scenario.kind.value,
        "name": registered.name,
        "active": registered.active,
        "waived_for": waiver.process if waiver is not None else None,
        "waiver_number": waiver.document_number if waiver is not None else None,
        "registered_by": registered.registered_by,
        "registered_at": registered.registered_at,
        "changed_by": registered.changed_by,
        "changed_at": registered.changed_at,
    }


def scenario_of(row: Row) -> RegisteredScenario:
    """用印场景 of a row."""
    waiver = None
    if row.waived_for is not None:
        waiver = ApprovalWaiver(process=row.waived_for, document_number=row.waiver_number)
    return RegisteredScenario(
        scenario=Scenario(code=row.code, kind=ScenarioKind(row.kind)),
        name=row.name,
        active=row.active,
        waiver=waiver,
        registered_by=row.registered_by,
        registered_at=row.registered_at,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
    )


def approval_values(approval: UseApproval) -> Values:
    """Columns of `use_approval`."""
    return {
        "id": approval.id,
        "seal_code": approval.seal_code,
        "unit_id": approval.unit_id,
        "scenario": approval.scenario,
        "title": approval.title,
        "documents": approval.documents,
        "requested_by": approval.requested_by,
        "requested_at": approval.requested_at,
        "state": approval.state.value,
        "number": approval.number,
        "epoch": approval.epoch,
        "decided_by": approval.decided_by,
        "decided_at": approval.decided_at,
        "reason": approval.reason,
        "valid_until": approval.valid_until,
        "withdrawn_by": approval.withdrawn_by,
        "withdrawn_at": approval.withdrawn_at,
    }


def approval_of(row: Row) -> UseApproval:
    """用印审批 of a row."""
    return UseApproval(
        id=row.id,
        seal_code=row.seal_code,
        unit_id=row.unit_id,
        scenario=row.scenario,
        title=row.title,
        documents=row.documents,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        state=ApprovalState(row.state),
        number=row.number,
        epoch=row.epoch,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        reason=row.reason,
        valid_until=row.valid_until,
        withdrawn_by=row.withdrawn_by,
        withdrawn_at=row.withdrawn_at,
    )

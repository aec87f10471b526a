"""Units, accounts and applications as rows, and back."""

from __future__ import annotations

from seal_service.domain.access import Account, Role
from seal_service.domain.application import Application, ApplicationKind, ApplicationState
from seal_service.domain.impression import SealType
from seal_service.domain.organization import Unit, UnitType
from seal_service.storage.mapping.impressions import impression_of, impression_values
from seal_service.storage.mapping.values import Values
from seal_service.storage.statement import Row


def unit_values(unit: Unit) -> Values:
    """Columns of `unit`."""
    return {
        "id": unit.id,
        "name": unit.name,
        "unit_type": unit.unit_type.value,
        "credit_code": unit.credit_code,
        "area_code": unit.area_code,
        "channel_unit_id": unit.channel_unit_id,
        "registered_at": unit.registered_at,
    }


def unit_of(row: Row) -> Unit:
    """单位 of a row."""
    return Unit(
        id=row.id,
        name=row.name,
        unit_type=UnitType(row.unit_type),
        credit_code=row.credit_code,
        area_code=row.area_code,
        channel_unit_id=row.channel_unit_id,
        registered_at=row.registered_at,
    )


def account_values(account: Account) -> Values:
    """Columns of `account`."""
    return {
        "id": account.id,
        "name": account.name,
        "roles": ",".join(sorted(role.value for role in account.roles)),
        "unit_id": account.unit_id,
        "secret_hash": account.secret_hash,
        "created_at": account.created_at,
        "disabled_at": account.disabled_at,
    }


def account_of(row: Row) -> Account:
    """账户 of a row."""
    return Account(
        id=row.id,
        name=row.name,
        roles=frozenset(Role(value) for value in row.roles.split(",") if value),
        unit_id=row.unit_id,
        secret_hash=row.secret_hash,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
    )


def application_values(application: Application) -> Values:
    """Columns of `application`."""
    return {
        "id": application.id,
        "unit_id": application.unit_id,
        "seal_name": application.seal_name,
        "seal_type": application.seal_type.value,
        **impression_values(application.impression),
        "replaces_seal_code": application.replaces_seal_code,
        "state": application.state.value,
        "applied_by": application.applied_by,
        "applied_at": application.applied_at,
        "decided_by": application.decided_by,
        "decided_at": application.decided_at,
        "decision_reason": application.decision_reason,
        "seal_code": application.seal_code,
        "kind": application.kind.value,
        "changes_seal_code": application.changes_seal_code,
        "keeper_id": application.keeper_id,
        "channel_unit_id": application.channel_unit_id,
    }


def application_of(row: Row) -> Application:
    """印章申请 of a row."""
    return Application(
        id=row.id,
        unit_id=row.unit_id,
        seal_name=row.seal_name,
        seal_type=SealType(row.seal_type),
        impression=impression_of(row),
        replaces_seal_code=row.replaces_seal_code,
        state=ApplicationState(row.state),
        applied_by=row.applied_by,
        applied_at=row.applied_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
        seal_code=row.seal_code,
        kind=ApplicationKind(row.kind),
        changes_seal_code=row.changes_seal_code,
        keeper_id=row.keeper_id,
        channel_unit_id=row.channel_unit_id,
    )

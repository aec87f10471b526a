"""Application systems, their credentials and units' persons as rows, and back."""

from __future__ import annotations

from seal_service.domain.machine import (
    ApplicationSystem,
    CredentialKind,
    MachineStanding,
    SystemChange,
    SystemCredential,
    SystemState,
    UnitPerson,
)
from seal_service.storage.mapping.values import Values
from seal_service.storage.statement import Row


def system_values(system: ApplicationSystem) -> Values:
    """Columns of `application_system`."""
    return {
        "id": system.id,
        "unit_id": system.unit_id,
        "name": system.name,
        "address": system.address,
        "network_environment": system.network_environment,
        "department": system.department,
        "source_networks": "\n".join(system.source_networks),
        "contacts": system.contacts,
        "state": system.state.value,
        "applied_by": system.applied_by,
        "applied_at": system.applied_at,
        "decided_by": system.decided_by,
        "decided_at": system.decided_at,
        "decision_reason": system.decision_reason,
        "account_id": system.account_id,
        **_change_values(system.change),
    }


def system_of(row: Row) -> ApplicationSystem:
    """接入系统 of a row."""
    return ApplicationSystem(
        id=row.id,
        unit_id=row.unit_id,
        name=row.name,
        address=row.address,
        network_environment=row.network_environment,
        department=row.department,
        source_networks=tuple(row.source_networks.splitlines()),
        contacts=row.contacts,
        state=SystemState(row.state),
        applied_by=row.applied_by,
        applied_at=row.applied_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
        account_id=row.account_id,
        change=None if row.change_id is None else _change_of(row),
    )


def _change_values(change: SystemChange | None) -> Values:
    return {
        "change_id": change.id if change else None,
        "change_address": change.address if change else None,
        "change_network_environment": change.network_environment if change else None,
        "change_department": change.department if change else None,
        "change_source_networks": "\n".join(change.source_networks) if change else None,
        "change_contacts": change.contacts if change else None,
        "change_asked_by": change.asked_by if change else None,
        "change_asked_at": change.asked_at if change else None,
        "change_state": change.state.value if change else None,
        "change_decided_by": change.decided_by if change else None,
        "change_decided_at": change.decided_at if change else None,
        "change_decision_reason": change.decision_reason if change else None,
    }


def _change_of(row: Row) -> SystemChange:
    return SystemChange(
        id=row.change_id,
        address=row.change_address,
        network_environment=row.change_network_environment,
        department=row.change_department,
        source_networks=tuple(row.change_source_networks.splitlines()),
        contacts=row.change_contacts,
        asked_by=row.change_asked_by,
        asked_at=row.change_asked_at,
        state=SystemState(row.change_state),
        decided_by=row.change_decided_by,
        decided_at=row.change_decided_at,
        decision_reason=row.change_decision_reason,
    )


def credential_values(credential: SystemCredential) -> Values:
    """Columns of `system_credential`."""
    return {
        "id": credential.id,
        "account_id": credential.account_id,
        "kind": credential.kind.value,
        "secret_hash": credential.secret_hash,
        "public_key": credential.public_key,
        "thumbprint": credential.thumbprint,
        "subject": credential.subject,
        "created_by": credential.created_by,
        "created_at": credential.created_at,
        "expires_at": credential.expires_at,
        "revoked_at": credential.revoked_at,
        "last_used_at": credential.last_used_at,
    }


def credential_of(row: Row) -> SystemCredential:
    """系统凭据 of a row."""
    return SystemCredential(
        id=row.id,
        account_id=row.account_id,
        kind=CredentialKind(row.kind),
        secret_hash=row.secret_hash,
        public_key=row.public_key,
        thumbprint=row.thumbprint,
        subject=row.subject,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


def standing_of(row: Row | None) -> MachineStanding:
    """What the joined row of an account's system and credential says; of nothing, that there is none."""
    if row is None:
        return MachineStanding(system_state=None, source_networks=(), credential_known=False)
    return MachineStanding(
        system_state=None if row.state is None else SystemState(row.state),
        source_networks=tuple((row.source_networks or "").splitlines()),
        credential_known=row.credential_id is not None,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
    )


def person_values(person: UnitPerson) -> Values:
    """Columns of `unit_person`."""
    return {
        "unit_id": person.unit_id,
        "reference": person.reference,
        "name_reference": person.name_reference,
        "content": person.content,
        "registered_by": person.registered_by,
        "registered_at": person.registered_at,
        "removed_at": person.removed_at,
    }


def person_of(row: Row) -> UnitPerson:
    """人员 of a row."""
    return UnitPerson(
        unit_id=row.unit_id,
        reference=row.reference,
        name_reference=row.name_reference,
        content=row.content,
        registered_by=row.registered_by,
        registered_at=row.registered_at,
        removed_at=row.removed_at,
    )

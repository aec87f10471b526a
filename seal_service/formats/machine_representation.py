"""Plain renderings of application systems, credentials and persons, in the shape of the HTTP interface."""

from __future__ import annotations

from dataclasses import asdict

from seal_service.domain.machine import ApplicationSystem, Contacts, SystemChange, SystemCredential
from seal_service.formats.representation import Plain, time, time_or_none


def system(one: ApplicationSystem) -> Plain:
    """接入系统, without its contacts."""
    return {
        "id": one.id,
        "unit_id": one.unit_id,
        "name": one.name,
        "address": one.address,
        "network_environment": one.network_environment,
        "department": one.department,
        "source_networks": list(one.source_networks),
        "state": one.state.value,
        "applied_by": one.applied_by,
        "applied_at": time(one.applied_at),
        "decided_by": one.decided_by,
        "decided_at": time_or_none(one.decided_at),
        "decision_reason": one.decision_reason,
        "account_id": one.account_id,
        "change": None if one.change is None else change(one.change),
    }


def change(one: SystemChange) -> Plain:
    """接入变更, without its contacts."""
    return {
        "id": one.id,
        "state": one.state.value,
        "address": one.address,
        "network_environment": one.network_environment,
        "department": one.department,
        "source_networks": list(one.source_networks),
        "asked_by": one.asked_by,
        "asked_at": time(one.asked_at),
        "decided_by": one.decided_by,
        "decided_at": time_or_none(one.decided_at),
        "decision_reason": one.decision_reason,
    }


def contacts(one: Contacts) -> Plain:
    """联系人."""
    return asdict(one)


def credential(one: SystemCredential) -> Plain:
    """系统凭据, without a secret."""
    return {
        "id": one.id,
        "account_id": one.account_id,
        "kind": one.kind.value,
        "thumbprint": one.thumbprint,
        "subject": one.subject,
        "created_by": one.created_by,
        "created_at": time(one.created_at),
        "expires_at": time(one.expires_at),
        "revoked_at": time_or_none(one.revoked_at),
        "last_used_at": time_or_none(one.last_used_at),
    }

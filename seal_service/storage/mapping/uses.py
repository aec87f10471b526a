"""Grants and uses as rows, and back."""

from __future__ import annotations

from seal_service.domain.grant import Grant
from seal_service.domain.scenario import Scenario, ScenarioKind
from seal_service.domain.use import IntentReference, SealUse, SignatureLevel, UseState
from seal_service.storage.mapping.values import Values
from seal_service.storage.statement import Row


def grant_values(grant: Grant) -> Values:
    """Columns of `use_grant`."""
    return {
        "id": grant.id,
        "seal_code": grant.seal_code,
        "grantee_id": grant.grantee_id,
        "scenario": grant.scenario.code,
        "scenario_kind": grant.scenario.kind.value,
        "valid_from": grant.valid_from,
        "valid_until": grant.valid_until,
        "maximum_uses": grant.maximum_uses,
        "responsible_person": grant.responsible_person,
        "approval_number": grant.approval_number,
        "granted_by": grant.granted_by,
        "granted_at": grant.granted_at,
        "epoch": grant.epoch,
        "revoked_at": grant.revoked_at,
        "media_types": "\n".join(grant.media_types),
        "most_pages": grant.most_pages,
        "digests": "\n".join(grant.digests),
    }


def grant_of(row: Row) -> Grant:
    """用印授权 of a row."""
    return Grant(
        id=row.id,
        seal_code=row.seal_code,
        grantee_id=row.grantee_id,
        scenario=Scenario(code=row.scenario, kind=ScenarioKind(row.scenario_kind)),
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        maximum_uses=row.maximum_uses,
        responsible_person=row.responsible_person,
        approval_number=row.approval_number,
        granted_by=row.granted_by,
        granted_at=row.granted_at,
        epoch=row.epoch,
        revoked_at=row.revoked_at,
        media_types=tuple(row.media_types.split()),
        most_pages=row.most_pages,
        digests=tuple(row.digests.split()),
    )


def use_values(use: SealUse) -> Values:
    """Columns of `seal_use`."""
    return {
        "id": use.id,
        "account_id": use.account_id,
        "idempotency_key": use.idempotency_key,
        "request_digest": use.request_digest,
        "seal_code": use.seal_code,
        "seal_epoch": use.seal_epoch,
        "grant_id": use.grant_id,
        "grant_epoch": use.grant_epoch,
        "scenario": use.scenario,
        "state": use.state.value,
        "document_sha256": use.document_sha256,
        "document_sm3": use.document_sm3,
        "intent_entry_id": use.intent.entry_id,
        "intent_leaf_hash": use.intent.leaf_hash,
        "reserved_at": use.reserved_at,
        "level_asked": use.level_asked.value,
        "level_reached": None if use.level_reached is None else use.level_reached.value,
        "repaired_sha256": use.repaired_sha256,
        "sealed_sha256": use.sealed_sha256,
        "terminal_entry_id": use.terminal_entry_id,
        "terminal_leaf_hash": use.terminal_leaf_hash,
        "ended_at": use.ended_at,
        "failure": use.failure,
        "document_kept_until": use.document_kept_until,
        "approval_id": use.approval_id,
        "approval_epoch": use.approval_epoch,
    }


def use_of(row: Row) -> SealUse:
    """用印 of a row."""
    return SealUse(
        id=row.id,
        account_id=row.account_id,
        idempotency_key=row.idempotency_key,
        request_digest=row.request_digest,
        seal_code=row.seal_code,
        seal_epoch=row.seal_epoch,
        grant_id=row.grant_id,
        grant_epoch=row.grant_epoch,
        scenario=row.scenario,
        state=UseState(row.state),
        document_sha256=row.document_sha256,
        document_sm3=row.document_sm3,
        intent=IntentReference(entry_id=row.intent_entry_id, leaf_hash=row.intent_leaf_hash),
        reserved_at=row.reserved_at,
        level_asked=SignatureLevel(row.level_asked),
        level_reached=None if row.level_reached is None else SignatureLevel(row.level_reached),
        repaired_sha256=row.repaired_sha256,
        sealed_sha256=row.sealed_sha256,
        terminal_entry_id=row.terminal_entry_id,
        terminal_leaf_hash=row.terminal_leaf_hash,
        ended_at=row.ended_at,
        failure=row.failure,
        document_kept_until=row.document_kept_until,
        approval_id=row.approval_id,
        approval_epoch=row.approval_epoch,
    )

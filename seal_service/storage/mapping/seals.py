"""Seals and their credentials as rows, and back."""

from __future__ import annotations

from collections.abc import Iterable

from seal_service.domain.algorithms import Suite
from seal_service.domain.impression import SealType
from seal_service.domain.seal import Credential, CredentialPurpose, Custody, Seal, SealState
from seal_service.storage.mapping.impressions import impression_of, impression_values
from seal_service.storage.mapping.values import Values
from seal_service.storage.statement import Row


def seal_values(seal: Seal) -> Values:
    """Columns of `seal`."""
    return {
        "code": seal.code,
        "name": seal.name,
        "seal_type": seal.seal_type.value,
        "unit_id": seal.unit_id,
        "application_id": seal.application_id,
        **impression_values(seal.impression),
        "state": seal.state.value,
        "version": seal.version,
        "epoch": seal.epoch,
        "not_after": seal.not_after,
        "made_at": seal.made_at,
        "replaces_seal_code": seal.replaces_seal_code,
        "state_reason": seal.state_reason,
        "document_number": seal.document_number,
        "history_note": seal.history_note,
        "invalid_from": seal.invalid_from,
        "medium_returned_on": seal.medium_returned_on,
        "medium_destroyed_on": seal.medium_destroyed_on,
        "keeper_id": seal.keeper_id,
    }


def seal_of(row: Row, credentials: Iterable[Row]) -> Seal:
    """电子印章 of a row and the rows of its credentials, in their order."""
    return Seal(
        code=row.code,
        name=row.name,
        seal_type=SealType(row.seal_type),
        unit_id=row.unit_id,
        application_id=row.application_id,
        impression=impression_of(row),
        state=SealState(row.state),
        version=row.version,
        epoch=row.epoch,
        credentials=tuple(_credential_of(one) for one in credentials),
        made_at=row.made_at,
        replaces_seal_code=row.replaces_seal_code,
        state_reason=row.state_reason,
        document_number=row.document_number,
        history_note=row.history_note,
        invalid_from=row.invalid_from,
        medium_returned_on=row.medium_returned_on,
        medium_destroyed_on=row.medium_destroyed_on,
        keeper_id=row.keeper_id,
    )


def credential_values(credential: Credential, seal_code: str, position: int) -> Values:
    """Columns of `seal_credential`."""
    return {
        "id": credential.id,
        "seal_code": seal_code,
        "position": position,
        "version": credential.version,
        "suite": credential.suite.value,
        "purpose": credential.purpose.value,
        "custody": credential.custody.value,
        "key_reference": credential.key_reference,
        "certificate": credential.certificate,
        "serial": credential.serial,
        "not_before": credential.not_before,
        "not_after": credential.not_after,
    }


def _credential_of(row: Row) -> Credential:
    return Credential(
        id=row.id,
        version=row.version,
        suite=Suite(row.suite),
        purpose=CredentialPurpose(row.purpose),
        custody=Custody(row.custody),
        key_reference=row.key_reference,
        certificate=row.certificate,
        serial=row.serial,
        not_before=row.not_before,
        not_after=row.not_after,
    )

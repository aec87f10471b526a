"""用印日志内容: what the log says of a use, and of what was sealed."""

from __future__ import annotations

import base64
import hashlib

from seal_service.domain.authorization import SealingPermit
from seal_service.domain.events import Event, EventKind, Result, Scalar
from seal_service.domain.grant import Grant
from seal_service.domain.organization import Unit
from seal_service.domain.seal import Seal
from seal_service.domain.use import UseRequest
from seal_service.ports.documents import SealedDocument
from seal_service.usecases.facts import credential_facts, seal_facts


def permit_facts(permit: SealingPermit) -> dict[str, Scalar]:
    """What a permit says: credential, grant and the epochs under which it was given."""
    return {
        **credential_facts(permit.credential),
        "grant_id": permit.grant_id,
        "approval_number": permit.approval_number,
        "approval_id": permit.approval_id,
        "approval_set_aside_for": permit.approval_set_aside_for,
        "seal_epoch": permit.seal_epoch,
        "grant_epoch": permit.grant_epoch,
        "approval_epoch": permit.approval_epoch,
        "level_asked": permit.level.value,
    }


def sealed_facts(sealed: SealedDocument) -> dict[str, Scalar]:
    """What was made: digests, level, signature value, position."""
    token, repaired = sealed.timestamp_token, sealed.repaired
    return {
        "repaired_sha256": repaired.sha256_hex if repaired is not None else None,
        "repaired_sm3": repaired.sm3_hex if repaired is not None else None,
        "repaired_size": len(repaired.content) if repaired is not None else None,
        "sealed_sha256": sealed.sha256,
        "sealed_sm3": sealed.sm3,
        "document_format": "PDF",
        "level": sealed.level.value,
        "lower_level_reason": sealed.lower_level_reason,
        "signature_algorithm": sealed.signature_algorithm,
        "signature_value": base64.b64encode(sealed.signature_value).decode(),
        "timestamp_sha256": hashlib.sha256(token).hexdigest() if token is not None else None,
        "position": ",".join(str(value) for value in (sealed.page, *sealed.box_um)),
        "field_name": sealed.field_name,
    }


def private_facts(request: UseRequest, grant: Grant | None) -> dict[str, str]:
    """What is personal of a use: it enters the log as commitments."""
    operator = request.operator
    named = {
        "document_name": request.document_name,
        "case_number": request.case_number,
        "operator_id": operator.id if operator else None,
        "operator_name": operator.name if operator else grant.responsible_person if grant else None,
        "operator_department": operator.department if operator else None,
    }
    return {name: value for name, value in named.items() if value}


def sha256_hex(text: str) -> str:
    """SHA-256 of a text, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def use_event(kind: EventKind, result: Result, seal: Seal, unit: Unit, request: UseRequest) -> Event:
    """The event of one step of a use."""
    return Event(
        kind=kind,
        result=result,
        seal_code=seal.code,
        unit_id=unit.id,
        scenario=request.scenario,
        document_sha256=request.document_sha256,
        facts={
            **seal_facts(seal, unit),
            "document_sm3": request.document_sm3,
            "document_size": request.document_size,
            "level_asked": request.level.value,
        },
    )

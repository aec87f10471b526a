"""Custody."""

from __future__ import annotations

from typing import Any

from seal_service.domain.activation import ActivationRecord
from seal_service.domain.algorithms import Suite
from seal_service.domain.conveyance import Conveyance
from seal_service.domain.medium import MediumAct, MediumEvent
from seal_service.domain.prepared_use import PreparedUse
from seal_service.storage.mapping.values import Values


def prepared_values(prepared: PreparedUse) -> Values:
    """Columns of a prepared use."""
    return {
        "use_id": prepared.use_id,
        "seal_code": prepared.seal_code,
        "to_be_signed": prepared.to_be_signed,
        "suite": prepared.suite.value,
        "certificate_serial": prepared.certificate_serial,
        "kept": prepared.kept,
        "prepared_at": prepared.prepared_at,
        "expires_at": prepared.expires_at,
        "attempts": prepared.attempts,
        "signature_sha256": prepared.signature_sha256,
        "released_at": prepared.released_at,
    }


def prepared_of(row: Any) -> PreparedUse:
    """The prepared use of a row."""
    return PreparedUse(
        use_id=row.use_id,
        seal_code=row.seal_code,
        to_be_signed=row.to_be_signed,
        suite=Suite(row.suite),
        certificate_serial=row.certificate_serial,
        kept=row.kept,
        prepared_at=row.prepared_at,
        expires_at=row.expires_at,
        attempts=row.attempts,
        signature_sha256=row.signature_sha256,
        released_at=row.released_at,
    )


def medium_event_values(event: MediumEvent) -> Values:
    """Columns of a line of a medium's history."""
    return {
        "id": event.id,
        "seal_code": event.seal_code,
        "position": event.position,
        "serial_number": event.serial_number,
        "version": event.version,
        "act": event.act.value,
        "at": event.at,
        "recorded_at": event.recorded_at,
        "recorded_by": event.recorded_by,
        "keeper": event.keeper,
        "giver": event.giver,
        "witness": event.witness,
    }


def medium_event_of(row: Any) -> MediumEvent:
    """The line of a row."""
    return MediumEvent(
        id=row.id,
        seal_code=row.seal_code,
        position=row.position,
        serial_number=row.serial_number,
        version=row.version,
        act=MediumAct(row.act),
        at=row.at,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        keeper=row.keeper,
        giver=row.giver,
        witness=row.witness,
    )


def activation_values(record: ActivationRecord) -> Values:
    """Columns of an activation record."""
    return {
        "seal_code": record.seal_code,
        "version": record.version,
        "taken_by": record.taken_by,
        "taken_at": record.taken_at,
        "failures": record.failures,
        "blocked_until": record.blocked_until,
    }


def activation_of(row: Any) -> ActivationRecord:
    """The activation record of a row."""
    return ActivationRecord(
        seal_code=row.seal_code,
        version=row.version,
        taken_by=row.taken_by,
        taken_at=row.taken_at,
        failures=row.failures,
        blocked_until=row.blocked_until,
    )


def conveyance_values(conveyance: Conveyance) -> Values:
    """Columns of a conveyance."""
    return {
        "id": conveyance.id,
        "seal_code": conveyance.seal_code,
        "system_id": conveyance.system_id,
        "handle_sha256": conveyance.handle_sha256,
        "conveyed_by": conveyance.conveyed_by,
        "conveyed_at": conveyance.conveyed_at,
        "withdrawn_at": conveyance.withdrawn_at,
    }


def conveyance_of(row: Any) -> Conveyance:
    """The conveyance of a row."""
    return Conveyance(
        id=row.id,
        seal_code=row.seal_code,
        system_id=row.system_id,
        handle_sha256=row.handle_sha256,
        conveyed_by=row.conveyed_by,
        conveyed_at=row.conveyed_at,
        withdrawn_at=row.withdrawn_at,
    )

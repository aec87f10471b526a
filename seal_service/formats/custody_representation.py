"""Plain renderings of media, activations and conveyances (article 20), in the shape of the HTTP interface."""

from __future__ import annotations

import base64
import hashlib

from seal_service.domain.activation import Activation, ActivationRecord
from seal_service.domain.conveyance import Conveyance
from seal_service.domain.medium import Medium, MediumEvent
from seal_service.domain.prepared_use import PreparedUse
from seal_service.domain.use import SealUse
from seal_service.formats.representation import Plain, time, time_or_none


def activation(record: ActivationRecord | None, found: Activation | None) -> Plain:
    """启用状态."""
    return {
        "taken": record is not None,
        "taken_at": time(record.taken_at) if record else None,
        "active": found is not None,
        "until": time(found.until) if found else None,
        "uses_left": found.uses_left if found else None,
        "blocked_until": time_or_none(record.blocked_until) if record else None,
    }


def prepared_use(use: SealUse, prepared: PreparedUse) -> Plain:
    """待签用印: what the seal's medium is to sign, and until when."""
    return {
        "id": use.id,
        "seal_code": use.seal_code,
        "state": use.state.value,
        "to_be_signed": base64.b64encode(prepared.to_be_signed).decode(),
        "digest_sha256": hashlib.sha256(prepared.to_be_signed).hexdigest(),
        "algorithm": prepared.suite.value,
        "certificate_serial": prepared.certificate_serial,
        "document_sha256": use.document_sha256,
        "expires_at": time(prepared.expires_at),
        "attempts": prepared.attempts,
    }


def medium_event(one: MediumEvent) -> Plain:
    """介质交接记录: one line."""
    return {
        "act": one.act.value,
        "at": time(one.at),
        "recorded_at": time(one.recorded_at),
        "recorded_by": one.recorded_by,
        "version": one.version,
        "keeper": one.keeper,
        "giver": one.giver,
        "witness": one.witness,
    }


def medium(one: Medium) -> Plain:
    """印章介质 and its history, oldest first."""
    return {
        "serial_number": one.serial_number,
        "seal_code": one.seal_code,
        "version": one.version,
        "keeper": one.keeper,
        "last": one.last.value,
        "history": [medium_event(each) for each in one.history],
    }


def conveyance(one: Conveyance) -> Plain:
    """导入记录, without the handle's digest."""
    return {
        "id": one.id,
        "seal_code": one.seal_code,
        "system_id": one.system_id,
        "conveyed_by": one.conveyed_by,
        "conveyed_at": time(one.conveyed_at),
        "withdrawn_at": time_or_none(one.withdrawn_at),
    }

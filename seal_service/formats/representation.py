"""Plain renderings of what the service keeps, one shape for the command line and for whoever reads its JSON.

Names are those of the HTTP interface: snake_case, RFC 3339 times in UTC with `Z`, digests and serial numbers in
lower-case hexadecimal. Nothing secret is rendered: no hash of a client secret, no reference to a key.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from seal_service.domain.access import Account
from seal_service.domain.application import Application
from seal_service.domain.approval import UseApproval
from seal_service.domain.certification import CertificateRequest, OutsideCertificate
from seal_service.domain.dual_control import ControlledRequest
from seal_service.domain.dual_control import state_at as state_of_request
from seal_service.domain.expiry import Expiring
from seal_service.domain.grant import Grant
from seal_service.domain.impression import Impression
from seal_service.domain.lifecycle import StatusChange, allowed_actions, renewal_window, state_at
from seal_service.domain.notification import Notification
from seal_service.domain.organization import Unit
from seal_service.domain.readiness import Dependency
from seal_service.domain.scenario import RegisteredScenario
from seal_service.domain.seal import Credential, Seal
from seal_service.domain.trust import AuthorityCertificate, TrustedCertificate
from seal_service.domain.use import SealUse
from seal_service.formats.canonical import decode
from seal_service.formats.pkcs10 import request_as_pem
from seal_service.ports.reading import StatisticsRow
from seal_service.ports.records import LogRow

Plain = dict[str, object]


def time(moment: datetime) -> str:
    """RFC 3339 in UTC: `2025-09-27T08:00:00Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def time_or_none(moment: datetime | None) -> str | None:
    """The time, or None."""
    return None if moment is None else time(moment)


def unit(one: Unit) -> Plain:
    """单位."""
    return {
        "id": one.id,
        "name": one.name,
        "unit_type": one.unit_type.value,
        "credit_code": one.credit_code,
        "area_code": one.area_code,
        "channel_unit_id": one.channel_unit_id,
        "registered_at": time(one.registered_at),
    }


def account(one: Account) -> Plain:
    """账户, without its secret's hash. Its id is the client id."""
    return {
        "id": one.id,
        "name": one.name,
        "roles": sorted(role.value for role in one.roles),
        "unit_id": one.unit_id,
        "created_at": time(one.created_at),
        "disabled_at": time_or_none(one.disabled_at),
    }


def controlled_request(one: ControlledRequest, now: datetime) -> Plain:
    """双人控制请求, with its state at a moment."""
    return {
        "id": one.id,
        "act": one.act.value,
        "command": one.command,
        "requested_by": one.requested_by,
        "requested_at": time(one.requested_at),
        "state": state_of_request(one, now).value,
        "decided_by": one.decided_by,
        "decided_at": time_or_none(one.decided_at),
        "reason": one.reason,
    }


def impression(one: Impression) -> Plain:
    """印模."""
    return {
        "digest": one.digest,
        "width_mm": one.width_mm,
        "height_mm": one.height_mm,
        "dpi": one.dpi,
        "ink_rgb": one.ink_rgb,
    }


def application(one: Application) -> Plain:
    """印章申请."""
    return {
        "id": one.id,
        "unit_id": one.unit_id,
        "seal_name": one.seal_name,
        "seal_type": one.seal_type.value,
        "impression": impression(one.impression),
        "replaces_seal_code": one.replaces_seal_code,
        "state": one.state.value,
        "applied_by": one.applied_by,
        "applied_at": time(one.applied_at),
        "decided_by": one.decided_by,
        "decided_at": time_or_none(one.decided_at),
        "decision_reason": one.decision_reason,
        "seal_code": one.seal_code,
        "kind": one.kind.value,
        "changes_seal_code": one.changes_seal_code,
        "keeper_id": one.keeper_id,
        "channel_unit_id": one.channel_unit_id,
    }


def credential(one: Credential) -> Plain:
    """签章凭据, without the reference to its key."""
    return {
        "version": one.version,
        "suite": one.suite.value,
        "purpose": one.purpose.value,
        "custody": one.custody.value,
        "serial": one.serial,
        "not_before": time(one.not_before),
        "not_after": time(one.not_after),
    }


def seal(one: Seal, now: datetime) -> Plain:
    """电子印章 as it is at a moment: `state` is the derived one, expiry included (article 16)."""
    state = state_at(one, now)
    return {
        "code": one.code,
        "name": one.name,
        "seal_type": one.seal_type.value,
        "unit_id": one.unit_id,
        "application_id": one.application_id,
        "impression": impression(one.impression),
        "state": state.value,
        "allowed_actions": [action.value for action in allowed_actions(state)],
        "state_reason": one.state_reason,
        "document_number": one.document_number,
        "version": one.version,
        "valid_from": time(one.not_before),
        "valid_until": time(one.not_after),
        "renewal_from": time(renewal_window(one)[0]),
        "made_at": time(one.made_at),
        "replaces_seal_code": one.replaces_seal_code,
        "history_note": one.history_note,
        "invalid_from": time_or_none(one.invalid_from),
        "medium_returned_on": time_or_none(one.medium_returned_on),
        "medium_destroyed_on": time_or_none(one.medium_destroyed_on),
        "keeper_id": one.keeper_id,
        "credentials": [credential(each) for each in one.credentials],
    }


def certificate_request(one: CertificateRequest) -> Plain:
    """证书申请, without the reference to its key."""
    return {
        "id": one.id,
        "seal_code": one.seal_code,
        "application_id": one.application_id,
        "suite": one.suite.value,
        "state": one.state.value,
        "requested_by": one.requested_by,
        "requested_at": time(one.requested_at),
        "ended_at": time_or_none(one.ended_at),
        "certificate_serial": one.certificate_serial,
        "pem": request_as_pem(one.request),
    }


def outside_certificate(one: OutsideCertificate) -> Plain:
    """外部机构证书."""
    return {
        "seal_code": one.seal_code,
        "serial": one.serial,
        "subject": one.subject,
        "issuer": one.issuer,
        "not_after": time(one.not_after),
        "status": one.status.value,
        "status_since": time_or_none(one.status_since),
        "reason": one.reason,
        "revoked_by_issuer": one.revoked_by_issuer,
    }


def grant(one: Grant) -> Plain:
    """用印授权."""
    return {
        "id": one.id,
        "seal_code": one.seal_code,
        "grantee_id": one.grantee_id,
        "scenario": one.scenario.code,
        "scenario_kind": one.scenario.kind.value,
        "valid_from": time(one.valid_from),
        "valid_until": time(one.valid_until),
        "maximum_uses": one.maximum_uses,
        "media_types": list(one.media_types),
        "most_pages": one.most_pages,
        "digests": list(one.digests),
        "responsible_person": one.responsible_person,
        "approval_number": one.approval_number,
        "granted_by": one.granted_by,
        "granted_at": time(one.granted_at),
        "revoked_at": time_or_none(one.revoked_at),
    }


def scenario(one: RegisteredScenario) -> Plain:
    """用印场景."""
    waiver = one.waiver
    return {
        "code": one.code,
        "kind": one.scenario.kind.value,
        "name": one.name,
        "active": one.active,
        "waived_for": waiver.process if waiver is not None else None,
        "waiver_number": waiver.document_number if waiver is not None else None,
        "registered_by": one.registered_by,
        "registered_at": time(one.registered_at),
        "changed_by": one.changed_by,
        "changed_at": time_or_none(one.changed_at),
    }


def approval(one: UseApproval) -> Plain:
    """用印审批."""
    return {
        "id": one.id,
        "seal_code": one.seal_code,
        "unit_id": one.unit_id,
        "scenario": one.scenario,
        "title": one.title,
        "documents": one.documents,
        "requested_by": one.requested_by,
        "requested_at": time(one.requested_at),
        "state": one.state.value,
        "number": one.number,
        "decided_by": one.decided_by,
        "decided_at": time_or_none(one.decided_at),
        "reason": one.reason,
        "valid_until": time_or_none(one.valid_until),
        "withdrawn_by": one.withdrawn_by,
        "withdrawn_at": time_or_none(one.withdrawn_at),
    }


def use(one: SealUse) -> Plain:
    """用印."""
    return {
        "id": one.id,
        "account_id": one.account_id,
        "seal_code": one.seal_code,
        "grant_id": one.grant_id,
        "approval_id": one.approval_id,
        "scenario": one.scenario,
        "state": one.state.value,
        "document_sha256": one.document_sha256,
        "repaired_sha256": one.repaired_sha256,
        "sealed_sha256": one.sealed_sha256,
        "level_asked": one.level_asked.value,
        "level_reached": None if one.level_reached is None else one.level_reached.value,
        "reserved_at": time(one.reserved_at),
        "ended_at": time_or_none(one.ended_at),
        "failure": one.failure,
        "document_kept_until": time_or_none(one.document_kept_until),
    }


def status_change(one: StatusChange) -> Plain:
    """状态变更."""
    return {"at": time(one.at), "state": one.state.value}


def counted(keys: Sequence[str], one: StatisticsRow) -> Plain:
    """统计: the values, what they are called now, and how many entries have them."""
    named = zip(keys, one.names, strict=True)
    return {
        "key": dict(zip(keys, one.key, strict=True)),
        "names": {key: name for key, name in named if name is not None},
        "count": one.count,
    }


def log_entry(one: LogRow) -> Plain:
    """日志条目: the columns that queries know, and `entry`, the canonical record whose hash is the leaf hash."""
    return {
        "entry_id": one.entry_id,
        "kind": one.kind.value,
        "at": time(one.at),
        "seq": one.seq,
        "result": one.result,
        "leaf_hash": one.leaf_hash.hex(),
        "account_id": one.account_id,
        "unit_id": one.unit_id,
        "seal_code": one.seal_code,
        "scenario": one.scenario,
        "operator_ref": one.operator_ref,
        "document_sha256": one.document_sha256,
        "use_id": one.use_id,
        "intent_id": one.intent_id,
        "entry": decode(one.canon),
    }


def trusted_certificate(one: TrustedCertificate, certificate: AuthorityCertificate) -> Plain:
    """信任锚 with what its certificate says of itself."""
    purposes = (("signatures", one.for_signatures), ("timestamps", one.for_timestamps))
    return {
        "id": one.id,
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": certificate.serial,
        "not_before": time(certificate.not_before),
        "not_after": time(certificate.not_after),
        "key": certificate.key,
        "signature": certificate.signature,
        "self_signed": certificate.is_self_signed,
        "trusted_for": [name for name, trusted in purposes if trusted],
        "revocation_addresses": list(one.revocation_addresses),
        "note": one.note,
        "added_by": one.added_by,
        "added_at": time(one.added_at),
        "confirmed_at": time(one.confirmed_at),
        "removed_at": time_or_none(one.removed_at),
    }


def dependency(one: Dependency) -> Plain:
    """What the service stands on, for the operator."""
    return {
        "name": one.name,
        "ready": one.ready,
        "warning": one.warning,
        "age_seconds": one.age_seconds,
        "detail": one.detail,
        "mend": one.mend,
    }


def notification(one: Notification) -> Plain:
    """通知."""
    return {
        "id": one.id,
        "event_id": one.event_id,
        "kind": one.kind,
        "subject": one.subject,
        "payload": one.payload,
        "channel": one.channel.value,
        "target": one.target,
        "created_at": time(one.created_at),
        "attempts": one.attempts,
        "next_at": time(one.next_at),
        "state": one.state.value,
        "last_error": one.last_error,
        "ended_at": time_or_none(one.ended_at),
    }


def expiring(one: Expiring) -> Plain:
    """到期事项."""
    return {
        "kind": one.kind.value,
        "id": one.id,
        "ends_at": time(one.ends_at),
        "name": one.name,
        "unit_id": one.unit_id,
        "seal_code": one.seal_code,
        "what_to_do": one.what_to_do,
    }

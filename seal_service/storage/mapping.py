"""Between domain and rows, by hand: `*_values` gives the columns of a thing, `*_of` the thing of a row."""

from __future__ import annotations

from collections.abc import Iterable

from seal_service.domain.access import Account, Role
from seal_service.domain.algorithms import Suite
from seal_service.domain.application import Application, ApplicationState
from seal_service.domain.events import EventKind
from seal_service.domain.grant import Grant
from seal_service.domain.impression import Impression, SealType
from seal_service.domain.issuance import AuthorityCredential, AuthorityRole, CertificateStatus, IssuedCertificate
from seal_service.domain.organization import Unit, UnitType
from seal_service.domain.scenario import Scenario, ScenarioKind
from seal_service.domain.seal import Credential, CredentialPurpose, Custody, Seal, SealState
from seal_service.domain.use import IntentReference, SealUse, SignatureLevel, UseState
from seal_service.ports.records import LogRow, PrivateField
from seal_service.storage.statement import Row

Values = dict[str, object]


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


def _impression_values(impression: Impression) -> Values:
    return {
        "impression_digest": impression.digest,
        "impression_width_mm": impression.width_mm,
        "impression_height_mm": impression.height_mm,
        "impression_dpi": impression.dpi,
        "impression_ink_rgb": impression.ink_rgb,
    }


def _impression_of(row: Row) -> Impression:
    return Impression(
        digest=row.impression_digest,
        width_mm=row.impression_width_mm,
        height_mm=row.impression_height_mm,
        dpi=row.impression_dpi,
        ink_rgb=row.impression_ink_rgb,
    )


def application_values(application: Application) -> Values:
    """Columns of `application`."""
    return {
        "id": application.id,
        "unit_id": application.unit_id,
        "seal_name": application.seal_name,
        "seal_type": application.seal_type.value,
        **_impression_values(application.impression),
        "replaces_seal_code": application.replaces_seal_code,
        "state": application.state.value,
        "applied_by": application.applied_by,
        "applied_at": application.applied_at,
        "decided_by": application.decided_by,
        "decided_at": application.decided_at,
        "decision_reason": application.decision_reason,
        "seal_code": application.seal_code,
    }


def application_of(row: Row) -> Application:
    """印章申请 of a row."""
    return Application(
        id=row.id,
        unit_id=row.unit_id,
        seal_name=row.seal_name,
        seal_type=SealType(row.seal_type),
        impression=_impression_of(row),
        replaces_seal_code=row.replaces_seal_code,
        state=ApplicationState(row.state),
        applied_by=row.applied_by,
        applied_at=row.applied_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
        seal_code=row.seal_code,
    )


def seal_values(seal: Seal) -> Values:
    """Columns of `seal`."""
    return {
        "code": seal.code,
        "name": seal.name,
        "seal_type": seal.seal_type.value,
        "unit_id": seal.unit_id,
        "application_id": seal.application_id,
        **_impression_values(seal.impression),
        "state": seal.state.value,
        "version": seal.version,
        "epoch": seal.epoch,
        "not_after": seal.not_after,
        "made_at": seal.made_at,
        "replaces_seal_code": seal.replaces_seal_code,
        "state_reason": seal.state_reason,
        "document_number": seal.document_number,
        "history_note": seal.history_note,
    }


def seal_of(row: Row, credentials: Iterable[Row]) -> Seal:
    """电子印章 of a row and the rows of its credentials, in their order."""
    return Seal(
        code=row.code,
        name=row.name,
        seal_type=SealType(row.seal_type),
        unit_id=row.unit_id,
        application_id=row.application_id,
        impression=_impression_of(row),
        state=SealState(row.state),
        version=row.version,
        epoch=row.epoch,
        credentials=tuple(_credential_of(one) for one in credentials),
        made_at=row.made_at,
        replaces_seal_code=row.replaces_seal_code,
        state_reason=row.state_reason,
        document_number=row.document_number,
        history_note=row.history_note,
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
    )


def certificate_values(issued: IssuedCertificate) -> Values:
    """Columns of `issued_certificate`."""
    return {
        "serial": issued.serial,
        "certificate": issued.certificate,
        "not_before": issued.not_before,
        "not_after": issued.not_after,
        "status": issued.status.value,
        "status_since": issued.status_since,
        "reason": issued.reason,
    }


def certificate_of(row: Row) -> IssuedCertificate:
    """证书 of a row."""
    return IssuedCertificate(
        serial=row.serial,
        certificate=row.certificate,
        not_before=row.not_before,
        not_after=row.not_after,
        status=CertificateStatus(row.status),
        status_since=row.status_since,
        reason=row.reason,
    )


def authority_values(credential: AuthorityCredential) -> Values:
    """Columns of `authority_credential`."""
    return {
        "role": credential.role.value,
        "version": credential.version,
        "key_reference": credential.key_reference,
        "certificate": credential.certificate,
        "not_before": credential.not_before,
        "not_after": credential.not_after,
    }


def authority_of(row: Row) -> AuthorityCredential:
    """The service's own credential of a row."""
    return AuthorityCredential(
        role=AuthorityRole(row.role),
        version=row.version,
        key_reference=row.key_reference,
        certificate=row.certificate,
        not_before=row.not_before,
        not_after=row.not_after,
    )


def log_values(entry: LogRow) -> Values:
    """Columns of `sign_log`."""
    return {
        "entry_id": entry.entry_id,
        "kind": entry.kind.value,
        "seq": entry.seq,
        "intent_id": entry.intent_id,
        "use_id": entry.use_id,
        "seal_code": entry.seal_code,
        "unit_id": entry.unit_id,
        "account_id": entry.account_id,
        "operator_ref": entry.operator_ref,
        "scenario": entry.scenario,
        "document_sha256": entry.document_sha256,
        "result": entry.result,
        "at": entry.at,
        "canon": entry.canon,
        "leaf_hash": entry.leaf_hash,
    }


def log_row_of(row: Row, private: Iterable[Row] = ()) -> LogRow:
    """日志条目 of a row and the rows of its private fields."""
    return LogRow(
        entry_id=row.entry_id,
        kind=EventKind(row.kind),
        at=row.at,
        seq=row.seq,
        result=row.result,
        canon=row.canon,
        leaf_hash=row.leaf_hash,
        account_id=row.account_id,
        unit_id=row.unit_id,
        seal_code=row.seal_code,
        scenario=row.scenario,
        operator_ref=row.operator_ref,
        document_sha256=row.document_sha256,
        use_id=row.use_id,
        intent_id=row.intent_id,
        private=tuple(PrivateField(name=one.name, ciphertext=one.ciphertext) for one in private),
    )

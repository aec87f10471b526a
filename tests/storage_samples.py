"""Domain objects of the fictional 示例市 for tests of the database; each differs by what a test names."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from seal_service.domain.access import Account, Role
from seal_service.domain.algorithms import Suite
from seal_service.domain.application import Application, ApplicationState
from seal_service.domain.events import EventKind, Result
from seal_service.domain.grant import Grant
from seal_service.domain.impression import Impression, SealType
from seal_service.domain.organization import Unit, UnitType
from seal_service.domain.scenario import Scenario, ScenarioKind
from seal_service.domain.seal import Credential, CredentialPurpose, Custody, Seal, SealState
from seal_service.domain.use import IntentReference, SealUse, SignatureLevel, UseState
from seal_service.ports.records import LogRow, PrivateField, Transaction

NOW = datetime(2026, 3, 1, 8, 30, 15, 123457, tzinfo=UTC)
CODE = "99990000000001"
IMPRESSION = Impression(digest="d" * 64, width_mm=42.25, height_mm=41.9, dpi=600, ink_rgb="c81e1e")


def later(**by: float) -> datetime:
    """A moment after NOW."""
    return NOW + timedelta(**by)


def digest_of(text: str) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def unit(unit_id: str = "unit-1", *, channel: str | None = None, area: str = "999900", at: datetime = NOW) -> Unit:
    return Unit(
        id=unit_id,
        name=f"示例市{unit_id}局",
        unit_type=UnitType.DEPARTMENT,
        credit_code=f"credit-{unit_id}",
        area_code=area,
        channel_unit_id=channel,
        registered_at=at,
    )


def account(account_id: str = "system-1", *, at: datetime = NOW) -> Account:
    return Account(
        id=account_id,
        name="示例市政务服务平台",
        roles=frozenset({Role.SEAL_KEEPER, Role.APPLICANT}),
        unit_id=None,
        secret_hash="$argon2id$",
        created_at=at,
    )


def application(application_id: str = "application-1", *, unit_id: str = "unit-1", at: datetime = NOW) -> Application:
    return Application(
        id=application_id,
        unit_id=unit_id,
        seal_name="示例市样章局",
        seal_type=SealType.LEGAL_NAME,
        impression=IMPRESSION,
        replaces_seal_code=None,
        state=ApplicationState.APPLIED,
        applied_by="system-1",
        applied_at=at,
    )


def credential(serial: str = "0a01", *, version: int = 1, until: datetime | None = None) -> Credential:
    return Credential(
        id=f"credential-{serial}",
        version=version,
        suite=Suite.ECDSA_P256,
        purpose=CredentialPurpose.SIGNING,
        custody=Custody.SERVER,
        key_reference=f"seal/{serial}",
        certificate=b"\x30\x00" + serial.encode(),
        serial=serial,
        not_before=NOW - timedelta(days=1),
        not_after=until or later(days=365),
    )


def seal(
    code: str = CODE,
    *,
    unit_id: str = "unit-1",
    application_id: str = "application-1",
    state: SealState = SealState.ACTIVE,
    until: datetime | None = None,
    at: datetime = NOW,
) -> Seal:
    return Seal(
        code=code,
        name=f"示例市样章{code[-2:]}",
        seal_type=SealType.LEGAL_NAME,
        unit_id=unit_id,
        application_id=application_id,
        impression=IMPRESSION,
        state=state,
        version=1,
        epoch=1,
        credentials=(credential(f"0a{code}", until=until),),
        made_at=at,
    )


def grant(
    grant_id: str = "grant-1",
    *,
    seal_code: str = CODE,
    grantee_id: str = "system-1",
    maximum_uses: int | None = None,
    at: datetime = NOW,
) -> Grant:
    return Grant(
        id=grant_id,
        seal_code=seal_code,
        grantee_id=grantee_id,
        scenario=Scenario(code="permit", kind=ScenarioKind.APPROVAL),
        valid_from=NOW,
        valid_until=later(days=30),
        maximum_uses=maximum_uses,
        responsible_person="样章责任人",
        approval_number="示样〔2026〕1号",
        granted_by="unit-client",
        granted_at=at,
    )


def use(
    use_id: str = "use-1",
    *,
    key: str | None = None,
    account_id: str = "system-1",
    document: str = "document",
    at: datetime = NOW,
) -> SealUse:
    return SealUse(
        id=use_id,
        account_id=account_id,
        idempotency_key=key or f"key of {use_id}",
        request_digest=digest_of("request"),
        seal_code=CODE,
        seal_epoch=1,
        grant_id="grant-1",
        grant_epoch=1,
        scenario="permit",
        state=UseState.RESERVED,
        document_sha256=digest_of(document),
        document_sm3=digest_of(document),
        intent=IntentReference(entry_id=f"intent of {use_id}", leaf_hash=b"\x01" * 32),
        reserved_at=at,
        level_asked=SignatureLevel.B_LT,
    )


def completed(reserved: SealUse, *, sealed: str = "sealed", kept_until: datetime | None = None) -> SealUse:
    return replace(
        reserved,
        state=UseState.COMPLETED,
        level_reached=SignatureLevel.B_T,
        repaired_sha256=digest_of(f"repaired, then {sealed}"),
        sealed_sha256=digest_of(sealed),
        terminal_entry_id=f"end of {reserved.id}",
        terminal_leaf_hash=b"\x02" * 32,
        ended_at=reserved.reserved_at + timedelta(seconds=1),
        document_kept_until=kept_until or later(hours=72),
    )


def failed(reserved: SealUse) -> SealUse:
    return replace(reserved, state=UseState.FAILED, ended_at=later(seconds=1), failure="self_check_failed: no")


def log_row(
    entry_id: str,
    kind: EventKind = EventKind.DOCUMENT_VERIFIED,
    *,
    at: datetime = NOW,
    seq: int | None = None,
    seal_code: str | None = None,
    unit_id: str | None = None,
    account_id: str | None = None,
    scenario: str | None = None,
    operator_ref: str | None = None,
    document_sha256: str | None = None,
    use_id: str | None = None,
    intent_id: str | None = None,
    result: Result = Result.SUCCESS,
    private: tuple[PrivateField, ...] = (),
) -> LogRow:
    canon = f'{{"id":"{entry_id}"}}'.encode()
    return LogRow(
        entry_id=entry_id,
        kind=kind,
        at=at,
        seq=seq,
        result=result.value,
        canon=canon,
        leaf_hash=hashlib.sha256(b"\x00" + canon).digest(),
        account_id=account_id,
        unit_id=unit_id,
        seal_code=seal_code,
        scenario=scenario,
        operator_ref=operator_ref,
        document_sha256=document_sha256,
        use_id=use_id,
        intent_id=intent_id,
        private=private,
    )


def add_seal_with_grant(transaction: Transaction, *, maximum_uses: int | None = None) -> None:
    """Everything that a use refers to: unit, application, seal, account and grant."""
    transaction.units.add(unit())
    transaction.accounts.add(account())
    transaction.applications.add(application())
    transaction.seals.add(seal())
    transaction.grants.add(grant(maximum_uses=maximum_uses))

"""验章报告 as JSON: the shape that people and systems outside rely on (docs: verification report)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from seal_service.domain.verdict import Check, SealFacts, SignatureReport, SignerFacts, VerificationReport


def report_as_json(report: VerificationReport) -> dict[str, Any]:
    """The report as plain values that JSON can hold; times in RFC 3339, UTC."""
    return {
        "file": report.file,
        "digest": {"sha256": report.sha256, "sm3": report.sm3},
        "media_type": report.media_type,
        "indication": report.indication.value,
        "sub_indication": report.sub_indication.value if report.sub_indication else None,
        "technically_valid": report.technically_valid,
        "signatures": [_signature(one) for one in report.signatures],
        "checks": [_check(one) for one in report.checks],
    }


def _signature(one: SignatureReport) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "indication": one.indication.value,
        "sub_indication": one.sub_indication.value if one.sub_indication else None,
        "technically_valid": one.technically_valid,
        "integrity": one.integrity,
        "coverage": one.coverage.value,
        "modifications": one.modifications.value,
        "level": one.level,
        "signed_at": _time(one.signed_at),
        "time_source": one.time_source,
        "signer": _signer(one.signer) if one.signer else None,
        "seal": _seal(one.seal) if one.seal else None,
        "checks": [_check(check) for check in one.checks],
        "intent_leaf_hash": one.intent_leaf_hash,
    }


def _signer(signer: SignerFacts) -> dict[str, Any]:
    return {
        "subject": signer.subject,
        "issuer": signer.issuer,
        "serial": signer.serial,
        "not_before": _time(signer.not_before),
        "not_after": _time(signer.not_after),
        "algorithm": signer.algorithm,
        "certificate_sha256": signer.certificate_sha256,
    }


def _seal(seal: SealFacts) -> dict[str, Any]:
    return {
        "code": seal.code,
        "name": seal.name,
        "holder": seal.holder,
        "status_now": seal.status_now.value if seal.status_now else None,
        "status_at_signing": seal.status_at_signing.value if seal.status_at_signing else None,
    }


def _check(check: Check) -> dict[str, Any]:
    return {"id": check.id, "outcome": check.outcome.value, "message": {"zh": check.zh, "en": check.en}}


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None

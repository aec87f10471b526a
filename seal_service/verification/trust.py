"""信任判断: path, revocation and key usage of a signer's certificate, for signatures and for time-stamps alike."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from asn1crypto import x509

from seal_service.domain.verdict import Check, Outcome
from seal_service.ports.crypto import RevocationSource
from seal_service.verification.certificate_path import find_path
from seal_service.verification.findings import Findings, Trust, check
from seal_service.verification.key_usage import may_sign_documents, may_timestamp
from seal_service.verification.limits import VerificationLimits
from seal_service.verification.path_revocation import RevocationChecker
from seal_service.verification.revocation import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustMaterial:
    """What one document is judged with: anchors, helping certificates, revocation data, whether to ask for more."""

    signature_anchors: tuple[x509.Certificate, ...]
    timestamp_anchors: tuple[x509.Certificate, ...]
    certificates: tuple[x509.Certificate, ...]
    evidence: Evidence
    source: RevocationSource | None
    limits: VerificationLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFinding:
    """Findings with trust added, the checks that led there, and the revocation data used."""

    findings: Findings
    checks: tuple[Check, ...]
    used: frozenset[bytes] = field(default_factory=frozenset)


_TRUST_WORDS = {
    Trust.TRUSTED: "证书链有效",
    Trust.NO_PATH: "找不到通往信任锚的证书链",
    Trust.EXPIRED: "证书已过期，且无时间戳证明签名早于过期",
    Trust.NOT_YET_VALID: "证书尚未生效",
    Trust.WEAK_ALGORITHM: "证书链使用了不再认可的算法",
    Trust.CONSTRAINTS: "证书链不符合约束",
    Trust.FAILED: "证书链验证失败",
}
_TRUST_OUTCOMES = {Trust.TRUSTED: Outcome.PASS, Trust.NO_PATH: Outcome.UNKNOWN}


def judge_trust(
    findings: Findings,
    certificate: x509.Certificate,
    material: TrustMaterial,
    at: datetime,
    *,
    stamped_at: datetime | None = None,
) -> TrustFinding:
    """Trust in a signer's certificate at a moment; `stamped_at`: it is a time-stamping unit's, used then."""
    usage, usage_check = (may_sign_documents if stamped_at is None else may_timestamp)(certificate)
    anchors = material.signature_anchors if stamped_at is None else material.timestamp_anchors
    found = find_path(certificate, anchors, material.certificates, at, material.limits.paths)
    outcome = _TRUST_OUTCOMES.get(found.trust, Outcome.FAIL)
    words = found.reason or "the chain leads to a trust anchor"
    chain_check = check("chain", outcome, _TRUST_WORDS[found.trust], words)
    findings = replace(findings, key_usage=usage, trust=found.trust)
    if found.trust is not Trust.TRUSTED or found.path is None:
        skipped = check("revocation", Outcome.SKIPPED, "未检查吊销状态", "not checked without a valid chain")
        return TrustFinding(findings=findings, checks=(usage_check, chain_check, skipped))
    checker = RevocationChecker(
        embedded=material.evidence,
        certificates=material.certificates,
        source=material.source,
        most_items=material.limits.revocation_items,
    )
    status = checker.check_path(found.path, stamped_at or at, timestamp=stamped_at is not None)
    return TrustFinding(
        findings=replace(findings, revocation=status.revocation),
        checks=(usage_check, chain_check, status.check),
        used=status.used,
    )

"""Indication: the conclusion from findings (EN 319 102-1, 5.1.4, 5.3, 5.5). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from seal_service.domain.verdict import Indication, Modifications, Outcome, SubIndication
from seal_service.verification.findings import Findings, Revocation, Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """验章结论 of one signature."""

    indication: Indication
    sub_indication: SubIndication | None
    technically_valid: bool


def conclude(findings: Findings) -> Conclusion:
    """The first reason against the signature, in the order of the standard's building blocks; else TOTAL_PASSED."""
    failed = _failed(findings)
    if failed is not None:
        return Conclusion(indication=Indication.TOTAL_FAILED, sub_indication=failed, technically_valid=False)
    undecided = _undecided(findings)
    return Conclusion(
        indication=Indication.TOTAL_PASSED if undecided is None else _indication(undecided, findings),
        sub_indication=undecided,
        technically_valid=_technically_valid(findings),
    )


def _failed(findings: Findings) -> SubIndication | None:
    """What no trust and no later proof can repair."""
    if findings.format is Outcome.FAIL:
        return SubIndication.FORMAT_FAILURE
    if findings.supported is Outcome.FAIL:
        return None
    if findings.byte_range is Outcome.FAIL:
        return SubIndication.FORMAT_FAILURE
    if findings.digest is Outcome.FAIL:
        return SubIndication.HASH_FAILURE
    if findings.signature_value is Outcome.FAIL:
        return SubIndication.SIG_CRYPTO_FAILURE
    if findings.modifications is Modifications.CHANGED:
        return SubIndication.DOCUMENT_CHANGED
    return None


def _undecided(findings: Findings) -> SubIndication | None:
    if findings.supported is Outcome.FAIL:
        return SubIndication.NOT_SUPPORTED
    if findings.signer is not Outcome.PASS:
        return SubIndication.NO_SIGNING_CERTIFICATE_FOUND
    if not findings.integrity:
        return SubIndication.SIGNED_DATA_NOT_FOUND
    if findings.attributes is Outcome.FAIL:
        return SubIndication.SIG_CONSTRAINTS_FAILURE
    return _distrusted(findings) or _constrained(findings)


def _distrusted(findings: Findings) -> SubIndication | None:
    """X.509 certificate validation and past signature validation (5.2.6, 5.5.4)."""
    return {
        Trust.TRUSTED: None,
        Trust.NO_PATH: SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
        Trust.UNCHECKED: SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
        Trust.EXPIRED: SubIndication.OUT_OF_BOUNDS_NO_POE,
        Trust.NOT_YET_VALID: SubIndication.NOT_YET_VALID,
        Trust.WEAK_ALGORITHM: SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
        Trust.CONSTRAINTS: SubIndication.CHAIN_CONSTRAINTS_FAILURE,
        Trust.FAILED: SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE,
    }[findings.trust]


def _constrained(findings: Findings) -> SubIndication | None:
    if findings.key_usage is not Outcome.PASS:
        return SubIndication.CHAIN_CONSTRAINTS_FAILURE
    if findings.revocation is Revocation.REVOKED:
        return SubIndication.REVOKED if findings.time_proven else SubIndication.REVOKED_NO_POE
    if findings.revocation is Revocation.ISSUER_REVOKED:
        return SubIndication.REVOKED_NO_POE
    if findings.algorithm is not Outcome.PASS:
        return SubIndication.CRYPTO_CONSTRAINTS_FAILURE
    if findings.revocation is not Revocation.GOOD:
        return SubIndication.TRY_LATER
    if findings.order is Outcome.FAIL:
        return SubIndication.TIMESTAMP_ORDER_FAILURE
    if findings.modifications not in (Modifications.NONE, Modifications.ALLOWED):
        return SubIndication.DOCUMENT_CHANGED
    return None


def _indication(sub: SubIndication, findings: Findings) -> Indication:
    """REVOKED, and a proven time before the certificate's validity, fail for good; all else may yet be proven."""
    final = sub is SubIndication.REVOKED or (sub is SubIndication.NOT_YET_VALID and findings.time_proven)
    return Indication.TOTAL_FAILED if final else Indication.INDETERMINATE


def _technically_valid(findings: Findings) -> bool:
    """The answer apart from trust and time."""
    return (
        findings.format is Outcome.PASS
        and findings.supported is Outcome.PASS
        and findings.byte_range is Outcome.PASS
        and findings.signer is Outcome.PASS
        and findings.integrity
        and findings.attributes is not Outcome.FAIL
        and findings.algorithm_sound
        and findings.modifications in (Modifications.NONE, Modifications.ALLOWED)
    )

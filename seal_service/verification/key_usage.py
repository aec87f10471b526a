"""密钥用途: what a certificate may be used for (RFC 5280, 4.2.1; RFC 3161, 2.3)."""

from __future__ import annotations

from typing import Any

from seal_service.domain.verdict import Check, Outcome
from seal_service.verification.findings import check


def may_sign_documents(certificate: Any) -> tuple[Outcome, Check]:
    """Whether a certificate may sign documents: no CA, digitalSignature or nonRepudiation; no extended use is asked."""
    constraints = certificate.basic_constraints_value
    if constraints is not None and constraints["ca"].native:
        return Outcome.FAIL, check("key_usage", Outcome.FAIL, "签名证书是 CA 证书", "a CA's certificate signed")
    usage = certificate.key_usage_value
    if usage is not None and not {"digital_signature", "non_repudiation"} & usage.native:
        en = f"the key is for {', '.join(sorted(usage.native))} only"
        return Outcome.FAIL, check("key_usage", Outcome.FAIL, "证书密钥用途不允许签名", en)
    return Outcome.PASS, check("key_usage", Outcome.PASS, "证书密钥用途允许签名", "the key may sign")


def may_timestamp(certificate: Any) -> tuple[Outcome, Check]:
    """Whether a certificate is one of a time-stamping unit: the extended use, alone and critical."""
    extended = certificate.extended_key_usage_value
    if (
        extended is None
        or extended.native != ["time_stamping"]
        or "extended_key_usage" not in certificate.critical_extensions
    ):
        en = "the certificate is not one for time-stamping only"
        return Outcome.FAIL, check("key_usage", Outcome.FAIL, "时间戳证书用途不符", en)
    return Outcome.PASS, check("key_usage", Outcome.PASS, "证书用于时间戳", "the certificate is for time-stamping")

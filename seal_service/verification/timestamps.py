"""时间戳: one RFC 3161 token over a digest, judged like a signature of its own (EN 319 102-1, 5.4)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from asn1crypto import tsp, x509

from seal_service.domain.verdict import Check, Indication, Modifications, Outcome
from seal_service.verification.findings import Findings, check
from seal_service.verification.indication import Conclusion, conclude
from seal_service.verification.signer import Digest, digest_of, verify_signer
from seal_service.verification.trust import TrustMaterial, judge_trust

_READ_ERRORS = (ValueError, TypeError, KeyError, AttributeError, IndexError)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampFindings:
    """What became of a token."""

    findings: Findings
    checks: tuple[Check, ...]
    time: datetime | None = None
    certificate: x509.Certificate | None = None
    used: frozenset[bytes] = field(default_factory=frozenset)

    @property
    def conclusion(self) -> Conclusion:
        """Of the token over its bytes, whatever became of the document later."""
        return conclude(replace(self.findings, modifications=Modifications.NONE))

    @property
    def proves(self) -> datetime | None:
        """The time by which the stamped bytes existed, if the token is valid."""
        return self.time if self.conclusion.indication is Indication.TOTAL_PASSED else None


def verify_token(data: Any, stamped: Digest, material: TrustMaterial, at: datetime) -> TimestampFindings:
    """A token (SignedData) over bytes given by their digests, its unit's certificate judged at a moment."""
    try:
        content = data["encap_content_info"]["content"]
        encapsulated = bytes(content)
        info = tsp.TSTInfo.load(encapsulated)
        time: datetime = info["gen_time"].native
        imprint = info["message_imprint"]
        algorithm = imprint["hash_algorithm"]["algorithm"].native
        matches = imprint["hashed_message"].native == stamped(algorithm)
    except _READ_ERRORS as error:
        result = check("format", Outcome.FAIL, "时间戳不可读", f"the time-stamp cannot be read: {error}")
        return TimestampFindings(findings=Findings(format=Outcome.FAIL), checks=(result,))
    signer = verify_signer(data, "tst_info", digest_of(encapsulated), needs_certificate_attribute=True)
    findings = replace(signer.findings, format=Outcome.PASS, supported=Outcome.PASS, byte_range=Outcome.PASS)
    if not matches:
        findings = replace(findings, digest=Outcome.FAIL)
        result = check("digest", Outcome.FAIL, "时间戳与数据不符", "the time-stamp is over other bytes")
        return TimestampFindings(findings=findings, checks=(result,), certificate=signer.certificate)
    if signer.certificate is None:
        return TimestampFindings(findings=findings, checks=signer.checks)
    trusted = judge_trust(findings, signer.certificate, material, at, stamped_at=time)
    return TimestampFindings(
        findings=trusted.findings,
        checks=(*signer.checks, *trusted.checks),
        time=time,
        certificate=signer.certificate,
        used=trusted.used,
    )

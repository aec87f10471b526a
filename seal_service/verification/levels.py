"""签名级别: the level that what was found supports, not the one that the structure claims (EN 319 142-1, 6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from seal_service.domain.use import SignatureLevel
from seal_service.domain.verdict import Outcome
from seal_service.verification.findings import Findings, Revocation, Trust
from seal_service.verification.proofs import Proof


def reached_level(
    kind: str,
    findings: Findings,
    proven: datetime | None,
    used: frozenset[bytes],
    embedded: frozenset[bytes],
    archived_by: Sequence[Proof],
) -> SignatureLevel | None:
    """The level of a signature; None when it is no PAdES signature, or not even its mathematics holds.

    `proven`: by a valid time-stamp; `used`: the revocation data that decided, of the signature and its time-stamps;
    `archived_by`: valid document time-stamps after it.
    """
    if kind != "pades" or not findings.integrity or findings.attributes is not Outcome.PASS:
        return None
    if proven is None:
        return SignatureLevel.B_B
    complete = findings.trust is Trust.TRUSTED and findings.revocation is Revocation.GOOD and used <= embedded
    if not complete or not used:
        return SignatureLevel.B_T
    if any(used <= one.evidence for one in archived_by):
        return SignatureLevel.B_LTA
    return SignatureLevel.B_LT

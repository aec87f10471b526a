"""Findings: what the checks of one signature or time-stamp came to, before any conclusion."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from seal_service.domain.verdict import Check, Modifications, Outcome


class Trust(StrEnum):
    """What became of the path from the signer's certificate to an anchor (RFC 5280, 6)."""

    TRUSTED = "trusted"
    NO_PATH = "no_path"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WEAK_ALGORITHM = "weak_algorithm"
    CONSTRAINTS = "constraints"
    FAILED = "failed"
    UNCHECKED = "unchecked"


class Revocation(StrEnum):
    """What is known of the revocation of the path's certificates at the time that counts."""

    GOOD = "good"
    REVOKED = "revoked"
    ISSUER_REVOKED = "issuer_revoked"
    UNKNOWN = "unknown"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The outcome of each check in the order of EN 319 102-1, 5.2 and 5.5; a check not reached is SKIPPED."""

    format: Outcome = Outcome.SKIPPED
    supported: Outcome = Outcome.SKIPPED
    byte_range: Outcome = Outcome.SKIPPED
    signer: Outcome = Outcome.SKIPPED
    """The signer's certificate is there and is the one that the signed attributes name."""
    digest: Outcome = Outcome.SKIPPED
    signature_value: Outcome = Outcome.SKIPPED
    attributes: Outcome = Outcome.SKIPPED
    """The signed attributes are there that the signature's own profile requires."""
    algorithm: Outcome = Outcome.SKIPPED
    algorithm_sound: bool = True
    """False when the algorithms are broken or contradict each other, whatever the date."""
    modifications: Modifications = Modifications.UNKNOWN
    key_usage: Outcome = Outcome.SKIPPED
    trust: Trust = Trust.UNCHECKED
    revocation: Revocation = Revocation.UNCHECKED
    order: Outcome = Outcome.SKIPPED
    """The time-stamps stand in a possible order."""
    time_proven: bool = False
    """A valid time-stamp proves that the signature existed at the time it was judged by."""

    @property
    def integrity(self) -> bool:
        """Whether the digest and the signature value are right."""
        return self.digest is Outcome.PASS and self.signature_value is Outcome.PASS


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """后续修改: what came after a signature."""

    modifications: Modifications
    check: Check


def check(identifier: str, outcome: Outcome, zh: str, en: str) -> Check:
    """A check, its English message cut to a readable length."""
    return Check(id=identifier, outcome=outcome, zh=zh[:500], en=en[:500])

"""观测: names under which scheduled tasks note what they saw of the outside."""

from __future__ import annotations

import hashlib

RECONCILE = "reconcile"
FILING_REPORT = "filing-report"
NOT_IN_USE = "not in use"
"""Detail of something observed before that nothing depends on any more: rows are never deleted."""


def revocation_of(key: str) -> str:
    """Revocation data: of an outside issuer of seals, or of a time-stamping unit."""
    return f"revocation:{key}"


def timestamp_of(key: str) -> str:
    """That an outside time-stamping authority answers."""
    return f"timestamp:{key}"


def clock_of(key: str) -> str:
    """Its time, compared with ours."""
    return f"clock:{key}"


def key_of_issuer(certificate: bytes) -> str:
    """A short name for an issuer: the first 16 hexadecimal digits of its certificate's SHA-256."""
    return hashlib.sha256(certificate).hexdigest()[:16]


def key_of_authority(address: str) -> str:
    """A short name for a time-stamping authority that does not tell its address."""
    return "tsa-" + hashlib.sha256(address.encode()).hexdigest()[:8]

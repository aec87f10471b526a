"""验章结论: what verification found, in the words of ETSI EN 319 102-1."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from seal_service.domain.seal import SealState


class Indication(StrEnum):
    """EN 319 102-1, 5.1.3; NO_SIGNATURE is ours."""

    TOTAL_PASSED = "TOTAL_PASSED"
    TOTAL_FAILED = "TOTAL_FAILED"
    INDETERMINATE = "INDETERMINATE"
    NO_SIGNATURE = "NO_SIGNATURE"


class SubIndication(StrEnum):
    """EN 319 102-1, tables 5 and 6, and three of ours: what is not supported, was changed later, is not logged."""

    FORMAT_FAILURE = "FORMAT_FAILURE"
    HASH_FAILURE = "HASH_FAILURE"
    SIG_CRYPTO_FAILURE = "SIG_CRYPTO_FAILURE"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    SIG_CONSTRAINTS_FAILURE = "SIG_CONSTRAINTS_FAILURE"
    CHAIN_CONSTRAINTS_FAILURE = "CHAIN_CONSTRAINTS_FAILURE"
    CERTIFICATE_CHAIN_GENERAL_FAILURE = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
    CRYPTO_CONSTRAINTS_FAILURE = "CRYPTO_CONSTRAINTS_FAILURE"
    TIMESTAMP_ORDER_FAILURE = "TIMESTAMP_ORDER_FAILURE"
    NO_SIGNING_CERTIFICATE_FOUND = "NO_SIGNING_CERTIFICATE_FOUND"
    NO_CERTIFICATE_CHAIN_FOUND = "NO_CERTIFICATE_CHAIN_FOUND"
    REVOKED_NO_POE = "REVOKED_NO_POE"
    OUT_OF_BOUNDS_NO_POE = "OUT_OF_BOUNDS_NO_POE"
    CRYPTO_CONSTRAINTS_FAILURE_NO_POE = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
    TRY_LATER = "TRY_LATER"
    SIGNED_DATA_NOT_FOUND = "SIGNED_DATA_NOT_FOUND"
    DOCUMENT_CHANGED = "DOCUMENT_CHANGED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    NOT_LOGGED = "NOT_LOGGED"


class Outcome(StrEnum):
    """The answer of one check."""

    PASS = "pass"  # noqa: S105 - a word of the report
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Coverage(StrEnum):
    """How much of the file a signature's bytes cover."""

    WHOLE_FILE = "whole_file"
    WHOLE_REVISION = "whole_revision"
    PARTIAL = "partial"
    NONE = "none"


class Modifications(StrEnum):
    """What came after a signature."""

    NONE = "none"
    ALLOWED = "allowed"
    CHANGED = "changed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check with its outcome, in Chinese and English."""

    id: str
    outcome: Outcome
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerFacts:
    """The signer's certificate as read."""

    subject: str
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    algorithm: str
    certificate_sha256: str
    """Ties the signature to the credential of a seal of ours."""
    issuer_key_id: str = ""
    """Authority key identifier, hexadecimal: which key of that issuer certified it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealFacts:
    """What is known of the seal; the status fields are None when the seal is not one of ours."""

    code: str | None = None
    name: str | None = None
    holder: str | None = None
    status_now: SealState | None = None
    status_at_signing: SealState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedBytes:
    """签名值, and where it stands in the file."""

    value: str
    """Hexadecimal."""
    gap_start: int
    """Where /Contents begins: the bytes before it hold the document that was sealed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureReport:
    """签名报告: one signature or document time-stamp."""

    name: str
    kind: str
    """pades | cms | ses | ofd_ses | ofd_cms | document_timestamp"""
    indication: Indication
    sub_indication: SubIndication | None
    technically_valid: bool
    integrity: bool
    coverage: Coverage
    modifications: Modifications
    level: str | None
    signed_at: datetime | None
    time_source: str | None
    """timestamp | signature | claimed"""
    signer: SignerFacts | None
    seal: SealFacts | None
    checks: tuple[Check, ...]
    intent_leaf_hash: str | None = None
    """Hexadecimal; the log entry that the signature says it stands behind: the check `logged` tells whether it does."""
    signed: SignedBytes | None = None
    """What the check `logged` is made by; no part of the report that is given out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationReport:
    """验章报告: a document with all its signatures."""

    file: str
    sha256: str
    sm3: str
    media_type: str
    indication: Indication
    sub_indication: SubIndication | None
    technically_valid: bool
    signatures: tuple[SignatureReport, ...]
    checks: tuple[Check, ...] = ()
    """Of the file as a whole, when it could not be read."""


_WORST_FIRST = (Indication.TOTAL_FAILED, Indication.INDETERMINATE, Indication.TOTAL_PASSED)


def overall(signatures: tuple[SignatureReport, ...]) -> tuple[Indication, SubIndication | None, bool]:
    """The indication, sub-indication and technical validity of a document: those of its worst signature.

    Of a file, `technically_valid` needs at least one signature and every signature's to be true.
    """
    if not signatures:
        return Indication.NO_SIGNATURE, None, False
    worst = min(signatures, key=lambda one: _WORST_FIRST.index(one.indication))
    return worst.indication, worst.sub_indication, all(one.technically_valid for one in signatures)


def with_seal_status(
    report: SignatureReport, facts: SealFacts, *, ours: bool, imported_later: bool = False
) -> SignatureReport:
    """The report of a signature, judged by its seal's status when it was made.

    A signature made while its seal was suspended, cancelled or expired is TOTAL_FAILED, also after a suspension was
    lifted (国办发〔2025〕33号: valid at the time of sealing). `status_at_signing` None: it cannot be told, because
    no time-stamp proves the time and the seal was not always active since the time claimed. `imported_later`: the
    seal was made elsewhere and came here only after the time that is proven, so its status then is as unknown as that
    of a seal which is not ours.
    """
    outcome, indication, sub = Outcome.PASS, report.indication, report.sub_indication
    if imported_later:
        outcome, zh, en = (
            Outcome.UNKNOWN,
            "签章早于印章迁入本系统，当时状态未知",
            "applied before the seal was imported here: its status then is unknown",
        )
    elif not ours:
        outcome, zh, en = (
            Outcome.UNKNOWN,
            "非本系统制发的印章，状态未知",
            "not a seal of this service: its status is unknown",
        )
    elif facts.status_at_signing is SealState.ACTIVE:
        zh, en = "签章时印章有效", "the seal was active when it was applied"
    elif facts.status_at_signing is None:
        outcome = Outcome.UNKNOWN
        zh = "签章时间未经证明，无法判断当时印章状态"
        en = "the time of sealing is not proven, so the seal's status then cannot be told"
        if indication is Indication.TOTAL_PASSED:
            indication, sub = Indication.INDETERMINATE, SubIndication.REVOKED_NO_POE
    else:
        word = facts.status_at_signing.value
        outcome, zh, en = Outcome.FAIL, f"签章时印章状态为 {word}", f"the seal was {word} when it was applied"
        if indication is not Indication.TOTAL_FAILED:
            expired = facts.status_at_signing is SealState.EXPIRED
            indication, sub = Indication.TOTAL_FAILED, SubIndication.EXPIRED if expired else SubIndication.REVOKED
    check = Check(id="seal_status", outcome=outcome, zh=zh, en=en)
    return replace(report, seal=facts, checks=(*report.checks, check), indication=indication, sub_indication=sub)

"""状态公示名单: what the signed list says of seals, and what it means for a signature (article 23)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from seal_service.domain.lifecycle import StatusChange, Suspension, status_when_sealed
from seal_service.domain.seal import SealState
from seal_service.domain.verdict import (
    Check,
    Indication,
    Outcome,
    SealFacts,
    SignatureReport,
    SubIndication,
)

_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedCertificate:
    """One of a seal's certificates, of any version."""

    serial: str
    sha256: str
    superseded_at: datetime | None = None
    """变更: what is sealed with it from then on is not the seal's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSeal:
    """A seal whose history is not simply active."""

    seal_code: str
    status: SealState
    since: datetime
    intervals: tuple[Suspension, ...]
    invalid_from: datetime | None
    certificates: tuple[ListedCertificate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusList:
    """状态公示名单: whoever is not on it and was certified by one of its issuers is active."""

    version: int
    issuer: str
    sequence: int
    """Grows with every list."""
    issued_at: datetime
    next_update: datetime
    issuers: tuple[bytes, ...]
    """Certificates (DER) of the issuing authorities whose seals it tells of completely."""
    seals: tuple[ListedSeal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedStatusList:
    """A list whose signature leads to a trust anchor."""

    content: StatusList
    complete_for: frozenset[tuple[str, str]]
    """Issuers that the same authority vouches for: name (as reports give it) and key identifier, hexadecimal."""


def judged_by_list(report: SignatureReport, lists: tuple[TrustedStatusList, ...], now: datetime) -> SignatureReport:
    """The report of a signature by the lists that tell of its certificate; the list's refusal is final.

    A list that has expired, or was issued before the signature, cannot say that the seal was active; that it was not
    in an interval that is on the list remains true.
    """
    if report.signer is None or report.kind == "document_timestamp":
        return report
    found: list[SignatureReport] = []
    for one in lists:
        entry = next((seal for seal in one.content.seals if _certificate(seal, report) is not None), None)
        if entry is not None or (report.signer.issuer, report.signer.issuer_key_id) in one.complete_for:
            found.append(_judged(report, one.content, entry, now))
    if not found:
        zh, en = "名单未涵盖该印章", "no status list tells of this seal"
        return _doubtful(report, zh, en)
    return max(found, key=lambda one: _WORSE[one.checks[-1].outcome])


_WORSE = {Outcome.PASS: 0, Outcome.UNKNOWN: 1, Outcome.SKIPPED: 1, Outcome.FAIL: 2}


def _certificate(seal: ListedSeal, report: SignatureReport) -> ListedCertificate | None:
    digest = report.signer.certificate_sha256 if report.signer else ""
    return next((one for one in seal.certificates if one.sha256 == digest), None)


def _judged(report: SignatureReport, content: StatusList, entry: ListedSeal | None, now: datetime) -> SignatureReport:
    proven = report.time_source == "timestamp"
    status: SealState | None = SealState.ACTIVE
    if entry is not None:
        status = _status(entry, _certificate(entry, report), report.signed_at, proven=proven)
        known = report.seal or SealFacts()
        facts = replace(known, code=entry.seal_code, status_now=entry.status, status_at_signing=status)
        report = replace(report, seal=facts)
    if status not in (None, SealState.ACTIVE):
        en = f"by the status list the seal was {status.value} when it was applied"
        report = _with(report, Outcome.FAIL, f"名单显示签章时印章状态为 {status.value}", en)
        if report.indication is Indication.TOTAL_FAILED:
            return report
        return replace(report, indication=Indication.TOTAL_FAILED, sub_indication=SubIndication.REVOKED)
    if now >= content.next_update:
        return _doubtful(report, "名单已过期，状态未知", "the status list has expired: the seal's status is not known")
    if report.signed_at is not None and report.signed_at > content.issued_at:
        return _doubtful(report, "名单早于签章，当时状态未知", "the status list is older than the seal's use")
    if status is None:
        zh = "签章时间未经证明，无法判断当时印章状态"
        return _doubtful(report, zh, "the time of sealing is not proven, so the seal's status then cannot be told")
    told = "on the list and was active then" if entry is not None else "not on the list: it is active"
    return _with(report, Outcome.PASS, "按状态名单签章时印章有效", f"the seal is {told}")


def _status(
    entry: ListedSeal, certificate: ListedCertificate | None, signed_at: datetime | None, *, proven: bool
) -> SealState | None:
    if signed_at is None:
        return None
    changes = [StatusChange(at=_BEGINNING, state=SealState.ACTIVE)]
    for one in entry.intervals:
        changes.append(StatusChange(at=one.since, state=one.state))
        if one.until is not None:
            changes.append(StatusChange(at=one.until, state=SealState.ACTIVE))
    ended = certificate.superseded_at if certificate is not None else None
    if ended is not None:
        if signed_at >= ended:
            return SealState.CANCELLED
        if not proven:
            return None
    return status_when_sealed(changes, signed_at, proven=proven, invalid_from=entry.invalid_from)


def _doubtful(report: SignatureReport, zh: str, en: str) -> SignatureReport:
    report = _with(report, Outcome.UNKNOWN, zh, en)
    if report.indication is not Indication.TOTAL_PASSED:
        return report
    return replace(report, indication=Indication.INDETERMINATE, sub_indication=SubIndication.TRY_LATER)


def _with(report: SignatureReport, outcome: Outcome, zh: str, en: str) -> SignatureReport:
    check = Check(id="status_list", outcome=outcome, zh=zh, en=en)
    return replace(report, checks=(*report.checks, check))

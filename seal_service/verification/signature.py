"""签名验证: one signature judged at the time that counts for it (EN 319 102-1, 5.3 to 5.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from seal_service.domain.verdict import Check, Indication, Outcome, SignatureReport, SignedBytes
from seal_service.formats.cms import INTENT_LEAF_HASH_OID
from seal_service.formats.cms_reading import octets_attribute
from seal_service.formats.pdf_dates import parse_pdf_date
from seal_service.verification.embedded import signature_timestamps, signing_time
from seal_service.verification.facts import SignatureFacts
from seal_service.verification.findings import Findings, check
from seal_service.verification.indication import conclude
from seal_service.verification.levels import reached_level
from seal_service.verification.naming import seal_facts, signer_facts
from seal_service.verification.proofs import Proof, earliest_proof
from seal_service.verification.signer import SignerFindings, digest_of, verify_signer
from seal_service.verification.timestamps import TimestampFindings, verify_token
from seal_service.verification.trust import TrustMaterial, judge_trust

_CLOCK_DIFFERENCE = timedelta(minutes=5)


def judge_document_timestamp(facts: SignatureFacts, material: TrustMaterial, at: datetime) -> TimestampFindings:
    """文档时间戳: judged at a moment; its bytes must cover a revision."""
    if not facts.covered.sound or facts.data is None:
        return TimestampFindings(findings=Findings(), checks=())
    found = verify_token(facts.data, facts.digest, material, at)
    if facts.typed is Outcome.FAIL:
        return replace(found, findings=replace(found.findings, attributes=Outcome.FAIL))
    return found


def report_document_timestamp(facts: SignatureFacts, found: TimestampFindings) -> SignatureReport:
    """The report of a document time-stamp."""
    findings = replace(
        found.findings,
        format=facts.format if facts.format is not Outcome.PASS else found.findings.format,
        supported=facts.supported,
        byte_range=facts.covered.check.outcome,
        modifications=facts.change.modifications,
    )
    return _report(facts, findings, (*found.checks, facts.change.check), found.certificate, found.time, "timestamp")


def judge_signature(
    facts: SignatureFacts,
    material: TrustMaterial,
    at: datetime,
    proofs: Sequence[Proof],
) -> SignatureReport:
    """The report of a signature, `at` the moment to judge by unless a valid time-stamp proves an earlier one."""
    base = Findings(
        format=facts.format,
        supported=facts.supported,
        byte_range=facts.covered.check.outcome,
        modifications=facts.change.modifications,
    )
    if facts.data is None or not facts.covered.sound:
        return _report(facts, base, (facts.change.check,), None, _claimed(facts), "claimed")
    needed = facts.kind == "pades"
    signer = _verify_signer(facts, needed)
    findings = _merged(base, signer.findings)
    if signer.certificate is None:
        return _report(facts, findings, (*signer.checks, facts.change.check), None, _claimed(facts), "claimed")
    archived = earliest_proof(proofs, facts.covered.end)
    tokens, token_checks = _tokens(facts.data, material, archived or at)
    stamped = min((one.proves for one in tokens if one.proves is not None), default=None)
    proven = min((one for one in (stamped, archived) if one is not None), default=None)
    trusted = judge_trust(findings, signer.certificate, material, proven or at)
    findings = replace(trusted.findings, time_proven=proven is not None, order=_order(stamped, archived))
    claimed, source = _claimed(facts), "claimed"
    if proven is not None:
        claimed, source = proven, "timestamp"
    elif (attribute := signing_time(facts.data)) is not None:
        claimed, source = attribute, "signature"
    used = trusted.used.union(*(one.used for one in tokens if one.proves is not None))
    level = reached_level(
        facts.kind,
        findings,
        proven,
        used,
        material.evidence.items(),
        [one for one in proofs if one.end > facts.covered.end],
    )
    archive = _archive_check(archived)
    report = _report(
        facts,
        findings,
        (*signer.checks, facts.change.check, *trusted.checks, *token_checks, *archive),
        signer.certificate,
        claimed,
        source,
    )
    return replace(
        report,
        level=level.value if level else None,
        intent_leaf_hash=octets_attribute(facts.data["signer_infos"][0]["signed_attrs"], INTENT_LEAF_HASH_OID, 32),
        signed=SignedBytes(
            value=facts.data["signer_infos"][0]["signature"].native.hex(), gap_start=facts.covered.gap_start
        ),
    )


def _verify_signer(facts: SignatureFacts, needed: bool) -> SignerFindings:
    """The mathematics; for adbe.pkcs7.sha1 the signed content is the SHA-1 digest of the covered bytes."""
    digest = facts.digest
    if facts.field.sub_filter != "adbe.pkcs7.sha1":
        return verify_signer(facts.data, "data", digest, needed)
    encapsulated = bytes(facts.data["encap_content_info"]["content"] or b"")
    found = verify_signer(facts.data, "data", digest_of(encapsulated), needed)
    if encapsulated == digest("sha1"):
        weak = check("algorithm", Outcome.FAIL, "算法强度不足", "no longer accepted: adbe.pkcs7.sha1")
        findings = replace(found.findings, algorithm=Outcome.FAIL)
        return replace(found, findings=findings, checks=(*found.checks, weak))
    wrong = check("digest", Outcome.FAIL, "文件杂凑值不一致，内容被修改", "the signed bytes were changed")
    return replace(found, findings=replace(found.findings, digest=Outcome.FAIL), checks=(wrong,))


def _merged(base: Findings, signer: Findings) -> Findings:
    return replace(
        signer,
        format=base.format,
        supported=base.supported,
        byte_range=base.byte_range,
        modifications=base.modifications,
    )


def _tokens(data: Any, material: TrustMaterial, at: datetime) -> tuple[list[TimestampFindings], tuple[Check, ...]]:
    """签名时间戳: every token over the signature value."""
    value = data["signer_infos"][0]["signature"].native
    found = []
    for token in signature_timestamps(data):
        if token is None:
            return [], (check("timestamp", Outcome.FAIL, "签名时间戳不可读", "the time-stamp cannot be read"),)
        found.append(verify_token(token, digest_of(value), material, at))
    return found, tuple(_token_check(one) for one in found)


def _token_check(token: TimestampFindings) -> Check:
    conclusion = token.conclusion
    if conclusion.indication is Indication.TOTAL_PASSED and token.time is not None:
        when = token.time.isoformat()
        return check("timestamp", Outcome.PASS, f"签名时间戳有效：{when}", f"the signature time-stamp is valid: {when}")
    outcome = Outcome.FAIL if conclusion.indication is Indication.TOTAL_FAILED else Outcome.UNKNOWN
    reasons = "; ".join(f"{one.id}: {one.en}" for one in token.checks if one.outcome is not Outcome.PASS)
    en = f"the signature time-stamp proves nothing ({conclusion.sub_indication}): {reasons}"
    return check("timestamp", outcome, f"签名时间戳不能证明签名时间（{conclusion.sub_indication}）", en)


def _archive_check(archived: datetime | None) -> tuple[Check, ...]:
    if archived is None:
        return ()
    when = archived.isoformat()
    en = f"a valid document time-stamp covers it: {when}"
    return (check("document_timestamp", Outcome.PASS, f"文档时间戳有效：{when}", en),)


def _order(stamped: datetime | None, archived: datetime | None) -> Outcome:
    """A document time-stamp cannot be older than the signature time-stamp it covers, clocks apart."""
    if stamped is None or archived is None:
        return Outcome.SKIPPED
    return Outcome.PASS if stamped <= archived + _CLOCK_DIFFERENCE else Outcome.FAIL


def _claimed(facts: SignatureFacts) -> datetime | None:
    return parse_pdf_date(facts.field.claimed_time)


def _report(
    facts: SignatureFacts,
    findings: Findings,
    checks: tuple[Check, ...],
    certificate: Any,
    signed_at: datetime | None,
    time_source: str,
) -> SignatureReport:
    conclusion = conclude(findings)
    return SignatureReport(
        name=facts.field.name,
        kind=facts.kind,
        indication=conclusion.indication,
        sub_indication=conclusion.sub_indication,
        technically_valid=conclusion.technically_valid,
        integrity=findings.integrity,
        coverage=facts.covered.coverage,
        modifications=findings.modifications,
        level=None,
        signed_at=signed_at,
        time_source=time_source if signed_at is not None else None,
        signer=signer_facts(certificate) if certificate is not None else None,
        seal=seal_facts(certificate) if certificate is not None and facts.kind != "document_timestamp" else None,
        checks=(facts.check, facts.covered.check, *checks),
    )

"""Levels, trust, revocation and time: what a good signature comes to (EN 319 102-1; EN 319 142-1)."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.sign.fields import SigSeedSubFilter

from seal_service.domain.verdict import Coverage, Indication, Modifications, SubIndication
from seal_service.formats.verification_report import report_as_json
from tests.signed_pdfs import (
    DAY,
    HOLDER,
    NOW,
    SEAL_CODE,
    YEAR,
    Party,
    Source,
    Trust,
    add_document_timestamp,
    add_store,
    city,
    crl,
    document,
    fresh_lists,
    ocsp_response,
    only,
    outcome,
    party,
    sealed_b_lt,
    sign,
    timestamper,
    verify,
)

HOUR = timedelta(hours=1)
SUPERSEDED = x509.ReasonFlags.superseded
COMPROMISED = x509.ReasonFlags.key_compromise


def test_an_unsigned_document_has_no_signature() -> None:
    report = verify(document())
    assert report.indication is Indication.NO_SIGNATURE
    assert not report.technically_valid


def test_a_b_b_signature_passes_with_everything_the_report_promises() -> None:
    report = verify(sign(document(), leaf_hash=b"\7" * 32))
    one = only(report)
    assert (report.indication, report.sub_indication, report.technically_valid) == (
        Indication.TOTAL_PASSED,
        None,
        True,
    )
    assert (one.kind, one.level, one.integrity, one.time_source) == ("pades", "B-B", True, "claimed")
    assert (one.coverage, one.modifications) == (Coverage.WHOLE_FILE, Modifications.NONE)
    assert one.seal is not None
    assert (one.seal.code, one.seal.holder) == (SEAL_CODE, HOLDER)
    assert one.signer is not None
    assert one.signer.subject == f"C=CN,O={HOLDER},CN={SEAL_CODE}"
    assert one.intent_leaf_hash == "07" * 32
    assert all(check.zh and check.en for check in one.checks)
    assert {check.id for check in one.checks if check.outcome.value != "pass"} == {"logged"}, "nobody was asked"
    assert outcome(one, "logged") == "skipped"


def test_the_json_report_has_the_promised_shape() -> None:
    shape = json.loads(json.dumps(report_as_json(verify(sealed_b_lt()))))
    assert set(shape) >= {
        "file",
        "digest",
        "media_type",
        "indication",
        "sub_indication",
        "technically_valid",
        "signatures",
    }
    assert set(shape["digest"]) == {"sha256", "sm3"}
    (one,) = shape["signatures"]
    assert one["signed_at"] == "2026-05-31T12:00:00Z"
    assert set(one["signer"]) >= {"subject", "issuer", "serial", "not_before", "not_after", "algorithm"}
    assert set(one["seal"]) == {"code", "name", "holder", "status_now", "status_at_signing"}
    assert set(one["checks"][0]) == {"id", "outcome", "message"}
    assert set(one["checks"][0]["message"]) == {"zh", "en"}


def test_without_an_anchor_a_good_signature_is_technically_valid_and_undecided() -> None:
    report = verify(sign(document()), roots=[])
    assert (report.indication, report.sub_indication) == (
        Indication.INDETERMINATE,
        SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
    )
    assert report.technically_valid


def test_an_anchor_that_did_not_issue_it_proves_nothing() -> None:
    stranger = party("陌生根", ca=True)
    assert verify(sign(document()), roots=[stranger]).sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND


def test_an_anchor_for_time_stamps_alone_is_none_for_signatures() -> None:
    report = verify(sealed_b_lt(), trust=Trust(timestamp_roots=[city().root]))
    assert report.sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND
    assert outcome(only(report), "timestamp") == "pass"


def test_a_chain_is_built_with_known_intermediates() -> None:
    content = sign(document(), chain=[])
    assert verify(content).sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND
    assert verify(content, trust=Trust([city().root], helping=[city().ca])).indication is Indication.TOTAL_PASSED


def test_unknown_revocation_is_not_valid() -> None:
    content = sign(document())
    for report in (verify(content, source=Source()), verify(content, offline=True)):
        assert (report.indication, report.sub_indication) == (Indication.INDETERMINATE, SubIndication.TRY_LATER)
        assert report.technically_valid


def test_offline_never_asks_the_source() -> None:
    source = fresh_lists()
    verify(sign(document()), source=source, offline=True)
    assert source.asked == []


def test_stale_lists_do_not_speak_for_today() -> None:
    old = Source(crls=[crl(city().ca, NOW - 30 * DAY), crl(city().root, NOW - 30 * DAY)])
    assert verify(sign(document()), source=old).sub_indication is SubIndication.TRY_LATER


def test_a_list_signed_by_someone_else_says_nothing() -> None:
    false_ca = Party(city().ca.certificate, party("假冒").key)
    forged = Source(crls=[crl(false_ca, NOW - HOUR), crl(city().root, NOW - HOUR)])
    assert verify(sign(document()), source=forged).sub_indication is SubIndication.TRY_LATER


def test_a_time_stamp_raises_the_level_to_b_t_and_proves_the_time() -> None:
    one = only(verify(sign(document(), stamped=timestamper(city().tsa, NOW - DAY))))
    assert (one.indication, one.level) == (Indication.TOTAL_PASSED, "B-T")
    assert (one.signed_at, one.time_source) == (NOW - DAY, "timestamp")


def test_b_lt_needs_no_network() -> None:
    one = only(verify(sealed_b_lt(), offline=True))
    assert (one.indication, one.level) == (Indication.TOTAL_PASSED, "B-LT")
    assert (one.coverage, one.modifications) == (Coverage.WHOLE_REVISION, Modifications.ALLOWED)


def test_b_lt_with_ocsp_answers_of_a_delegated_responder() -> None:
    at = NOW - DAY
    answers = [
        ocsp_response(one, city().ca, city().responder, at + timedelta(minutes=1)) for one in (city().seal, city().tsa)
    ]
    content = sign(document(), stamped=timestamper(city().tsa, at))
    content = add_store(content, ocsp_responses=answers, crls=[crl(city().root, at + timedelta(minutes=1))])
    assert only(verify(content, offline=True)).level == "B-LT"


def test_an_ocsp_answer_of_an_unauthorised_responder_says_nothing() -> None:
    at = NOW - DAY
    answers = [
        ocsp_response(one, city().ca, city().seal, at + timedelta(minutes=1)) for one in (city().seal, city().tsa)
    ]
    content = sign(document(), stamped=timestamper(city().tsa, at))
    content = add_store(content, ocsp_responses=answers, crls=[crl(city().root, at + timedelta(minutes=1))])
    assert verify(content, offline=True).sub_indication is SubIndication.TRY_LATER


def test_a_store_that_does_not_cover_the_chain_is_no_b_lt() -> None:
    made = NOW - DAY + timedelta(minutes=1)
    content = add_store(sign(document(), stamped=timestamper(city().tsa, NOW - DAY)), crls=[crl(city().ca, made)])
    assert only(verify(content)).level == "B-T"


def test_a_document_time_stamp_over_the_store_makes_b_lta() -> None:
    content = add_document_timestamp(sealed_b_lt(), timestamper(city().tsa, NOW - DAY + HOUR))
    report = verify(content, offline=True)
    first, second = report.signatures
    assert (report.indication, first.level, second.kind) == (
        Indication.TOTAL_PASSED,
        "B-LTA",
        "document_timestamp",
    )
    assert (first.modifications, second.coverage) == (Modifications.ALLOWED, Coverage.WHOLE_FILE)
    assert second.signed_at == NOW - DAY + HOUR


def test_a_store_added_after_the_document_time_stamp_is_not_b_lta() -> None:
    made = NOW - DAY + timedelta(minutes=1)
    content = sign(document(), stamped=timestamper(city().tsa, NOW - DAY))
    content = add_document_timestamp(content, timestamper(city().tsa, NOW - DAY + HOUR))
    content = add_store(content, crls=[crl(city().ca, made), crl(city().root, made)])
    assert verify(content, offline=True).signatures[0].level == "B-LT"


def test_a_certificate_expired_since_passes_by_its_time_stamp() -> None:
    report = verify(sealed_b_lt(), now=NOW + 5 * YEAR, offline=True)
    assert (report.indication, only(report).level) == (Indication.TOTAL_PASSED, "B-LT")


def test_a_certificate_expired_without_proof_is_out_of_bounds() -> None:
    report = verify(sign(document()), now=NOW + 5 * YEAR)
    assert (report.indication, report.sub_indication) == (
        Indication.INDETERMINATE,
        SubIndication.OUT_OF_BOUNDS_NO_POE,
    )


def test_a_report_can_be_asked_as_of_another_moment() -> None:
    content = sign(document())
    report = verify(content, now=NOW + 5 * YEAR, at=NOW, source=fresh_lists(NOW))
    assert report.indication is Indication.TOTAL_PASSED
    early = verify(content, at=NOW - 2 * YEAR)
    assert (early.indication, early.sub_indication) == (Indication.INDETERMINATE, SubIndication.NOT_YET_VALID)


def test_a_time_stamp_before_the_certificate_began_fails_for_good() -> None:
    content = sign(document(), stamped=timestamper(city().tsa, NOW - 2 * YEAR))
    report = verify(content)
    assert (report.indication, report.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.NOT_YET_VALID)


def revocation(when: timedelta, reason: x509.ReasonFlags = SUPERSEDED) -> Source:
    revoked = [(city().seal, NOW + when, reason)]
    return Source(crls=[crl(city().ca, NOW - timedelta(minutes=5), revoked), crl(city().root, NOW - HOUR)])


def test_a_revoked_certificate_without_proof_of_time() -> None:
    report = verify(sign(document()), source=revocation(-DAY))
    assert (report.indication, report.sub_indication) == (Indication.INDETERMINATE, SubIndication.REVOKED_NO_POE)


def test_a_certificate_revoked_after_the_proven_time_still_passes() -> None:
    content = sign(document(), stamped=timestamper(city().tsa, NOW - DAY))
    assert verify(content, source=revocation(-HOUR)).indication is Indication.TOTAL_PASSED


def test_a_certificate_revoked_before_the_proven_time_fails_for_good() -> None:
    content = sign(document(), stamped=timestamper(city().tsa, NOW - HOUR))
    report = verify(content, source=revocation(-DAY))
    assert (report.indication, report.sub_indication) == (Indication.TOTAL_FAILED, SubIndication.REVOKED)


def test_revocation_in_the_very_second_of_the_list_is_seen() -> None:
    at = NOW - timedelta(minutes=5)
    source = Source(crls=[crl(city().ca, at, [(city().seal, at, SUPERSEDED)]), crl(city().root, NOW - HOUR)])
    assert verify(sign(document()), source=source).sub_indication is SubIndication.REVOKED_NO_POE


def test_the_source_can_know_of_a_revocation_that_embedded_data_does_not() -> None:
    stale = [crl(city().ca, NOW - 2 * DAY), crl(city().root, NOW - 2 * DAY)]
    content = add_store(sign(document()), crls=stale)
    assert verify(content, offline=True).indication is Indication.TOTAL_PASSED
    assert verify(content, source=revocation(-DAY)).sub_indication is SubIndication.REVOKED_NO_POE


def test_a_hold_that_was_lifted_counts_no_more() -> None:
    held = crl(city().ca, NOW - 2 * DAY, [(city().seal, NOW - 3 * DAY, x509.ReasonFlags.certificate_hold)])
    content = add_store(sign(document()), crls=[held])
    assert verify(content).indication is Indication.TOTAL_PASSED


def test_a_revoked_issuer_is_not_the_signers_fault() -> None:
    root_list = crl(city().root, NOW - timedelta(minutes=5), [(city().ca, NOW - DAY, SUPERSEDED)])
    report = verify(sign(document()), source=Source(crls=[crl(city().ca, NOW - HOUR), root_list]))
    assert (report.indication, report.sub_indication) == (Indication.INDETERMINATE, SubIndication.REVOKED_NO_POE)


def test_a_time_stamp_of_a_stranger_does_not_raise_the_level() -> None:
    stranger = party(
        "陌生时间戳", extended=ExtendedKeyUsageOID.TIME_STAMPING, key=rsa.generate_private_key(65537, 2048)
    )
    one = only(verify(sign(document(), stamped=timestamper(stranger, NOW - DAY))))
    assert (one.indication, one.level, one.time_source) == (Indication.TOTAL_PASSED, "B-B", "claimed")
    assert outcome(one, "timestamp") == "unknown"


@pytest.mark.parametrize("case", ["none", "other", "not critical"])
def test_a_time_stamp_needs_a_certificate_for_time_stamping_alone(case: str) -> None:
    """RFC 3161, 2.3: the extended key usage, critical and with nothing else."""
    unit = party(
        "样章非时间戳",
        city().ca,
        extended={
            "none": None,
            "other": ExtendedKeyUsageOID.EMAIL_PROTECTION,
            "not critical": ExtendedKeyUsageOID.TIME_STAMPING,
        }[case],
        extended_critical=False,
        key=rsa.generate_private_key(65537, 2048),
    )
    one = only(verify(sign(document(), stamped=timestamper(unit, NOW - DAY))))
    assert (one.level, one.time_source) == ("B-B", "claimed")
    assert outcome(one, "timestamp") == "unknown"


def test_a_compromised_time_stamping_unit_proves_nothing() -> None:
    """RFC 3161, 4: with keyCompromise all its time-stamps fall, with another reason the earlier ones stay."""
    content = sign(document(), stamped=timestamper(city().tsa, NOW - DAY))
    levels = []
    for reason in (COMPROMISED, SUPERSEDED):
        revoked = [(city().tsa, NOW - HOUR, reason)]
        source = Source(crls=[crl(city().ca, NOW - timedelta(minutes=5), revoked), crl(city().root, NOW - HOUR)])
        levels.append(only(verify(content, source=source)).level)
    assert levels == ["B-B", "B-T"]


def test_a_time_stamp_newer_than_the_document_time_stamp_over_it_is_out_of_order() -> None:
    content = sign(document(), stamped=timestamper(city().tsa, NOW - HOUR))
    content = add_document_timestamp(content, timestamper(city().tsa, NOW - DAY))
    first = verify(content).signatures[0]
    assert first.sub_indication is SubIndication.TIMESTAMP_ORDER_FAILURE


def test_a_time_stamping_unit_expired_since_is_carried_by_a_newer_document_time_stamp() -> None:
    short = party(
        "短期时间戳",
        city().ca,
        extended=ExtendedKeyUsageOID.TIME_STAMPING,
        not_after=NOW + DAY,
        key=rsa.generate_private_key(65537, 2048),
    )
    content = sign(document(), stamped=timestamper(short, NOW - DAY))
    made = NOW - DAY + timedelta(minutes=1)
    content = add_store(content, crls=[crl(city().ca, made), crl(city().root, made)])
    later = NOW + 5 * YEAR
    assert verify(content, now=later, offline=True).sub_indication is SubIndication.OUT_OF_BOUNDS_NO_POE
    content = add_document_timestamp(content, timestamper(city().tsa, NOW))
    first = verify(content, now=later, offline=True).signatures[0]
    assert (first.indication, first.level, first.signed_at) == (Indication.TOTAL_PASSED, "B-LTA", NOW - DAY)


def test_a_ca_certificate_may_not_sign_documents() -> None:
    report = verify(sign(document(), city().ca, chain=[]))
    assert report.sub_indication is SubIndication.CHAIN_CONSTRAINTS_FAILURE
    assert outcome(only(report), "key_usage") == "fail"


def test_a_certificate_for_encryption_may_not_sign() -> None:
    wrong = party("99990000000002", city().ca, usage=["key_encipherment"])
    assert outcome(only(verify(sign(document(), wrong))), "key_usage") == "fail"


@pytest.mark.parametrize("usage", ["digital_signature", "content_commitment"])
def test_either_usage_and_no_extended_one_is_enough(usage: str) -> None:
    right = party("99990000000002", city().ca, usage=[usage], extended=ExtendedKeyUsageOID.CLIENT_AUTH)
    assert verify(sign(document(), right)).indication is Indication.TOTAL_PASSED


def test_sha1_is_no_longer_accepted() -> None:
    report = verify(sign(document(), md="sha1"))
    assert report.sub_indication is SubIndication.CRYPTO_CONSTRAINTS_FAILURE
    assert outcome(only(report), "algorithm") == "fail"


def test_a_short_rsa_key_is_no_longer_accepted() -> None:
    weak = party("99990000000003", city().ca, key=rsa.generate_private_key(65537, 1024))
    report = verify(sign(document(), weak))
    assert report.sub_indication is SubIndication.CRYPTO_CONSTRAINTS_FAILURE


def test_a_cms_signature_of_the_older_profile_is_verified_too() -> None:
    one = only(verify(sign(document(), sub_filter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED)))
    assert (one.kind, one.indication, one.level) == ("cms", Indication.TOTAL_PASSED, None)


def test_a_self_signed_certificate_that_is_its_own_anchor() -> None:
    alone = party("99990000000004")
    assert verify(sign(document(), alone, chain=[]), roots=[alone]).indication is Indication.TOTAL_PASSED


def test_two_seals_are_both_reported_in_order() -> None:
    content = sign(sign(document()), name="Seal2")
    report = verify(content)
    assert [one.name for one in report.signatures] == ["Seal1", "Seal2"]
    assert [one.modifications for one in report.signatures] == [Modifications.ALLOWED, Modifications.NONE]
    assert report.indication is Indication.TOTAL_PASSED


def test_the_worst_signature_speaks_for_the_file() -> None:
    content = sign(sign(document()), party("99990000000005"), name="Seal2", chain=[])
    report = verify(content)
    assert report.sub_indication is SubIndication.NO_CERTIFICATE_CHAIN_FOUND
    assert report.signatures[0].indication is Indication.TOTAL_PASSED


def test_reports_are_equal_when_made_twice() -> None:
    content = sealed_b_lt()
    assert dataclasses.asdict(verify(content)) == dataclasses.asdict(verify(content))

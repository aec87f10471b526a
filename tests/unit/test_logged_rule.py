"""Whether a seal is one that the log tells of: every condition broken alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from seal_service.domain.logged import (
    EntryFacts,
    Inclusion,
    Logged,
    LoggedUse,
    ProvenUses,
    SealOnDocument,
    judged,
    judged_by_proofs,
    not_found,
    with_logged,
)
from seal_service.domain.verdict import (
    Coverage,
    Indication,
    Modifications,
    Outcome,
    SealFacts,
    SignatureReport,
    SignedBytes,
    SignerFacts,
    SubIndication,
)

DOCUMENT, OTHER = "aa" * 32, "bb" * 32
LEAF = "11" * 32
INTENT = EntryFacts(
    kind="seal.intent",
    entry_id="intent",
    leaf_hash=LEAF,
    seal_code="44000000000001",
    certificate_serial="0f01",
    document_sha256=DOCUMENT,
    document_size=1000,
)
END = replace(
    INTENT,
    kind="seal.completed",
    entry_id="completed",
    leaf_hash="22" * 32,
    signature_value="3045",
    intent_id="intent",
    intent_leaf_hash=LEAF,
)
USE = LoggedUse(intent=INTENT, end=END, inclusion=Inclusion.PUBLISHED, tree_size=9)
SEAL = SealOnDocument(
    intent_leaf_hash=LEAF, signature_value="3045", certificate_serial="f01", seal_code="44000000000001"
)
REPORT = SignatureReport(
    name="Seal1",
    kind="pades",
    indication=Indication.TOTAL_PASSED,
    sub_indication=None,
    technically_valid=True,
    integrity=True,
    coverage=Coverage.WHOLE_FILE,
    modifications=Modifications.NONE,
    level="B-T",
    signed_at=None,
    time_source=None,
    signer=SignerFacts(
        subject="CN=44000000000001",
        issuer="CN=CA",
        serial="f01",
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=datetime(2027, 1, 1, tzinfo=UTC),
        algorithm="ec",
        certificate_sha256="",
    ),
    seal=SealFacts(code="44000000000001"),
    checks=(),
    intent_leaf_hash=LEAF,
    signed=SignedBytes(value="3045", gap_start=2000),
)


def prefix(size: int) -> str | None:
    """Of a file whose document had 1,000 bytes, and 1,100 when it was repaired."""
    return {1000: DOCUMENT, 1100: OTHER}.get(size)


def test_a_seal_whose_use_the_published_log_holds_passes() -> None:
    found = judged(SEAL, USE, prefix)
    assert found.outcome is Outcome.PASS
    assert "9 entries" in found.en


def test_by_a_proof_of_its_end_alone_it_passes_too() -> None:
    assert judged(SEAL, replace(USE, intent=None), prefix).outcome is Outcome.PASS


def test_a_key_that_was_given_is_named_as_such() -> None:
    found = judged(SEAL, replace(USE, intent=None, given_key="log.example+0a0b0c0d"), prefix)
    assert "by the given key log.example+0a0b0c0d" in found.en
    assert "log.example+0a0b0c0d" in found.zh
    assert "given key" not in judged(SEAL, USE, prefix).en


def test_a_repaired_document_is_the_one_before_the_seal() -> None:
    repaired = replace(END, repaired_sha256=OTHER, repaired_size=1100)
    assert judged(SEAL, replace(USE, end=repaired), prefix).outcome is Outcome.PASS
    for wrong in (replace(repaired, repaired_sha256=DOCUMENT), replace(repaired, repaired_size=1000)):
        assert judged(SEAL, replace(USE, end=wrong), prefix).outcome is Outcome.FAIL


BROKEN = {
    "the log entry is not the one that the signed bytes name": replace(
        USE, intent=replace(INTENT, leaf_hash="33" * 32)
    ),
    "is no intent": replace(USE, intent=replace(INTENT, kind="seal.denied")),
    "the intent is of another seal": replace(USE, intent=replace(INTENT, seal_code="44000000000002")),
    "the intent is of another certificate": replace(USE, intent=replace(INTENT, certificate_serial="0f02")),
    "has not been completed": replace(USE, end=None),
    "failed": replace(USE, end=replace(END, kind="seal.failed")),
    "abandoned": replace(USE, end=replace(END, kind="seal.abandoned")),
    "not seal.completed": replace(USE, end=replace(END, kind="sealmgmt.made")),
    "the completed entry is of another seal": replace(USE, end=replace(END, seal_code=None)),
    "the completed entry is of another certificate": replace(USE, end=replace(END, certificate_serial=None)),
    "another signature value": replace(USE, end=replace(END, signature_value="3046")),
    "of different documents": replace(USE, intent=replace(INTENT, document_sha256=OTHER)),
    "another document than": LoggedUse(
        intent=replace(INTENT, document_sha256=OTHER),
        end=replace(END, document_sha256=OTHER),
        inclusion=Inclusion.PUBLISHED,
    ),
    "contradicts": replace(USE, inclusion=Inclusion.CONTRADICTED),
}


@pytest.mark.parametrize("sentence", BROKEN)
def test_each_condition_that_is_not_met_fails_with_its_own_sentence(sentence: str) -> None:
    found = judged(SEAL, BROKEN[sentence], prefix)
    assert (found.outcome, found.instead) == (Outcome.FAIL, Indication.TOTAL_FAILED)
    assert sentence in found.en
    others = {judged(SEAL, use, prefix).en for other, use in BROKEN.items() if other != sentence}
    assert found.en not in others


@pytest.mark.parametrize("wrong", [{"intent_id": "another"}, {"intent_leaf_hash": OTHER}, {"intent_leaf_hash": None}])
def test_an_end_of_another_intent_fails(wrong: dict[str, Any]) -> None:
    found = judged(SEAL, replace(USE, end=replace(END, **wrong)), prefix)
    assert "names another intent" in found.en
    assert found.outcome is Outcome.FAIL


@pytest.mark.parametrize("size", [999, 1100, 0, None])
def test_a_document_of_another_size_is_another_document(size: int | None) -> None:
    use = replace(USE, intent=replace(INTENT, document_size=size), end=replace(END, document_size=size))
    assert "another document" in judged(SEAL, use, prefix).en


@pytest.mark.parametrize(
    ("inclusion", "outcome", "instead"),
    [
        (Inclusion.AWAITED, Outcome.PASS, None),
        (Inclusion.UNPUBLISHED, Outcome.UNKNOWN, None),
        (Inclusion.OVERDUE, Outcome.UNKNOWN, Indication.INDETERMINATE),
        (Inclusion.UNANSWERED, Outcome.UNKNOWN, Indication.INDETERMINATE),
    ],
)
def test_what_is_not_published_yet_is_told_apart(
    inclusion: Inclusion, outcome: Outcome, instead: Indication | None
) -> None:
    found = judged(SEAL, replace(USE, inclusion=inclusion), prefix)
    assert (found.outcome, found.instead) == (outcome, instead)


def test_a_seal_that_is_not_in_the_log_is_not_passed_and_nothing_worse_gets_better() -> None:
    report = with_logged(REPORT, not_found())
    assert (report.indication, report.sub_indication) == (Indication.INDETERMINATE, SubIndication.NOT_LOGGED)
    failed = replace(REPORT, indication=Indication.TOTAL_FAILED, sub_indication=SubIndication.HASH_FAILURE)
    assert with_logged(failed, not_found()).sub_indication is SubIndication.HASH_FAILURE
    unknown = replace(REPORT, indication=Indication.INDETERMINATE, sub_indication=SubIndication.TRY_LATER)
    assert with_logged(unknown, not_found()).sub_indication is SubIndication.TRY_LATER
    contradicted = with_logged(unknown, judged(SEAL, replace(USE, end=None), prefix))
    assert (contradicted.indication, contradicted.sub_indication) == (
        Indication.TOTAL_FAILED,
        SubIndication.NOT_LOGGED,
    )


def test_the_check_stands_in_a_report_once() -> None:
    passed = Logged(outcome=Outcome.PASS, zh="在", en="it is there")
    twice = with_logged(with_logged(REPORT, not_found()), passed)
    assert [(one.id, one.outcome) for one in twice.checks] == [("logged", Outcome.PASS)]


def test_without_proofs_it_is_skipped_and_spoils_nothing() -> None:
    report = judged_by_proofs(REPORT, None, prefix)
    assert report.indication is Indication.TOTAL_PASSED
    assert [one.outcome for one in report.checks] == [Outcome.SKIPPED]


def test_where_proofs_count_a_seal_without_one_is_not_passed() -> None:
    report = judged_by_proofs(REPORT, ProvenUses(refused=("proof 1: it is none",)), prefix)
    assert (report.indication, report.checks[0].outcome) == (Indication.INDETERMINATE, Outcome.UNKNOWN)
    assert "proof 1: it is none" in report.checks[0].en
    unnamed = judged_by_proofs(replace(REPORT, intent_leaf_hash=None), ProvenUses(), prefix)
    assert (unnamed.indication, unnamed.checks[0].outcome) == (Indication.INDETERMINATE, Outcome.FAIL)


def test_where_proofs_count_a_strangers_signature_is_no_concern_of_theirs() -> None:
    stranger = replace(REPORT, intent_leaf_hash=None, seal=None)
    assert judged_by_proofs(stranger, ProvenUses(), prefix) == stranger
    assert judged_by_proofs(stranger, None, prefix) == stranger


def test_of_several_proofs_of_an_intent_the_one_with_the_signature_value_counts() -> None:
    other = replace(USE, intent=None, end=replace(END, signature_value="3046"))
    proven = ProvenUses(uses=(other, replace(USE, intent=None)))
    assert judged_by_proofs(REPORT, proven, prefix).checks[0].outcome is Outcome.PASS
    assert judged_by_proofs(REPORT, ProvenUses(uses=(other,)), prefix).checks[0].outcome is Outcome.FAIL

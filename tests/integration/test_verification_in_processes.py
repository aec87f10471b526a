"""验章 where documents are read in processes of their own: the same answers, and no harm from what takes too much."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from seal_service.bootstrap.isolating import VERIFYING
from seal_service.domain.verdict import Indication, Modifications, SubIndication, VerificationReport
from seal_service.formats.upload import upload_of
from seal_service.isolation.limits import ReadingLimits
from seal_service.isolation.processes import ReadingProcesses
from seal_service.ports.documents import VerificationPolicy
from seal_service.ports.isolation import Isolation
from seal_service.testing.isolation import InProcess
from seal_service.verification.limits import VerificationLimits
from seal_service.verification.verifier import Verifier
from tests.hostile_files import hostile
from tests.signed_pdfs import NOW, FixedClock, Trust, city, document, fresh_lists, sign

CORPORA = Path(os.environ.get("SEAL_TEST_CORPORA", "nowhere"))


@pytest.fixture(scope="module")
def processes() -> Iterator[ReadingProcesses]:
    made = ReadingProcesses(VERIFYING, ReadingLimits(), 2)
    yield made
    made.close()


def verified(content: bytes, isolation: Isolation, limits: VerificationLimits | None = None) -> VerificationReport:
    verifier = Verifier(
        trust=Trust([city().root]),
        revocation=fresh_lists(),
        clock=FixedClock(NOW),
        isolation=isolation,
        limits=limits or VerificationLimits(),
    )
    return verifier.verify(upload_of(content, "a.pdf"), VerificationPolicy())


def outcomes(report: VerificationReport) -> list[object]:
    """All but the words: pyHanko names the keys of a dictionary in any order."""
    return [
        (
            one.name,
            one.indication,
            one.sub_indication,
            one.coverage,
            one.level,
            one.signed_at,
            one.signer,
            one.seal,
            checks,
        )
        for one in report.signatures
        for checks in [[(each.id, each.outcome) for each in one.checks]]
    ]


def test_a_process_tells_the_same_of_signatures_one_after_another(processes: ReadingProcesses) -> None:
    content = document()
    for name in ("One", "Two", "Three"):
        content = sign(content, name=name)
    told = verified(content, processes)
    assert told == verified(content, InProcess())
    assert told.indication is Indication.TOTAL_PASSED
    assert [one.modifications for one in told.signatures] == [Modifications.ALLOWED] * 2 + [Modifications.NONE]


@pytest.mark.corpora
@pytest.mark.skipif(not CORPORA.is_dir(), reason="SEAL_TEST_CORPORA names no folder with other projects' files")
def test_a_process_tells_the_same_of_strangers_files(processes: ReadingProcesses) -> None:
    files = sorted((CORPORA / "pdf" / "dss-pades" / "verify").rglob("*.pdf"))
    assert files
    for file in files:
        content = file.read_bytes()
        if b"%PDF-" not in content[:1024]:
            continue
        assert outcomes(verified(content, processes)) == outcomes(verified(content, InProcess())), file.name


def test_a_document_that_takes_too_much_is_not_decided_and_the_next_is() -> None:
    hurried = ReadingProcesses(VERIFYING, ReadingLimits(seconds=0.3, bytes=64 << 20), 1)
    try:
        told = verified(hostile("a million objects in a table"), hurried)
        assert (told.indication, told.sub_indication) == (Indication.INDETERMINATE, SubIndication.NOT_SUPPORTED)
        assert not told.technically_valid
        assert verified(sign(document()), hurried).indication is Indication.TOTAL_PASSED
    finally:
        hurried.close()


def test_when_the_time_for_comparing_is_used_up_changes_are_unknown(processes: ReadingProcesses) -> None:
    content = sign(sign(document()), name="Two")
    first, last = verified(content, processes, VerificationLimits(seconds=-1.0)).signatures
    assert (first.indication, first.modifications) == (Indication.INDETERMINATE, Modifications.UNKNOWN)
    assert last.indication is Indication.TOTAL_PASSED


def test_signatures_that_together_cover_too_much_are_not_hashed(processes: ReadingProcesses) -> None:
    told = verified(sign(document()), processes, VerificationLimits(hashed=10))
    assert (told.indication, told.sub_indication) == (Indication.INDETERMINATE, SubIndication.NOT_SUPPORTED)
    assert "too many bytes" in told.checks[0].en


def test_a_document_above_the_limit_is_not_read(processes: ReadingProcesses) -> None:
    content = sign(document())
    told = verified(content, processes, replace(VerificationLimits(), bytes=len(content) - 1))
    assert told.indication is Indication.INDETERMINATE

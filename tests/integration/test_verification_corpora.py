"""Real signed files of other projects, against what those projects say of them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from seal_service.domain.errors import DocumentUnsupported
from seal_service.domain.verdict import Coverage, Indication, Modifications, SubIndication, VerificationReport
from seal_service.formats.verification_report import report_as_json
from tests.signed_pdfs import verify

CORPORA = Path(os.environ.get("SEAL_TEST_CORPORA", "nowhere"))
EXPECTATIONS = CORPORA / "pdf" / "expectations.json"

pytestmark = [
    pytest.mark.corpora,
    pytest.mark.skipif(not EXPECTATIONS.is_file(), reason="SEAL_TEST_CORPORA names no real files"),
]

FLAGGED_ALTHOUGH_EXPECTED_GOOD = {
    "test-with-vri.pdf": "a form field that the signature locks (FieldMDP) was filled after it: TEST2 became TEST20",
    "DSS-2821.pdf": "a false alarm: signing gave the page /Tabs and /StructParents, which no rule here permits",
}
"""Where this service differs from upstream, which passes them: the first rightly, the second is a known gap."""

STAMPS_OF_WRONG_TYPE = {
    "pades_with_orphan_ocsp_cert_refs.pdf": "its document time-stamp says /Type /Sig, against ISO 32000-2, 12.8.5",
}


def entries(use: str) -> list[Any]:
    if not EXPECTATIONS.is_file():
        return [pytest.param(None, id="none")]
    listed = json.loads(EXPECTATIONS.read_text("utf-8"))
    return [pytest.param(one, id=f"{one['verdict']}-{Path(one['file']).name}") for one in listed if one["use"] == use]


def report_of(entry: dict[str, str]) -> VerificationReport | None:
    start = time.perf_counter()
    try:
        report = verify((CORPORA / entry["file"]).read_bytes(), roots=[], offline=True)
    except DocumentUnsupported:
        report = None
    assert time.perf_counter() - start < 20
    if report is not None:
        json.dumps(report_as_json(report))
    return report


@pytest.mark.parametrize("entry", entries("verify"))
def test_the_verdict_is_the_one_expected(entry: dict[str, str]) -> None:
    report = report_of(entry)
    name = Path(entry["file"]).name
    if report is None:
        assert entry["verdict"] in ("ERROR_OR_NO_SIGNATURE", "MUST_TERMINATE", "NO_SIGNATURE", "REJECT")
        return
    assert report.indication is not Indication.TOTAL_PASSED  # no anchors are here
    match entry["verdict"]:
        case "CRYPTO_OK":
            signatures = [one for one in report.signatures if one.kind != "document_timestamp"]
            assert signatures
            assert all(one.integrity for one in report.signatures)
            assert all(one.coverage in (Coverage.WHOLE_FILE, Coverage.WHOLE_REVISION) for one in report.signatures)
            if name in FLAGGED_ALTHOUGH_EXPECTED_GOOD:
                assert report.sub_indication is SubIndication.DOCUMENT_CHANGED
            else:
                assert report.indication is Indication.INDETERMINATE
                assert report.technically_valid is (name not in STAMPS_OF_WRONG_TYPE)
        case "REJECT" | "MIXED" | "NOT_VALID_INDETERMINATE":
            if entry["verdict"] == "NOT_VALID_INDETERMINATE":
                assert report.indication is Indication.INDETERMINATE
            else:
                assert not report.technically_valid
            if entry["verdict"] == "MIXED":
                assert {one.indication for one in report.signatures} == {
                    Indication.TOTAL_FAILED,
                    Indication.INDETERMINATE,
                }
        case "FLAG_MODIFICATION":
            assert any(one.integrity and one.modifications is Modifications.CHANGED for one in report.signatures)
            assert not report.technically_valid
        case "MUST_NOT_FLAG":
            allowed = (Modifications.NONE, Modifications.ALLOWED)
            assert all(one.integrity and one.modifications in allowed for one in report.signatures)
            assert report.technically_valid
        case "SIGNATURE_OK_TIMESTAMP_SUSPECT":
            signatures = [one for one in report.signatures if one.kind != "document_timestamp"]
            assert all(one.technically_valid and one.level == "B-B" for one in signatures)
            assert all(one.time_source != "timestamp" for one in signatures)


@pytest.mark.parametrize("entry", entries("sign"))
def test_a_file_to_be_sealed_gives_a_sane_report(entry: dict[str, str]) -> None:
    report = report_of(entry)
    if report is None:
        return
    if report.signatures:
        assert report.indication is not Indication.NO_SIGNATURE
    else:
        assert not report.technically_valid
        assert report.sub_indication in (None, SubIndication.FORMAT_FAILURE, SubIndication.NOT_SUPPORTED)

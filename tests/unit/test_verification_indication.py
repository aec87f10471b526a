"""The conclusion from findings (EN 319 102-1), case by case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from seal_service.domain.verdict import Indication, Modifications, Outcome, SubIndication
from seal_service.verification.findings import Findings, Revocation, Trust
from seal_service.verification.indication import conclude

GOOD = Findings(
    format=Outcome.PASS,
    supported=Outcome.PASS,
    byte_range=Outcome.PASS,
    signer=Outcome.PASS,
    digest=Outcome.PASS,
    signature_value=Outcome.PASS,
    attributes=Outcome.PASS,
    algorithm=Outcome.PASS,
    modifications=Modifications.NONE,
    key_usage=Outcome.PASS,
    trust=Trust.TRUSTED,
    revocation=Revocation.GOOD,
)
FAILED, UNDECIDED = Indication.TOTAL_FAILED, Indication.INDETERMINATE


def test_when_every_check_passes_the_signature_passes() -> None:
    conclusion = conclude(GOOD)
    assert (conclusion.indication, conclusion.sub_indication) == (Indication.TOTAL_PASSED, None)
    assert conclusion.technically_valid


def test_permitted_additions_do_not_hurt() -> None:
    assert conclude(replace(GOOD, modifications=Modifications.ALLOWED)) == conclude(GOOD)


@pytest.mark.parametrize(
    ("change", "indication", "sub", "technically_valid"),
    [
        ({"format": Outcome.FAIL}, FAILED, "FORMAT_FAILURE", False),
        ({"supported": Outcome.FAIL}, UNDECIDED, "NOT_SUPPORTED", False),
        ({"byte_range": Outcome.FAIL}, FAILED, "FORMAT_FAILURE", False),
        ({"digest": Outcome.FAIL}, FAILED, "HASH_FAILURE", False),
        ({"signature_value": Outcome.FAIL}, FAILED, "SIG_CRYPTO_FAILURE", False),
        ({"signature_value": Outcome.SKIPPED}, UNDECIDED, "SIGNED_DATA_NOT_FOUND", False),
        ({"modifications": Modifications.CHANGED}, FAILED, "DOCUMENT_CHANGED", False),
        ({"modifications": Modifications.UNKNOWN}, UNDECIDED, "DOCUMENT_CHANGED", False),
        ({"signer": Outcome.FAIL}, UNDECIDED, "NO_SIGNING_CERTIFICATE_FOUND", False),
        ({"attributes": Outcome.FAIL}, UNDECIDED, "SIG_CONSTRAINTS_FAILURE", False),
        ({"trust": Trust.NO_PATH}, UNDECIDED, "NO_CERTIFICATE_CHAIN_FOUND", True),
        ({"trust": Trust.EXPIRED}, UNDECIDED, "OUT_OF_BOUNDS_NO_POE", True),
        ({"trust": Trust.NOT_YET_VALID}, UNDECIDED, "NOT_YET_VALID", True),
        ({"trust": Trust.NOT_YET_VALID, "time_proven": True}, FAILED, "NOT_YET_VALID", True),
        ({"trust": Trust.WEAK_ALGORITHM}, UNDECIDED, "CRYPTO_CONSTRAINTS_FAILURE", True),
        ({"trust": Trust.CONSTRAINTS}, UNDECIDED, "CHAIN_CONSTRAINTS_FAILURE", True),
        ({"trust": Trust.FAILED}, UNDECIDED, "CERTIFICATE_CHAIN_GENERAL_FAILURE", True),
        ({"key_usage": Outcome.FAIL}, UNDECIDED, "CHAIN_CONSTRAINTS_FAILURE", True),
        ({"revocation": Revocation.REVOKED}, UNDECIDED, "REVOKED_NO_POE", True),
        ({"revocation": Revocation.REVOKED, "time_proven": True}, FAILED, "REVOKED", True),
        ({"revocation": Revocation.ISSUER_REVOKED, "time_proven": True}, UNDECIDED, "REVOKED_NO_POE", True),
        ({"revocation": Revocation.UNKNOWN}, UNDECIDED, "TRY_LATER", True),
        ({"algorithm": Outcome.FAIL}, UNDECIDED, "CRYPTO_CONSTRAINTS_FAILURE", True),
        (
            {"algorithm": Outcome.FAIL, "algorithm_sound": False},
            UNDECIDED,
            "CRYPTO_CONSTRAINTS_FAILURE",
            False,
        ),
        ({"order": Outcome.FAIL}, UNDECIDED, "TIMESTAMP_ORDER_FAILURE", True),
    ],
)
def test_each_finding_against_it_has_its_own_conclusion(
    change: dict[str, Any], indication: Indication, sub: str, technically_valid: bool
) -> None:
    conclusion = conclude(replace(GOOD, **change))
    assert (conclusion.indication, conclusion.sub_indication) == (indication, SubIndication(sub))
    assert conclusion.technically_valid is technically_valid


def test_findings_that_say_nothing_never_pass() -> None:
    conclusion = conclude(Findings())
    assert conclusion.indication is not Indication.TOTAL_PASSED
    assert not conclusion.technically_valid

"""The list of status as a format and as a judge of signatures."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import StatusListRefused
from seal_service.domain.lifecycle import StatusChange, Suspension, status_at, suspensions
from seal_service.domain.seal import SealState
from seal_service.domain.status_list import (
    ListedCertificate,
    ListedSeal,
    StatusList,
    TrustedStatusList,
    judged_by_list,
)
from seal_service.domain.verdict import (
    Coverage,
    Indication,
    Modifications,
    SignatureReport,
    SignerFacts,
    SubIndication,
)
from seal_service.formats.status_list import compact, payload_of, read, signing_input

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
DIGEST = "ab" * 32
ISSUER = ("CN=示例市电子印章签发机构", "0a0b")

seconds = st.integers(0, 365 * 86_400_000)
moments = seconds.map(lambda one: START + timedelta(milliseconds=one))
stopped = st.sampled_from([SealState.SUSPENDED, SealState.CANCELLED])
intervals = st.builds(Suspension, since=moments, until=st.one_of(st.none(), moments), state=stopped)
certificates = st.builds(
    ListedCertificate,
    serial=st.from_regex(r"[0-9a-f]{1,40}", fullmatch=True),
    sha256=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    superseded_at=st.one_of(st.none(), moments),
)
seals = st.builds(
    ListedSeal,
    seal_code=st.from_regex(r"[0-9]{14}", fullmatch=True),
    status=st.sampled_from(SealState),
    since=moments,
    intervals=st.lists(intervals, max_size=3).map(tuple),
    invalid_from=st.one_of(st.none(), moments),
    certificates=st.lists(certificates, max_size=3).map(tuple),
)
lists = st.builds(
    StatusList,
    version=st.just(1),
    issuer=st.text(st.characters(codec="utf-8"), max_size=20),
    sequence=st.integers(0, (1 << 53) - 1),
    issued_at=moments,
    next_update=moments,
    issuers=st.lists(st.binary(max_size=20), max_size=2).map(tuple),
    seals=st.lists(seals, max_size=3).map(tuple),
)


@given(lists)
def test_a_list_is_read_back_as_it_was_and_is_canonical(one: StatusList) -> None:
    """RFC 8785; the library is the oracle."""
    payload = payload_of(one)
    assert payload == rfc8785.dumps(json.loads(payload))
    signed = signing_input("ES256", (b"certificate",), payload)
    found = read(compact(signed, b"x" * 64))
    assert (found.content, found.chain, found.signed, found.signature) == (one, (b"certificate",), signed, b"x" * 64)


@given(st.binary(max_size=300))
def test_what_is_no_list_is_refused(content: bytes) -> None:
    with pytest.raises(StatusListRefused):
        read(content)


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from([SealState.ACTIVE, SealState.SUSPENDED])), max_size=12))
def test_intervals_and_changes_tell_the_same_of_every_moment(steps: list[tuple[int, SealState]]) -> None:
    changes = [StatusChange(at=START, state=SealState.ACTIVE)]
    for minutes, state in steps:
        changes.append(StatusChange(at=changes[-1].at + timedelta(minutes=minutes + 1), state=state))
    found = suspensions(changes)
    for minute in range(0, 700, 7):
        moment = START + timedelta(minutes=minute)
        inside = any(one.since <= moment and (one.until is None or moment < one.until) for one in found)
        assert inside == (status_at(changes, moment) is SealState.SUSPENDED)


def report(at: datetime, *, proven: bool = True) -> SignatureReport:
    signer = SignerFacts(
        subject="CN=99990000000001",
        issuer=ISSUER[0],
        serial="01",
        not_before=START,
        not_after=START + timedelta(days=1000),
        algorithm="ec",
        certificate_sha256=DIGEST,
        issuer_key_id=ISSUER[1],
    )
    return SignatureReport(
        name="s",
        kind="pades",
        indication=Indication.TOTAL_PASSED,
        sub_indication=None,
        technically_valid=True,
        integrity=True,
        coverage=Coverage.WHOLE_FILE,
        modifications=Modifications.NONE,
        level="B-T",
        signed_at=at,
        time_source="timestamp" if proven else "claimed",
        signer=signer,
        seal=None,
        checks=(),
    )


def trusted(*listed: ListedSeal, complete: bool = True) -> TrustedStatusList:
    content = StatusList(
        version=1,
        issuer="x",
        sequence=1,
        issued_at=START + timedelta(days=10),
        next_update=START + timedelta(days=11),
        issuers=(),
        seals=listed,
    )
    return TrustedStatusList(content=content, complete_for=frozenset({ISSUER} if complete else ()))


LISTED = ListedSeal(
    seal_code="99990000000001",
    status=SealState.ACTIVE,
    since=START + timedelta(days=4),
    intervals=(
        Suspension(since=START + timedelta(days=2), until=START + timedelta(days=4), state=SealState.SUSPENDED),
    ),
    invalid_from=None,
    certificates=(ListedCertificate(serial="01", sha256=DIGEST),),
)
NOW = START + timedelta(days=10, hours=1)
DAY = timedelta(days=1)
PASSED, FAILED, DOUBTFUL = (
    (Indication.TOTAL_PASSED, None),
    (Indication.TOTAL_FAILED, SubIndication.REVOKED),
    (Indication.INDETERMINATE, SubIndication.TRY_LATER),
)


@pytest.mark.parametrize(
    ("listed", "days", "proven", "expected"),
    [
        (LISTED, 1, True, PASSED),
        (LISTED, 3, True, FAILED),
        (LISTED, 3, False, FAILED),
        (LISTED, 5, True, PASSED),
        (LISTED, 1, False, DOUBTFUL),
        (replace(LISTED, intervals=(), invalid_from=START + 5 * DAY), 5, True, FAILED),
        (replace(LISTED, intervals=(), invalid_from=START + 5 * DAY), 4, True, PASSED),
        (replace(LISTED, intervals=(), invalid_from=START + 5 * DAY), 4, False, DOUBTFUL),
        (None, 5, True, PASSED),
        (None, 5, False, PASSED),
        (None, 10.01, True, DOUBTFUL),
    ],
)
def test_what_a_list_says_of_a_signature(
    listed: ListedSeal | None, days: float, proven: bool, expected: tuple[Indication, SubIndication | None]
) -> None:
    given_lists = (trusted(*(() if listed is None else (listed,))),)
    judged = judged_by_list(report(START + days * DAY, proven=proven), given_lists, NOW)
    assert (judged.indication, judged.sub_indication) == expected
    assert judged.checks[-1].id == "status_list"


def test_a_superseded_certificate_seals_nothing_any_more() -> None:
    old = replace(
        LISTED,
        intervals=(),
        certificates=(ListedCertificate(serial="01", sha256=DIGEST, superseded_at=START + 5 * DAY),),
    )
    for days, expected in ((4, PASSED), (5, FAILED)):
        judged = judged_by_list(report(START + days * DAY), (trusted(old),), NOW)
        assert (judged.indication, judged.sub_indication) == expected


def test_an_expired_list_still_fails_and_never_passes() -> None:
    late = START + 20 * DAY
    assert judged_by_list(report(START + 3 * DAY), (trusted(LISTED),), late).indication is Indication.TOTAL_FAILED
    assert judged_by_list(report(START + DAY), (trusted(LISTED),), late).indication is Indication.INDETERMINATE


def test_of_several_lists_the_worst_word_counts_and_none_is_no_word() -> None:
    both = (trusted(), trusted(LISTED))
    assert judged_by_list(report(START + 3 * DAY), both, NOW).indication is Indication.TOTAL_FAILED
    strange = judged_by_list(report(START + DAY), (trusted(complete=False),), NOW)
    assert strange.indication is Indication.INDETERMINATE

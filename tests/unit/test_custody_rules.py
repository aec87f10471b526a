"""The rules of custody: what follows what for a medium, how long wrong secrets wait, what a packed state must be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.activation import (
    LONGEST_ACTIVATION,
    LONGEST_WAIT,
    ActivationRecord,
    after_right_secret,
    after_wrong_secret,
    checked_extent,
    checked_secret,
    require_open,
)
from seal_service.domain.errors import ActivationBlocked, Conflict, IntegrityFailed, InvalidInput, MediumNotInHand
from seal_service.domain.medium import MediumAct, MediumEvent, media_of, require_in_hand, require_next
from seal_service.formats.pieces import joined, separated
from seal_service.formats.pkcs10 import proven_key, request_as_pem, request_der
from tests.medium import UnitMedium

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
RECORD = ActivationRecord(seal_code="99990000000001", version=1, taken_by="keeper", taken_at=NOW)


@given(st.lists(st.sampled_from(list(MediumAct)), max_size=12))
def test_a_medium_is_in_hand_exactly_when_it_was_last_handed_over(acts: list[MediumAct]) -> None:
    """Whatever is tried: destruction is the end, and only what was handed over last can be pressed."""
    history: list[MediumEvent] = []
    for act in acts:
        medium = media_of(history)[-1] if history else None
        try:
            require_next(medium, act, NOW)
        except Conflict:
            continue
        assert medium is None or medium.last is not MediumAct.DESTROYED
        history.append(
            MediumEvent(
                id=str(len(history)),
                seal_code="99990000000001",
                position=len(history),
                serial_number="UKEY-1",
                version=1,
                act=act,
                at=NOW,
                recorded_at=NOW,
                recorded_by="maker",
                keeper="王样例",
            )
        )
    if history and history[-1].act is MediumAct.HANDED_OVER:
        assert require_in_hand(history, 1).keeper == "王样例"
    else:
        with pytest.raises(MediumNotInHand):
            require_in_hand(history, 1)


def test_what_happened_to_a_medium_does_not_lie_before_what_is_recorded() -> None:
    first = MediumEvent(
        id="0",
        seal_code="99990000000001",
        position=0,
        serial_number="UKEY-1",
        version=1,
        act=MediumAct.ISSUED,
        at=NOW,
        recorded_at=NOW,
        recorded_by="maker",
        keeper="王样例",
    )
    with pytest.raises(Conflict):
        require_next(media_of([first])[0], MediumAct.HANDED_OVER, NOW - timedelta(seconds=1))


def test_each_wrong_secret_from_the_third_on_waits_twice_as_long_and_a_right_one_forgets() -> None:
    record, waits = RECORD, []
    for _ in range(20):
        record = after_wrong_secret(record, NOW)
        waits.append(None if record.blocked_until is None else record.blocked_until - NOW)
    minutes = [None if one is None else one / timedelta(minutes=1) for one in waits[:6]]
    assert minutes == [None, None, 1, 2, 4, 8]
    assert waits[-1] == LONGEST_WAIT
    with pytest.raises(ActivationBlocked):
        require_open(record, NOW + LONGEST_WAIT - timedelta(seconds=1))
    require_open(record, NOW + LONGEST_WAIT)
    assert after_right_secret(record) == RECORD


@pytest.mark.parametrize("secret", ["short", "x" * 201, "a secret with\x00 in it"])
def test_a_secret_that_is_no_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked_secret(secret)
    assert secret not in refused.value.message


def test_an_activation_has_an_end() -> None:
    assert checked_extent(None, 5, NOW) == NOW + LONGEST_ACTIVATION
    for until, uses in ((None, None), (NOW, None), (NOW + timedelta(days=32), None), (None, 0), (None, 1_000_001)):
        with pytest.raises(InvalidInput):
            checked_extent(until, uses, NOW)


@given(
    st.dictionaries(st.text(max_size=8), st.one_of(st.integers(), st.text(max_size=8), st.none()), max_size=4),
    st.lists(st.binary(max_size=64), max_size=4),
)
def test_pieces_come_apart_as_they_were_put_together(values: dict[str, object], pieces: list[bytes]) -> None:
    assert separated(b"".join(bytes(one) for one in joined(values, pieces))) == (values, pieces)


@given(st.binary(max_size=80))
def test_what_was_not_put_together_is_refused(content: bytes) -> None:
    whole = b"".join(bytes(one) for one in joined({"a": 1}, [b"piece"]))
    for bad in (content, whole + content[:1] + b"x", whole[:-1], b"pieces1\n" + content):
        with pytest.raises(IntegrityFailed):
            separated(bad)


def test_a_request_proves_that_its_key_is_had() -> None:
    medium = UnitMedium()
    request = medium.request()
    assert request_der(request_as_pem(request)) == request
    assert proven_key(request)[0]
    forged = bytearray(request)
    forged[-5] ^= 1
    with pytest.raises(InvalidInput):
        proven_key(bytes(forged))
    with pytest.raises(InvalidInput):
        proven_key(b"\x30\x00")
    with pytest.raises(InvalidInput):
        request_der("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")

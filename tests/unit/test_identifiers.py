"""Codes of units, areas, seals and entries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain import identifiers
from seal_service.domain.errors import InvalidAreaCode, InvalidCreditCode, InvalidInput, InvalidSealCode

CHARACTERS = st.text(identifiers.CREDIT_CODE_ALPHABET, min_size=17, max_size=17)


def test_check_character_of_a_code_worked_out_by_hand() -> None:
    """GB 32100: 91350100M000100Y43 is the standard's own example."""
    assert identifiers.credit_code("91350100M000100Y43") == "91350100M000100Y43"


@given(CHARACTERS)
def test_every_code_with_its_check_character_is_accepted(first: str) -> None:
    code = first + identifiers.credit_code_check_character(first)
    assert identifiers.credit_code(code.lower()) == code


@given(CHARACTERS, st.integers(0, 16), st.sampled_from(identifiers.CREDIT_CODE_ALPHABET))
def test_one_wrong_character_is_always_found(first: str, place: int, other: str) -> None:
    code = first + identifiers.credit_code_check_character(first)
    wrong = code[:place] + other + code[place + 1 :]
    if wrong != code:
        with pytest.raises(InvalidCreditCode):
            identifiers.credit_code(wrong)


@pytest.mark.parametrize("text", ["", "1" * 17, "1" * 19, "I" * 18, "示" * 18])
def test_what_is_no_credit_code_is_refused(text: str) -> None:
    with pytest.raises(InvalidCreditCode):
        identifiers.credit_code(text)


@pytest.mark.parametrize("text", ["99990", "9999000", "99990a", "９９９９００"])
def test_an_area_code_is_six_ascii_digits(text: str) -> None:
    with pytest.raises(InvalidAreaCode):
        identifiers.area_code(text)


def test_a_seal_code_is_the_area_and_eight_digits_of_a_serial() -> None:
    assert identifiers.seal_code_of("999900", 12) == "99990000000012"
    for serial in (0, 100_000_000):
        with pytest.raises(InvalidSealCode):
            identifiers.seal_code_of("999900", serial)
    with pytest.raises(InvalidSealCode):
        identifiers.seal_code("9999000000001")


def test_a_digest_is_lower_case_hexadecimal() -> None:
    assert identifiers.digest("0" * 64)
    for text in ("0" * 63, "A" * 64, ""):
        with pytest.raises(InvalidInput):
            identifiers.digest(text)


@given(st.binary(min_size=10, max_size=10), st.integers(0, 10**9))
def test_uuid7_is_version_7_and_sorts_by_time(random: bytes, milliseconds: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    early = identifiers.uuid7(start + timedelta(milliseconds=milliseconds), random)
    late = identifiers.uuid7(start + timedelta(milliseconds=milliseconds + 1), bytes(10))
    assert (early[14], early[19] in "89ab", len(early)) == ("7", True, 36)
    assert early < late

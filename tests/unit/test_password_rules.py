"""口令规则 (等保三级 8.1.4.1 a, b; article 24: 定期更换口令)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.password import (
    HISTORY,
    LONGEST,
    LONGEST_LOCK,
    SHORTEST,
    Login,
    after_failure,
    after_login,
    change_required,
    changed,
    expires_at,
    is_locked,
    is_worthless,
    normalized,
    reasons_against,
    warned,
)

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def codes(password: str, *names: str) -> list[str]:
    return [code for code, _ in reasons_against(password, names)]


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("七月流火-九月授衣-一之日", []),
        ("k7#Vq2!mZ9@w", []),
        ("k7#Vq2!mZ9@", ["length"]),
        ("k7#Vq2" * 30, ["length"]),
        ("k7#Vq2!mZ9@w\n", ["characters"]),
        ("Password2026!", ["common"]),
        ("aaaaaaaaaaaaaa", ["common"]),
        ("1qaz2wsx3edc", ["common"]),
        ("k7#Zhang.san!m2", ["name"]),
        ("k7#ＺＨＡＮＧ.san!m2", ["name"]),
    ],
)
def test_a_password_keeps_the_rules(password: str, expected: list[str]) -> None:
    assert codes(password, "zhang.san") == expected


def test_every_reason_is_told_at_once_and_none_repeats_the_password() -> None:
    reasons = reasons_against("zhaaaaaa\t", ["zha"])
    assert {code for code, _ in reasons} == {"length", "characters", "name", "common"}
    assert all("zhaaaaaa" not in sentence for _, sentence in reasons)


@given(st.text(st.sampled_from("aB3 七ﬁ\u0301"), max_size=2 * LONGEST))
def test_no_password_outside_the_length_is_taken(password: str) -> None:
    if not codes(password):
        assert SHORTEST <= len(normalized(password)) <= LONGEST


def test_a_password_ends_after_90_days_with_14_days_of_warning() -> None:
    login = changed(Login(account_id="a"), "h1", NOW, by_somebody_else=False)
    assert expires_at(login) == NOW + 90 * DAY
    assert not warned(login, NOW + 75 * DAY)
    assert warned(login, NOW + 76 * DAY)
    assert not change_required(login, NOW + 90 * DAY - timedelta(seconds=1))
    assert change_required(login, NOW + 90 * DAY)
    assert not is_worthless(login, NOW + 900 * DAY), "an old password still opens its own change"


def test_a_password_that_was_handed_out_opens_its_own_change_for_seven_days() -> None:
    login = changed(Login(account_id="a"), "h1", NOW, by_somebody_else=True)
    assert change_required(login, NOW)
    assert not is_worthless(login, NOW + 7 * DAY - timedelta(seconds=1))
    assert is_worthless(login, NOW + 7 * DAY)


def test_the_history_holds_the_last_passwords_newest_first() -> None:
    login = Login(account_id="a")
    for number in range(8):
        login = changed(login, f"h{number}", NOW, by_somebody_else=False)
    assert (login.password_hash, *login.history) == ("h7", "h6", "h5", "h4", "h3")
    assert len(login.history) == HISTORY - 1


def test_locks_double_from_the_fifth_failure_to_half_an_hour() -> None:
    login = Login(account_id="a")
    minutes = []
    for _ in range(40):
        login = after_failure(login, NOW)
        minutes.append(0 if login.locked_until is None else (login.locked_until - NOW) // timedelta(minutes=1))
    assert minutes[:12] == [0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30]
    assert set(minutes[12:]) == {LONGEST_LOCK // timedelta(minutes=1)}


def test_only_a_complete_sign_in_takes_failures_back() -> None:
    login = replace(Login(account_id="a"), failures=7, locked_until=NOW + timedelta(minutes=4))
    assert is_locked(login, NOW)
    assert not is_locked(login, NOW + timedelta(minutes=4))
    assert after_login(login, NOW + DAY).failures == 0
    assert after_login(login, NOW + DAY).locked_until is None

"""动态口令: RFC 6238 with HMAC-SHA-256, and passwords under argon2id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from seal_service.bootstrap.machine import SystemEntropy
from seal_service.domain.second_factor import first_new_counter
from seal_service.pki.one_time_codes import TotpCodes
from seal_service.pki.passwords import Argon2Passwords

KEY = b"12345678901234567890123456789012"
VECTORS = [
    (59, "46119246"),
    (1111111109, "68084774"),
    (1111111111, "67062674"),
    (1234567890, "91819424"),
    (2000000000, "90698825"),
    (20000000000, "77737706"),
]


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_the_vectors_of_rfc_6238_appendix_b(seconds: int, code: str) -> None:
    eight, six = TotpCodes("示例市", digits=8), TotpCodes("示例市")
    now = datetime.fromtimestamp(seconds, UTC)
    assert eight.counters(KEY, code, now) == [seconds // 30]
    assert six.counters(KEY, code[2:], now) == [seconds // 30]
    assert six.counters(KEY, code, now) == []


def test_a_code_may_be_one_step_early_or_late_and_no_more() -> None:
    codes, at = TotpCodes("示例市", digits=8), datetime.fromtimestamp(1111111111, UTC)
    taken = [steps for steps in range(-4, 5) if codes.counters(KEY, "67062674", at + steps * timedelta(seconds=30))]
    assert taken == [-1, 0, 1]


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "１２３４５６", " 12345", "-12345"])
def test_what_is_no_code_is_none(code: str) -> None:
    assert TotpCodes("示例市").counters(KEY, code, datetime(2026, 3, 1, tzinfo=UTC)) == []


def test_a_counter_is_taken_once_and_none_before_it_any_more() -> None:
    assert first_new_counter([7], None) == 7
    assert first_new_counter([7], 6) == 7
    assert first_new_counter([7], 7) is None
    assert first_new_counter([6, 8], 7) == 8


def test_an_authenticator_is_told_the_digest_in_the_address() -> None:
    address = urlsplit(TotpCodes("示例市").address(KEY, "张三 & 李四"))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert unquote(address.path) == "/示例市:张三 & 李四"
    asked = {name: value[0] for name, value in parse_qs(address.query).items()}
    assert asked == {
        "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA",
        "issuer": "示例市",
        "algorithm": "SHA256",
        "digits": "6",
        "period": "30",
    }


def test_passwords_are_argon2id_with_46_mebibytes_and_every_salt_of_its_own() -> None:
    passwords = Argon2Passwords(SystemEntropy())
    one, two = passwords.hashed("七月流火-九月授衣"), passwords.hashed("七月流火-九月授衣")
    assert one.startswith("$argon2id$v=19$m=47104,t=2,p=1$")
    assert one != two
    assert passwords.matches(one, "七月流火-九月授衣")
    assert passwords.matches(passwords.hashed("ﬁne-day-2026"), "fine-day-2026"), "one form of each character"
    assert not passwords.matches(one, "七月流火-九月授衣 ")
    assert not passwords.matches(None, "七月流火-九月授衣")
    assert not passwords.matches("no hash", "七月流火-九月授衣")
    assert not passwords.matches(one, "七" * 10_000)

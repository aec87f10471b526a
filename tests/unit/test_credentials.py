"""Client secrets and access tokens: who calls is known, or the call is refused."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey

from seal_service.domain.access import Account, Role
from seal_service.domain.errors import Unauthenticated
from seal_service.pki.credentials import ClientCredentials
from seal_service.ports.system import Credentials

NOW = datetime(2026, 3, 1, 8, 0, 0, 500_000, tzinfo=UTC)
KEY = bytes(range(32))
CLAIMS = {
    "iss": "seal.example",
    "aud": "seal.example/v1",
    "sub": "account-1",
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 600,
    "jti": "00",
}


class CountingEntropy:
    def __init__(self) -> None:
        self.count = 0

    def token(self, length: int) -> bytes:
        self.count += 1
        return hashlib.shake_128(self.count.to_bytes(4, "big")).digest(length)


def credentials(**changed: Any) -> ClientCredentials:
    options: dict[str, Any] = {
        "keys": lambda: (KEY,),
        "issuer": "seal.example",
        "audience": "seal.example/v1",
        "lifetime_seconds": 600,
    }
    return ClientCredentials(**(options | {"entropy": CountingEntropy()} | changed))


ACCOUNT = Account(
    id="account-1",
    name="示例市一体化平台",
    roles=frozenset({Role.BUSINESS_SYSTEM}),
    unit_id=None,
    secret_hash="",
    created_at=NOW,
)
OURS = credentials()


def forged(
    claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None, key: bytes = KEY, alg: str = "HS256"
) -> str:
    full = {"alg": alg, "typ": "at+jwt"} | (header or {})
    return jwt.encode(full, CLAIMS if claims is None else claims, OctKey.import_key(key), algorithms=[alg])


def test_secret_is_known_by_its_hash_alone() -> None:
    port: Credentials = OURS
    secret, secret_hash = port.new_secret()
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    assert secret_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert secret not in secret_hash
    assert port.verify_secret(secret_hash, secret)
    assert not port.verify_secret(secret_hash, secret + "x")
    assert not port.verify_secret(secret_hash, secret[:-1])
    assert not port.verify_secret(secret_hash, "")


def test_secrets_and_salts_are_fresh() -> None:
    (first, first_hash), (second, second_hash) = OURS.new_secret(), OURS.new_secret()
    assert first != second
    assert first_hash.split("$")[4] != second_hash.split("$")[4]
    assert not OURS.verify_secret(first_hash, second)


@pytest.mark.parametrize("given_secret", ["", "秘密", "\ud800", "x" * 1_000_000, "a\0b"])
def test_any_text_is_answered_with_no(given_secret: str) -> None:
    assert not OURS.verify_secret(OURS.new_secret()[1], given_secret)
    assert not OURS.verify_secret(None, given_secret)


@pytest.mark.parametrize("broken", ["", "x", "$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA", "$2b$12$abc", "密"])
def test_a_broken_hash_lets_nobody_in(broken: str) -> None:
    assert not OURS.verify_secret(broken, "secret")


def test_the_secret_of_nobody_lets_nobody_in() -> None:
    """The dummy hash is that of the first secret made: even it is refused when the account is unknown."""
    first_secret = base64.urlsafe_b64encode(CountingEntropy().token(32)).rstrip(b"=").decode()
    assert not OURS.verify_secret(None, first_secret)


def test_an_unknown_account_takes_as_long_as_a_known_one() -> None:
    _, secret_hash = OURS.new_secret()

    def fastest(hashed: str | None) -> float:
        times = []
        for _ in range(5):
            start = time.thread_time()
            OURS.verify_secret(hashed, "wrong")
            times.append(time.thread_time() - start)
        return min(times)

    assert 0.3 < fastest(None) / fastest(secret_hash) < 3, "without the dummy hash it would be nothing"


def test_token_names_its_account_until_it_expires() -> None:
    token, lifetime = OURS.issue_token(ACCOUNT, NOW)
    assert lifetime == 600
    assert OURS.claims_of_token(token, NOW).account_id == "account-1"
    assert OURS.claims_of_token(token, NOW + timedelta(seconds=599)).account_id == "account-1"
    for late in (600, 601, 10**6):
        with pytest.raises(Unauthenticated):
            OURS.claims_of_token(token, NOW + timedelta(seconds=late))


def test_token_has_the_registered_claims_and_no_more() -> None:
    """RFC 7519, 4.1; RFC 9068, 2.1 for the header."""
    token, _ = OURS.issue_token(ACCOUNT, NOW)
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    assert header == {"alg": "HS256", "typ": "at+jwt"}
    assert claims == {**CLAIMS, "jti": claims["jti"]}
    assert len(claims["jti"]) == 32
    assert OURS.issue_token(ACCOUNT, NOW)[0] != token


def test_the_forger_of_these_tests_can_make_a_good_token() -> None:
    assert OURS.claims_of_token(forged(), NOW).account_id == "account-1"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "other"},
        {"aud": "other"},
        {"aud": ["other"]},
        {"exp": CLAIMS["iat"]},
        {"exp": "later"},
        {"exp": None},
        {"exp": True},
        {"iat": int(NOW.timestamp()) + 100},
        {"sub": ""},
        {"sub": 7},
        {"sub": ["account-1"]},
        {"nbf": int(NOW.timestamp()) + 100},
    ],
)
def test_wrong_claims_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        OURS.claims_of_token(forged({**CLAIMS, **changed}), NOW)


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_is_required(name: str) -> None:
    with pytest.raises(Unauthenticated):
        OURS.claims_of_token(forged({key: value for key, value in CLAIMS.items() if key != name}), NOW)


def unsigned() -> str:
    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'at+jwt'})}.{part(CLAIMS)}."


@pytest.mark.parametrize(
    "token",
    [
        unsigned(),
        forged(alg="HS512", key=bytes(64)),
        forged(alg="HS512", key=KEY * 2),
        forged(key=bytes(32)),
        forged(header={"typ": "JWT"}),
        forged(header={"crit": ["b64"], "b64": True}),
        forged()[:-4] + "AAAA",
        forged() + ".x",
        "",
        "a.b.c",
        "..",
        "é.é.é",
        "\ud800",
        "x" * 100_000,
    ],
)
def test_other_tokens_are_refused(token: str) -> None:
    """The algorithm is pinned: neither `none` nor another of the family opens the door (RFC 8725, 3.1)."""
    with pytest.raises(Unauthenticated):
        OURS.claims_of_token(token, NOW)


def test_tokens_of_another_key_issuer_or_audience_are_refused() -> None:
    for other in (credentials(keys=lambda: (bytes(32),)), credentials(issuer="other"), credentials(audience="other")):
        with pytest.raises(Unauthenticated):
            OURS.claims_of_token(other.issue_token(ACCOUNT, NOW)[0], NOW)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        credentials(keys=lambda: (bytes(31),))


@given(
    st.text(max_size=200)
    | st.lists(st.binary(max_size=60), min_size=3, max_size=3).map(
        lambda parts: ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    )
)
def test_no_text_crashes(token: str) -> None:
    with pytest.raises(Unauthenticated):
        OURS.claims_of_token(token, NOW)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_changed_token_is_taken(position: int, change: int) -> None:
    token = forged()
    index = position % len(token)
    other = chr(ord(token[index]) ^ change)
    changed = token[:index] + other + token[index + 1 :]
    last = len(token) - 1
    if index == last and other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        return  # the last character carries two bits that do not count
    with pytest.raises(Unauthenticated):
        OURS.claims_of_token(changed, NOW)

"""脱敏: no secret and no personal number comes through a log line, wherever in it it stands."""

from __future__ import annotations

import base64
import json
import logging
import string
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import create_engine

from seal_service.observability import redaction
from seal_service.observability.logging import JSON, TEXT, Lines
from seal_service.observability.redaction import (
    LONGEST_TEXT,
    MOST_ITEMS,
    REDACTED,
    names_a_secret,
    redacted,
    redacted_fields,
    redacted_text,
)

BASE64URL = string.ascii_letters + string.digits + "-_"
PLAIN = st.text(st.sampled_from("abcdefgh 中文印章，。:;()[]{}\n\t"), max_size=20)
opaque = st.text(BASE64URL, min_size=12, max_size=60)

SECRET_NAMES = (
    "secret", "client_secret", "clientSecret", "CLIENT-SECRET", "password", "est_password", "passwd", "pin", "userPIN",
    "pkcs11_pin", "token", "X-Token",
    "access_token", "accessToken", "Authorization", "proxy-authorization", "Cookie", "Set-Cookie",
    "private_key", "privateKey", "PRIVATE KEY", "master_key", "SEAL_MASTER_KEY", "database_url", "DATABASE_OWNER_URL",
    "api_key", "X-Api-Key", "credentials", "passphrase",
)  # fmt: skip
OTHER_NAMES = (
    "mapping",
    "pinned_pages",
    "key_id",
    "seal_code",
    "method",
    "public_key",
    "url",
    "opinion",
    "passed",
    "spin",
)


def identity_number(digits: str) -> str:
    """公民身份号码 with its right check character (GB 11643)."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return digits + "10X98765432"[sum(w * int(d) for w, d in zip(weights, digits, strict=True)) % 11]


def jwt(payload: bytes, signature: bytes) -> str:
    parts = (b'{"alg":"HS256"}', b"{" + payload, signature)
    return ".".join(base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in parts)


def pem(body: str) -> str:
    kind = "PRIVATE KEY"  # in two parts, so that no scanner takes this for one
    return f"-----BEGIN EC {kind}-----\n{body}\n-----END EC {kind}-----"


identity_numbers = st.text("0123456789", min_size=17, max_size=17).map(identity_number)
mobile_numbers = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
SECRETS: dict[str, tuple[st.SearchStrategy[str], Callable[[str], str]]] = {
    "bearer token": (opaque, lambda one: f"Bearer {one}"),
    "authorization field": (opaque, lambda one: f"authorization: Basic {one}"),
    "PEM key": (opaque, pem),
    "PEM key that was cut": (opaque, lambda one: pem(one).partition("-----END")[0]),
    "URL": (opaque, lambda one: f"postgresql+psycopg://seal:{one}@db.example/seal"),
    "URL with odd signs": (opaque, lambda one: f"https://someone:a@/?#{one}@ca.example/.well-known/est"),
    "connection string": (opaque, lambda one: f"host=db password='{one} and more' dbname=seal"),
    "query": (opaque, lambda one: f"/x?client_secret={one}&a=b"),
    "JSON": (opaque, lambda one: json.dumps({"access_token": one})),
    "argon2": (opaque, lambda one: f"$argon2id$v=19$m=65536,t=3,p=4${one}"),
    "prose": (opaque, lambda one: f"the password is {one}"),
    "cookie": (opaque, lambda one: f"Set-Cookie: a=1; session={one}"),
    "master key": (st.binary(min_size=32, max_size=32).map(bytes.hex), lambda one: f"the master key is {one}"),
    "identity number": (identity_numbers, str),
    "mobile number": (mobile_numbers, str),
    "mobile number from abroad": (mobile_numbers, lambda one: f"+86 {one}"),
}


@pytest.mark.parametrize("kind", SECRETS)
@given(data=st.data(), before=PLAIN, after=PLAIN)
def test_a_secret_in_a_text_is_left_out_whatever_stands_around_it(
    kind: str, data: st.DataObject, before: str, after: str
) -> None:
    secrets, written = SECRETS[kind]
    secret = data.draw(secrets)
    assert secret not in redacted_text(f"{before} {written(secret)} {after}")
    nested = {"a": [{"b": (written(secret), {written(secret): 1})}], written(secret): None}
    assert secret not in json.dumps(redacted(nested), ensure_ascii=False)


@given(payload=st.binary(min_size=8, max_size=60), signature=st.binary(min_size=8, max_size=64), before=PLAIN)
def test_a_token_of_json_is_left_out(payload: bytes, signature: bytes, before: str) -> None:
    token = jwt(payload, signature)
    told = redacted_text(f"{before} {token}")
    assert all(part not in told for part in token.split("."))


@pytest.mark.parametrize("name", SECRET_NAMES)
@given(value=st.one_of(opaque, st.binary(min_size=8), st.integers(10**6), st.lists(opaque, min_size=1), st.floats(1e6)))
def test_what_has_a_secrets_name_is_left_out_whatever_it_is(name: str, value: object) -> None:
    assert redacted_fields({"deep": [{name: value}]}) == {"deep": [{name: REDACTED}]}


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_other_names_are_no_secrets(name: str) -> None:
    assert not names_a_secret(name)


@given(
    digest=st.binary(min_size=32, max_size=32).map(bytes.hex), number=st.uuids(), code=st.integers(10**13, 10**14 - 1)
)
def test_digests_identifiers_and_seal_codes_stay_as_they_are(digest: str, number: object, code: int) -> None:
    text = f"use {number} of seal {code:014} document {digest} at 2026-11-23T08:00:00.000000Z"
    assert redacted_text(text) == text


@given(identity_numbers)
def test_a_number_with_a_wrong_check_character_is_no_identity_number(number: str) -> None:
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    assert redacted_text(wrong) == wrong
    assert redacted(int(number)) == REDACTED if number[-1] != "X" and number[0] != "0" else True


def test_bytes_are_told_by_their_length_and_secret_strings_by_nothing() -> None:
    assert redacted({"a": b"12345", "b": SecretStr("hunter2")}) == {"a": "[5 bytes]", "b": "**********"}


def test_a_long_text_is_cut_between_words_so_that_no_half_secret_stays() -> None:
    text = "x " * (LONGEST_TEXT // 2 - 10) + "postgresql://seal:hunter2hunter2@db.example/seal " + "y" * 100_000
    for shift in range(60):
        told = redacted_text("z" * shift + text)
        assert "hunter" not in told
        assert len(told) < LONGEST_TEXT + 100
    assert redacted_text("y" * 100_000) == "[100000 more characters]"


def test_many_items_and_deep_values_are_bounded() -> None:
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    assert len(json.dumps(redacted(deep))) < 100
    many = redacted(list(range(1000)))
    assert isinstance(many, list)
    assert many[-1] == f"[{1000 - MOST_ITEMS} more]"
    assert len(redacted_fields(dict.fromkeys(map(str, range(1000))))) == MOST_ITEMS + 1


@pytest.mark.parametrize(
    "piece", ["a://", "://", "master ", "token=' ", "Bearer ", "-----BEGIN PRIVATE", "eyJaaaaa.", "1"]
)
def test_no_text_takes_long(piece: str) -> None:
    """A client's text in an error must not become work; the bound is generous for a loaded machine."""
    began = time.perf_counter()
    redacted_text(piece * (LONGEST_TEXT // len(piece)))
    assert time.perf_counter() - began < 2


class _Unshowable:
    def __str__(self) -> str:
        raise ValueError("token=hunter2hunter2")


def line(form: str, message: str, *arguments: object, error: BaseException | None = None, **extra: object) -> str:
    """What an operator reads."""
    told = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord("seal_service.test", logging.ERROR, __file__, 1, message, arguments, told)
    record.__dict__.update(extra)
    return Lines(form).format(record)


@pytest.mark.parametrize("form", [JSON, TEXT])
def test_errors_of_libraries_lose_the_passwords_that_they_repeat(form: str) -> None:
    secret = "hunter2hunter2"

    def database() -> None:
        psycopg.connect(f"postgresql://seal:{secret}@127.0.0.1:1/seal")

    def engine() -> None:
        create_engine(f"nosuchdialect://seal:{secret}@db.example/seal").connect()

    def web() -> None:
        httpx.get(f"http://someone:{secret}@127.0.0.1:1/?token={secret}").raise_for_status()

    def chained() -> None:
        try:
            raise RuntimeError(f"postgresql://seal:{secret}@db/seal does not answer")
        except RuntimeError as error:
            error.add_note(f"client_secret={secret}")
            raise ValueError(f"Authorization: Bearer {secret}") from error

    for failing in (database, engine, web, chained):
        with pytest.raises(Exception) as caught:
            failing()
        told = line(form, "failed: %s", caught.value, error=caught.value, fields={"password": secret})
        assert secret not in told
        assert caught.type.__name__ in told


def test_a_line_of_json_has_what_operators_search_for() -> None:
    told = json.loads(line(JSON, "sealed %s", "文件", seal_code="99990000000001"))
    assert told["event"] == "sealed 文件"
    assert told["level"] == "error"
    assert told["logger"] == "seal_service.test"
    assert told["seal_code"] == "99990000000001"
    assert told["time"].endswith("Z")
    assert isinstance(told["pid"], int)
    assert told["worker"] == "main"


def test_an_exception_is_told_in_parts_without_local_values() -> None:
    hidden = "local-value-of-a-frame"
    try:
        try:
            raise KeyError("inner")
        except KeyError as inner:
            raise RuntimeError("outer") from inner
    except RuntimeError as error:
        told = line(JSON, "failed", error=error)
    exceptions = json.loads(told)["exception"]
    assert [one["exc_type"] for one in exceptions] == ["RuntimeError", "KeyError"]
    assert exceptions[0]["frames"][-1]["name"] == sys._getframe().f_code.co_name
    assert hidden not in told


@given(message=st.text(), value=st.text())
def test_a_message_never_begins_a_line_of_its_own(message: str, value: str) -> None:
    for form in (JSON, TEXT):
        told = line(form, message.replace("%", "%%") or "-", given=value)
        assert len(told.splitlines()) == 1, told
        assert "\x1b" not in told


def test_a_line_that_cannot_be_rendered_is_told_without_its_content() -> None:
    told = line(JSON, "%s %s", "token=hunter2hunter2")
    assert json.loads(told)["because"] == "TypeError"
    assert "hunter2" not in told
    assert "[_Unshowable that cannot be shown: ValueError]" in line(JSON, "x", given=_Unshowable())


@given(st.text(string.ascii_letters + "_./{}-", max_size=80) | st.from_regex(r"[A-Za-z.]{0,9}eyJ[A-Za-z_.-]{5,40}"))
def test_what_is_not_searched_would_have_been_left_as_it_is(text: str) -> None:
    assert redacted_text(text) == redaction._searched(text)

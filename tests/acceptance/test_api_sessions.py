"""People sign in over HTTP: passwords, codes, UKeys, client certificates (等保三级 8.1.4.1; article 24)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.live import LiveCity, expect, live_city, refused
from tests.person_authority import PersonAuthority, UKey

PASSWORD = "七月流火-九月授衣-一之日"
OTHER = "凿冰冲冲-纳于凌阴-四之日"


def totp(key: bytes, seconds: float) -> str:
    """RFC 6238 with SHA-256, six digits: as an authenticator computes it, none of the service's code."""
    digest = hmac.digest(key, struct.pack(">Q", int(seconds) // 30), "sha256")
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place : place + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def key_of(otpauth: str) -> bytes:
    secret = parse_qs(urlsplit(otpauth).query)["secret"][0]
    return base64.b32decode(secret + "=" * (-len(secret) % 8))


def account(city: LiveCity, *roles: str, name: str = "审计人员") -> str:
    body = {"name": name, "roles": list(roles or ("auditor",)), "unit_id": None}
    created = expect(201, city.security.post("/v1/accounts", json=body))
    city.confirm(created["request_id"])
    return str(created["id"])


def sign_in(city: LiveCity, name: str, password: str) -> httpx.Response:
    return city.public.post("/v1/sessions", json={"account": name, "password": password})


def client(city: LiveCity, answer: httpx.Response) -> httpx.Client:
    """A client with the session's token."""
    return city.client(Authorization=f"Bearer {expect(201, answer)['token']}")


def reset(city: LiveCity, account_id: str, **fields: Any) -> dict[str, Any]:
    return expect(201, city.security.post(f"/v1/accounts/{account_id}/password-reset", json=fields))


def person(city: LiveCity, *roles: str, name: str = "审计人员") -> str:
    """Someone who has changed the password that was handed out."""
    account_id = account(city, *roles, name=name)
    given = reset(city, account_id)["password"]
    first = client(city, sign_in(city, account_id, given))
    assert change(first, given, PASSWORD).status_code == 204
    assert first.delete("/v1/sessions/current").status_code == 204
    return account_id


def change(session: httpx.Client, present: str, new: str) -> httpx.Response:
    return session.put("/v1/sessions/current/password", json={"present": present, "new": new})


def enrol_totp(city: LiveCity, session: httpx.Client) -> tuple[str, bytes]:
    """The factor's id and key."""
    made = expect(201, session.post("/v1/sessions/current/second-factors", json={"kind": "totp"}))
    key = key_of(made["otpauth"])
    path = f"/v1/sessions/current/second-factors/{made['id']}/confirmation"
    expect(200, session.post(path, json={"code": totp(key, now(city))}))
    return made["id"], key


def now(city: LiveCity) -> float:
    return time.time() + city.clock.ahead.total_seconds()


def kinds(city: LiveCity) -> list[str]:
    """Every entry of people's way in, oldest first."""
    _, auditor = city.account("审计", "auditor")
    found = expect(200, auditor.get("/v1/log/entries", params={"limit": 500}))["items"]
    return [one["kind"] for one in reversed(found) if one["kind"].split(".")[0] in ("session", "password", "factor")]


@pytest.fixture
def totp_city(tmp_path: Path) -> Iterator[LiveCity]:
    with live_city(tmp_path / "home", second_factor="totp") as served:
        yield served


def test_a_person_signs_in_works_and_signs_out(city: LiveCity) -> None:
    account_id = account(city)
    given = reset(city, account_id, login_name="shen.ji")
    first = client(city, sign_in(city, "shen.ji", given["password"]))
    refused(403, "password-change-required", first.get("/v1/log/entries"))
    me = expect(200, first.get("/v1/sessions/current"))
    assert me["must_first"] == "change_password"
    refused(422, "password-refused", change(first, "wrong", PASSWORD))
    problem = refused(422, "password-refused", change(first, given["password"], "审计人员"))
    assert problem["reasons"] == ["length", "name", "common"]
    assert change(first, given["password"], PASSWORD).status_code == 204
    me = expect(200, first.get("/v1/sessions/current"))
    assert (me["account_id"], me["roles"], me["must_first"], me["way"]) == (account_id, ["auditor"], None, "password")
    assert not me["password_expires_soon"]
    expect(200, first.get("/v1/log/entries"))
    refused(403, "permission-denied", first.get("/v1/accounts"))
    assert first.delete("/v1/sessions/current").status_code == 204
    refused(401, "unauthenticated", first.get("/v1/log/entries"))
    refused(401, "unauthenticated", sign_in(city, account_id, given["password"]))
    assert kinds(city) == [
        "password.reset",
        "session.opened",
        "password.changed",
        "password.changed",
        "session.ended",
        "session.refused",
    ]


def test_signing_out_everywhere_ends_every_session(city: LiveCity) -> None:
    account_id = person(city)
    first, second = (client(city, sign_in(city, account_id, PASSWORD)) for _ in range(2))
    assert first.delete("/v1/sessions").status_code == 204
    for one in (first, second):
        refused(401, "unauthenticated", one.get("/v1/sessions/current"))


def test_a_session_ends_unused(city: LiveCity) -> None:
    session = client(city, sign_in(city, person(city), PASSWORD))
    city.clock.forward(timedelta(minutes=15))
    refused(401, "unauthenticated", session.get("/v1/sessions/current"))


def test_the_password_ends_after_90_days(city: LiveCity) -> None:
    account_id = person(city)
    city.clock.forward(timedelta(days=89))
    session = client(city, sign_in(city, account_id, PASSWORD))
    assert expect(200, session.get("/v1/sessions/current"))["password_expires_soon"]
    city.clock.forward(timedelta(days=1))
    answer = sign_in(city, account_id, PASSWORD)
    assert expect(201, answer)["must_first"] == "change_password"
    session = client(city, answer)
    refused(403, "password-change-required", session.get("/v1/log/entries"))
    assert change(session, PASSWORD, OTHER).status_code == 204
    expect(200, session.get("/v1/log/entries"))


def test_five_wrong_passwords_lock_and_nobody_is_told(city: LiveCity) -> None:
    account_id = person(city)
    wrong = [sign_in(city, account_id, "wrong") for _ in range(6)]
    locked, unknown = sign_in(city, account_id, PASSWORD), sign_in(city, "nobody", PASSWORD)
    bodies = [one.json() for one in (*wrong, locked, unknown)]
    for body in bodies:
        body.pop("request_id")
    assert all(body == bodies[0] for body in bodies)
    city.clock.forward(timedelta(minutes=1))
    expect(201, sign_in(city, account_id, PASSWORD))


def test_tries_at_one_account_from_one_address_are_bounded(tmp_path: Path) -> None:
    with live_city(tmp_path / "home", requests_per_minute=60) as city:
        assert sign_in(city, "nobody", "wrong").status_code == 401
        refused(429, "too-many-requests", sign_in(city, "nobody", "wrong"))
        assert sign_in(city, "somebody else", "wrong").status_code == 401


def test_a_code_is_asked_for_after_the_password_and_taken_once(totp_city: LiveCity) -> None:
    city = totp_city
    account_id = person(city)
    first = client(city, sign_in(city, account_id, PASSWORD))
    refused(403, "second-factor-required", first.get("/v1/log/entries"))
    factor_id, key = enrol_totp(city, first)
    expect(200, first.get("/v1/log/entries"))
    city.clock.forward(timedelta(minutes=2))
    asked = expect(202, sign_in(city, account_id, PASSWORD))
    assert (asked["status"], asked["kinds"]) == ("second_factor", ["totp"])
    code = totp(key, now(city))
    path = "/v1/sessions/second-factor"
    not_yet = {"Authorization": f"Bearer {asked['challenge']}"}
    refused(401, "unauthenticated", city.public.get("/v1/sessions/current", headers=not_yet))
    refused(401, "unauthenticated", city.public.post(path, json={"challenge": asked["challenge"], "code": "000000"}))
    refused(422, "invalid-input", city.public.post(path, json={"challenge": asked["challenge"]}))
    session = client(city, city.public.post(path, json={"challenge": asked["challenge"], "code": code}))
    assert expect(200, session.get("/v1/sessions/current"))["second_factor"] == "totp"
    again = expect(202, sign_in(city, account_id, PASSWORD))
    refused(401, "unauthenticated", city.public.post(path, json={"challenge": again["challenge"], "code": code}))
    listed = expect(200, session.get("/v1/sessions/current/second-factors"))["items"]
    assert [one["id"] for one in listed] == [factor_id]
    assert "otpauth" not in listed[0]
    refused(409, "last-second-factor", session.delete(f"/v1/sessions/current/second-factors/{factor_id}"))
    enrol_totp(city, session)
    assert session.delete(f"/v1/sessions/current/second-factors/{factor_id}").status_code == 204
    assert "factor.removed" in kinds(city)


def test_who_lost_the_second_factor_begins_anew(totp_city: LiveCity) -> None:
    city = totp_city
    account_id = person(city)
    enrol_totp(city, client(city, sign_in(city, account_id, PASSWORD)))
    given = reset(city, account_id, remove_second_factors=True)["password"]
    assert expect(201, sign_in(city, account_id, given))["must_first"] == "change_password"


@pytest.fixture(scope="module")
def authority() -> PersonAuthority:
    return PersonAuthority()


@pytest.fixture
def ukey_city(tmp_path: Path, authority: PersonAuthority) -> Iterator[LiveCity]:
    anchors = (authority.written(tmp_path / "people.pem"),)
    settings: dict[str, Any] = {
        "second_factor": "certificate",
        "person_anchors": anchors,
        "trusted_proxies": ("127.0.0.1",),
        "client_certificates": True,
    }
    with live_city(tmp_path / "home", **settings) as served:
        yield served


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def enrol_ukey(session: httpx.Client, ukey: UKey) -> httpx.Response:
    body = {"kind": "ukey", "certificate": b64(ukey.certificate)}
    made = session.post("/v1/sessions/current/second-factors", json=body)
    if made.status_code != 201:
        return made
    signature = b64(ukey.sign(base64.b64decode(made.json()["to_sign"])))
    path = f"/v1/sessions/current/second-factors/{made.json()['id']}/confirmation"
    return session.post(path, json={"signature": signature})


def test_a_ukey_answers_the_challenge(ukey_city: LiveCity, authority: PersonAuthority) -> None:
    city = ukey_city
    account_id = person(city)
    session = client(city, sign_in(city, account_id, PASSWORD))
    refused(422, "invalid-input", session.post("/v1/sessions/current/second-factors", json={"kind": "totp"}))
    refused(422, "key-family-unsupported", enrol_ukey(session, authority.sm2_ukey()))
    refused(422, "certificate-refused", enrol_ukey(session, PersonAuthority("别处").ukey()))
    ukey = authority.ukey()
    stolen = UKey(ukey.certificate, authority.ukey().key)
    refused(422, "factor-proof-refused", enrol_ukey(session, stolen))
    city.clock.forward(timedelta(minutes=10))
    assert expect(200, enrol_ukey(session, ukey))["certificate_sha256"] == hashlib.sha256(ukey.certificate).hexdigest()
    asked = expect(202, sign_in(city, account_id, PASSWORD))
    assert asked["kinds"] == ["ukey"]
    path, to_sign = "/v1/sessions/second-factor", base64.b64decode(asked["to_sign"])
    for wrong in (stolen.sign(to_sign), ukey.sign(to_sign + b"."), b"no signature"):
        body = {"challenge": asked["challenge"], "signature": b64(wrong)}
        refused(401, "unauthenticated", city.public.post(path, json=body))
    body = {"challenge": asked["challenge"], "signature": b64(ukey.sign(to_sign))}
    session = client(city, city.public.post(path, json=body))
    expect(200, session.get("/v1/log/entries"))


def test_a_client_certificate_is_believed_of_a_trusted_proxy_alone(
    ukey_city: LiveCity, authority: PersonAuthority, tmp_path: Path
) -> None:
    """RFC 9440: `Client-Cert` as the proxy that ended the TLS connection writes it."""
    city, ukey = ukey_city, authority.ukey()
    header = {"Client-Cert": f":{b64(ukey.certificate)}:"}
    account_id = person(city)
    session = client(city, sign_in(city, account_id, PASSWORD))
    path, body = "/v1/sessions/current/second-factors", {"kind": "certificate"}
    refused(422, "invalid-input", session.post(path, json=body))
    for wrong in (b64(ukey.certificate), ":not base64:", "::"):
        refused(401, "proof-refused", session.post(path, json=body, headers={"Client-Cert": wrong}))
    garbage = {"Client-Cert": f":{b64(b'no certificate')}:"}
    assert session.post(path, json=body, headers=garbage).status_code == 422
    expect(201, session.post(path, json=body, headers=header))
    asked = expect(202, sign_in(city, account_id, PASSWORD))
    assert asked["kinds"] == ["certificate"]
    second = {"challenge": asked["challenge"]}
    other = {"Client-Cert": f":{b64(authority.ukey().certificate)}:"}
    refused(401, "unauthenticated", city.public.post("/v1/sessions/second-factor", json=second, headers=other))
    expect(201, city.public.post("/v1/sessions/second-factor", json=second, headers=header))


def test_without_a_trusted_proxy_nobody_hands_on_a_certificate(tmp_path: Path, authority: PersonAuthority) -> None:
    anchors = (authority.written(tmp_path / "people.pem"),)
    with live_city(tmp_path / "home", second_factor="certificate", person_anchors=anchors) as city:
        session = client(city, sign_in(city, person(city), PASSWORD))
        header = {"Client-Cert": f":{b64(authority.ukey().certificate)}:"}
        answer = session.post("/v1/sessions/current/second-factors", json={"kind": "certificate"}, headers=header)
        refused(422, "invalid-input", answer)


def test_the_database_keeps_no_password_token_or_key(totp_city: LiveCity, tmp_path: Path) -> None:
    city = totp_city
    account_id = person(city)
    answer = sign_in(city, account_id, PASSWORD)
    _, key = enrol_totp(city, client(city, answer))
    kept = b"".join(one.read_bytes() for one in (tmp_path / "home").glob("seal.db*"))
    for secret in (PASSWORD.encode(), answer.json()["token"].encode(), key, base64.b32encode(key).rstrip(b"=")):
        assert secret not in kept


def test_every_refused_sign_in_is_in_the_log_with_its_address(city: LiveCity) -> None:
    account_id = person(city)
    sign_in(city, account_id, "wrong")
    sign_in(city, "nobody", "wrong")
    _, auditor = city.account("审计", "auditor")
    found = expect(200, auditor.get("/v1/log/entries", params={"kind": "session.refused"}))["items"]
    assert [one["result"] for one in found] == ["refused", "refused"]

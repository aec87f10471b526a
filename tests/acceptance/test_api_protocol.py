"""What every client can rely on: tokens, problems, limits, headers, /pki, health."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from asn1crypto import crl, ocsp, tsp, x509

from seal_service.bootstrap import Guarded
from seal_service.domain.access import PUBLIC_CALLER, Caller, Permission
from seal_service.domain.errors import SecondPersonNeeded
from seal_service.domain.readiness import Dependency
from seal_service.usecases.authenticate import PresentedToken
from seal_service.usecases.check_readiness import CheckReadiness
from seal_service.usecases.rotate_authority_key import RotateAuthorityKey
from tests.live import DOCUMENT, LiveCity, LiveOffice, expect, live_city, refused, serving
from tests.log_lines import log_lines

FORM = {"grant_type": "client_credentials"}


def test_a_token_is_had_by_http_basic_or_by_form_and_kept_by_no_cache(shared_city: LiveCity) -> None:
    """RFC 6749, 2.3.1, 4.4, 5.1."""
    known = shared_city.operator_credentials
    by_basic = shared_city.public.post("/oauth2/token", data=FORM, auth=(known.account_id, known.secret))
    named = FORM | {"client_id": known.account_id, "client_secret": known.secret}
    by_form = shared_city.public.post("/oauth2/token", data=named)
    for answer in (by_basic, by_form):
        token = expect(200, answer)
        assert answer.headers["cache-control"] == "no-store"
        assert token["token_type"] == "Bearer"
        client = shared_city.client(Authorization=f"Bearer {token['access_token']}")
        expect(200, client.get("/v1/controlled-acts"))


def test_a_token_is_refused_in_the_words_of_rfc_6749(shared_city: LiveCity) -> None:
    """RFC 6749, 5.2."""
    known, post = shared_city.operator_credentials, shared_city.public.post
    wrong = post("/oauth2/token", data=FORM, auth=(known.account_id, "wrong"))
    assert expect(401, wrong)["error"] == "invalid_client"
    assert wrong.headers["www-authenticate"].startswith("Basic")
    right = (known.account_id, known.secret)
    assert expect(400, post("/oauth2/token", data={"grant_type": "password"}, auth=right))["error"] == (
        "unsupported_grant_type"
    )
    twice = FORM | {"client_id": known.account_id, "client_secret": known.secret}
    assert expect(400, post("/oauth2/token", data=twice, auth=right))["error"] == "invalid_request"
    assert expect(400, post("/oauth2/token", json=FORM, auth=right))["error"] == "invalid_request"
    assert expect(400, post("/oauth2/token", data={}, auth=right))["error"] == "invalid_request"
    assert expect(401, post("/oauth2/token", data=FORM))["error"] == "invalid_client"
    garbage = post("/oauth2/token", data=FORM, headers={"Authorization": "Basic !!!"})
    assert expect(401, garbage)["error"] == "invalid_client"


def test_a_disabled_accounts_token_is_worthless_at_once(shared_city: LiveCity) -> None:
    account_id, client = shared_city.account("审计", "auditor")
    expect(200, client.get("/v1/units"))
    assert expect(200, shared_city.security.delete(f"/v1/accounts/{account_id}"))["disabled_at"] is not None
    refused(401, "unauthenticated", client.get("/v1/units"))
    own = f"/v1/accounts/{shared_city.operator_credentials.security_administrators[0].account_id}"
    refused(403, "permission-denied", shared_city.security.delete(own))
    assert expect(200, shared_city.security.get(f"/v1/accounts/{account_id}"))["name"] == "审计"


def test_a_secret_is_told_once(city: LiveCity) -> None:
    body, key = {"name": "审计", "roles": ["auditor"]}, {"Idempotency-Key": "account-1"}
    created = expect(201, city.security.post("/v1/accounts", json=body, headers=key))
    refused(409, "already-registered", city.security.post("/v1/accounts", json=body, headers=key))
    listed = city.security.get("/v1/accounts")
    assert created["client_secret"] not in listed.text
    roles = sorted(one["roles"] for one in expect(200, listed)["items"])
    assert roles == [[], ["security_administrator"], ["security_administrator"], ["system_operator"]]


def test_a_request_id_is_echoed_if_it_is_safe(shared_city: LiveCity) -> None:
    given = shared_city.public.get("/healthz", headers={"X-Request-ID": "case-17:a"})
    assert given.headers["x-request-id"] == "case-17:a"
    for unsafe in ("a b", "x" * 65, "<script>"):
        answer = shared_city.public.get("/v1/units", headers={"X-Request-ID": unsafe})
        assert answer.headers["x-request-id"] != unsafe
        assert refused(401, "unauthenticated", answer)["request_id"] == answer.headers["x-request-id"]
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_what_http_refuses_is_a_problem_too(shared_city: LiveCity) -> None:
    refused(404, "no-such-address", shared_city.public.get("/v2/anything"))
    wrong = shared_city.public.patch("/v1/units")
    refused(405, "method-not-allowed", wrong)
    assert wrong.headers["allow"] == "GET, POST"
    xml = shared_city.security.post("/v1/accounts", content=b"<a/>", headers={"Content-Type": "text/xml"})
    refused(415, "unsupported-media-type", xml)
    broken = shared_city.security.post("/v1/accounts", content=b"{", headers={"Content-Type": "application/json"})
    refused(422, "invalid-request", broken)
    body = {"name": "x", "roles": ["emperor"], "more": 1}
    fields = refused(422, "invalid-request", shared_city.security.post("/v1/accounts", json=body))["fields"]
    assert {one["field"] for one in fields} == {"body.roles.0", "body.more"}
    assert "emperor" not in shared_city.security.post("/v1/accounts", json=body).json()["detail"].split("Input")[0]


def test_answers_carry_security_headers(shared_city: LiveCity) -> None:
    for path in ("/healthz", "/v1/units", "/nothing"):
        headers = shared_city.public.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'")


def test_a_body_over_the_limit_is_refused_before_it_is_read(shared_office: LiveOffice) -> None:
    """By its announced length, and by counting where none is announced."""
    office = shared_office
    address = urlsplit(office.city.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port)
    connection.putrequest("POST", "/v1/verifications")
    connection.putheader("Content-Type", "application/pdf")
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders()
    announced = connection.getresponse()
    assert announced.status == 413
    announced.read()
    connection.close()

    refused(413, "content-too-large", office.maker.post("/v1/units", content=b" " * 70_000))


def test_a_document_over_the_limit_is_refused_while_it_streams(tmp_path: Path) -> None:
    with live_city(tmp_path / "home", document_bytes=100_000) as city:
        document = b"%PDF-1.7\n" + bytes(150_000)
        pieces = (document[start : start + 10_000] for start in range(0, len(document), 10_000))
        headers = {"Content-Type": "application/pdf"}
        chunked = city.public.post("/v1/verifications", content=pieces, headers=headers)
        assert refused(413, "document-over-limit", chunked)["limit"] == 100_000
        parts = {"document": ("a.pdf", document)}
        refused(413, "document-over-limit", city.public.post("/v1/verifications", files=parts))
        _, maker = city.account("制发部门", "seal_maker")
        refused(403, "permission-denied", maker.post("/v1/seals/99990000000001/uses?scenario=a", content=document))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x\r\n",
        b'--x\r\nContent-Disposition: form-data; name="document"\r\n\r\n%PDF',
        b"--x\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="trust"\r\n\r\nabc\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: form-data; name="document"\r\n\r\na\r\n'
        b'--x\r\nContent-Disposition: form-data; name="document"\r\n\r\nb\r\n--x--\r\n',
        b"\x00\xff" * 100,
    ],
)
def test_a_malformed_multipart_body_is_told_so(shared_office: LiveOffice, body: bytes) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    refused(
        400, "malformed-request", shared_office.city.public.post("/v1/verifications", content=body, headers=headers)
    )
    refused(
        400,
        "malformed-request",
        shared_office.city.public.post(
            "/v1/verifications", content=body, headers={"Content-Type": "multipart/form-data"}
        ),
    )


def test_the_rate_is_limited_by_account_and_for_the_public_by_address(tmp_path: Path) -> None:
    with live_city(tmp_path / "home", requests_per_minute=50) as city:
        told = city.security.get("/v1/accounts")
        assert told.headers["ratelimit-policy"] == '"default";q=50;w=60'
        assert told.headers["ratelimit"].startswith('"default";r=49;')
        answers = [city.public.get("/v1/public/seals/99990000000001") for _ in range(6)]
        assert answers[0].headers["ratelimit-policy"] == '"default";q=5;w=60'
        refused(429, "too-many-requests", answers[-1])
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 12
        expect(200, city.security.get("/v1/accounts"))
        expect(200, city.public.get("/healthz"))


def test_the_pki_answers_in_its_media_types(shared_office: LiveOffice) -> None:
    """RFC 5280, 6960 (POST and A.1's GET), 3161."""
    office, public = shared_office, shared_office.city.public
    for name in ("root.cer", "issuing.cer", "timestamp.cer"):
        answer = public.get(f"/pki/{name}")
        assert answer.headers["content-type"] == "application/pkix-cert"
        assert x509.Certificate.load(answer.content).subject.native
    for name in ("root.crl", "issuing.crl"):
        answer = public.get(f"/pki/{name}")
        assert answer.headers["content-type"] == "application/pkix-crl"
        assert crl.CertificateList.load(answer.content).issuer.native

    request = _ocsp_request(office)
    posted = public.post("/pki/ocsp", content=request, headers={"Content-Type": "application/ocsp-request"})
    encoded = quote(base64.b64encode(request).decode(), safe="")
    got = public.get(f"/pki/ocsp/{encoded}")
    for answer in (posted, got):
        assert answer.headers["content-type"] == "application/ocsp-response"
        response = ocsp.OCSPResponse.load(answer.content)
        assert response["response_status"].native == "successful"
        assert response.response_data["responses"][0]["cert_status"].name == "good"
    refused(400, "malformed-request", public.get("/pki/ocsp/!!"))

    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(32)}
    query = tsp.TimeStampReq({"version": 1, "message_imprint": imprint, "cert_req": True}).dump()
    stamped = public.post("/pki/tsa", content=query, headers={"Content-Type": "application/timestamp-query"})
    assert stamped.headers["content-type"] == "application/timestamp-reply"
    assert tsp.TimeStampResp.load(stamped.content)["status"]["status"].native == "granted"
    refused(415, "unsupported-media-type", public.post("/pki/tsa", json={}))


def test_the_pki_lists_its_generations_and_keeps_the_addresses_of_the_first(city: LiveCity) -> None:
    before = {name: city.public.get(f"/pki/{name}").content for name in ("root.cer", "issuing.cer")}
    operator = city.service.identify_caller(PUBLIC_CALLER, PresentedToken(token=_token_of(city), address=None))
    for role in ("root", "issuing"):
        command = RotateAuthorityKey(role=role, confirmed=True)
        with pytest.raises(SecondPersonNeeded) as waiting:
            city.service.rotate_authority_key(operator, command)
        city.confirm(str(waiting.value.details["request_id"]))
    items = expect(200, city.public.get("/pki"))["items"]
    assert [(one["certificate_path"], one["revocation_list_path"], one["signs"]) for one in items] == [
        ("/pki/root.cer", "/pki/root.crl", False),
        ("/pki/root-2.cer", "/pki/root-2.crl", True),
        ("/pki/cross-2.cer", None, False),
        ("/pki/issuing.cer", "/pki/issuing.crl", False),
        ("/pki/issuing-2.cer", "/pki/issuing-2.crl", True),
        ("/pki/timestamp.cer", None, True),
    ]
    for one in items:
        content = city.public.get(one["certificate_path"]).content
        assert hashlib.sha256(content).hexdigest() == one["sha256"]
        if one["revocation_list_path"]:
            listed = crl.CertificateList.load(city.public.get(one["revocation_list_path"]).content)
            assert listed.issuer.dump() == x509.Certificate.load(content).subject.dump()
    assert {name: city.public.get(f"/pki/{name}").content for name in before} == before
    refused(404, "certificate-not-found", city.public.get("/pki/issuing-3.crl"))
    refused(404, "certificate-not-found", city.public.get("/pki/timestamp-2.cer"))
    for nonsense in ("issuing-1.crl", "issuing-0.cer", "root-99999.cer", "root-x.cer"):
        assert city.public.get(f"/pki/{nonsense}").status_code in (404, 422)


def _token_of(city: LiveCity) -> str:
    return city.operator.headers["Authorization"].removeprefix("Bearer ")


def _ocsp_request(office: LiveOffice) -> bytes:
    issuer = x509.Certificate.load(office.city.public.get("/pki/issuing.cer").content)
    path = f"/v1/seals/{office.code}/certificate"
    der = office.keeper.get(path, headers={"Accept": "application/pkix-cert"}).content
    identity = {
        "hash_algorithm": {"algorithm": "sha1"},
        "issuer_name_hash": issuer.subject.sha1,
        "issuer_key_hash": issuer.public_key.sha1,
        "serial_number": x509.Certificate.load(der).serial_number,
    }
    request = {"tbs_request": {"request_list": [{"req_cert": identity}]}}
    encoded: bytes = ocsp.OCSPRequest(request).dump()
    return encoded


def test_readiness_lists_every_dependency(shared_city: LiveCity) -> None:
    told = expect(200, shared_city.public.get("/readyz"))
    assert told["ready"] is True
    assert {"schema", "database", "authority:issuing"} <= {one["name"] for one in told["dependencies"]}
    assert all(one.keys() == {"name", "ready", "age_seconds"} for one in told["dependencies"]), (
        "internals are for `seal doctor`"
    )
    assert expect(200, shared_city.public.get("/healthz")) == {"status": "ok"}


class _NotReady:
    permission = Permission.PUBLIC

    def __call__(self, _caller: Caller, _command: CheckReadiness) -> tuple[Dependency, ...]:
        return (Dependency(name="schema", ready=False, detail="run `seal db upgrade`"),)


class _Broken:
    permission = Permission.PUBLIC

    def __call__(self, _caller: Caller, _command: Any) -> Any:
        raise RuntimeError("the password is hunter2")


def test_what_is_not_ready_is_told_as_503(shared_city: LiveCity) -> None:
    with serving(replace(shared_city.service, check_readiness=Guarded(_NotReady()), close=lambda: None)) as url:
        told = expect(503, shared_city.public.get(f"{url}/readyz"))
    assert told.pop("checked_at").endswith("Z")
    assert told == {"ready": False, "dependencies": [{"name": "schema", "ready": False, "age_seconds": None}]}


def test_an_unforeseen_error_says_nothing_and_is_logged_with_its_request_id(
    shared_city: LiveCity,
) -> None:
    with (
        log_lines("seal_service.api", logging.ERROR) as lines,
        serving(replace(shared_city.service, verify_document=Guarded(_Broken()), close=lambda: None)) as url,
    ):
        headers = {"Content-Type": "application/pdf", "X-Request-ID": "broken-1"}
        answer = shared_city.public.post(f"{url}/v1/verifications", content=DOCUMENT.read_bytes(), headers=headers)
    told = refused(500, "internal-error", answer)
    assert "hunter2" not in answer.text
    assert "detail" not in told
    assert told["request_id"] == "broken-1"
    assert [(one["event"], one["request_id"]) for one in lines] == [("unexpected error", "broken-1")]
    assert lines[0]["exception"][0]["frames"], "where it happened, for whoever mends it"
    assert "hunter2" not in json.dumps(lines)


def test_a_key_that_is_gone_makes_the_service_unready_and_tells_nobody_why(tmp_path: Path) -> None:
    with live_city(tmp_path / "home") as city:
        (path,) = (tmp_path / "home" / "keys").glob("*issuing*.key")
        path.unlink()
        answer = city.public.get("/readyz")
    told = expect(503, answer)
    assert [one["name"] for one in told["dependencies"] if not one["ready"]] == ["authority:issuing", "crl"]
    assert path.stem not in answer.text
    assert str(path.parent) not in answer.text
    ages = {one["name"]: one["age_seconds"] for one in told["dependencies"]}
    assert ages["schema"] is None
    assert ages["log"] >= 0

"""Certificates from outside through HTTP and by commands, OpenSSL being the outside authority (articles 9, 14–16)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import CommandLine, Office
from tests.live import LiveCity, expect, live_city, refused, submit
from tests.outside_authority import OutsideAuthority, outside_authority

REQUESTS = "/v1/certificate-requests"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OutsideAuthority]:
    with outside_authority(tmp_path_factory.mktemp("outside") / "ca") as made:
        yield made


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, authority: OutsideAuthority) -> Iterator[LiveCity]:
    with live_city(
        tmp_path_factory.mktemp("city") / "home",
        certificate_source="request",
        trust_anchors=(authority.root,),
        revocation_addresses=authority.revocation_addresses,
    ) as served:
        yield served


class Making:
    """The making office and a unit, with approved applications."""

    def __init__(self, city: LiveCity) -> None:
        _, self.maker = city.account("制发部门", "seal_maker")
        self.unit = city.unit(self.maker)
        _, self.keeper = city.account("用印管理", "unit_administrator", unit_id=self.unit["id"])

    def approved(self) -> str:
        application = expect(201, submit(self.keeper, self.unit))
        path = f"/v1/applications/{application['id']}/decision"
        expect(200, self.maker.post(path, json={"decision": "approve"}))
        return str(application["id"])


@pytest.fixture(scope="module")
def making(city: LiveCity) -> Making:
    return Making(city)


def test_a_request_is_read_certified_and_handed_in_over_http(making: Making, authority: OutsideAuthority) -> None:
    body = {"application_id": making.approved()}
    headers = {"Idempotency-Key": "request-1"}
    answer = making.maker.post(REQUESTS, json=body, headers=headers)
    request = expect(201, answer)
    assert answer.headers["location"] == f"{REQUESTS}/{request['id']}"
    assert expect(201, making.maker.post(REQUESTS, json=body, headers=headers)) == request
    assert expect(200, making.maker.get(f"{REQUESTS}/{request['id']}")) == request
    assert request["pem"].startswith("-----BEGIN CERTIFICATE REQUEST-----\n")
    pending = expect(200, making.maker.get(REQUESTS, params={"state": "pending"}))
    assert request["id"] in [one["id"] for one in pending["items"]]
    refused(409, "conflict", making.maker.post(REQUESTS, json=body))

    path = f"{REQUESTS}/{request['id']}/certificate"
    alone = authority.certify(request["pem"]).decode()
    problem = refused(422, "certificate-refused", making.maker.put(path, json={"certificate": alone}))
    assert any("chain" in one for one in problem["reasons"])
    content = alone + authority.issuing.read_text()
    seal = expect(200, making.maker.put(path, json={"certificate": content}))
    assert (seal["code"], seal["state"]) == (request["seal_code"], "active")
    assert expect(200, making.maker.put(path, json={"certificate": content})) == seal
    assert expect(200, making.maker.get(f"{REQUESTS}/{request['id']}"))["state"] == "issued"
    refused(409, "conflict", making.maker.delete(f"{REQUESTS}/{request['id']}"))

    lost = making.keeper.post(f"/v1/seals/{seal['code']}/loss-report", json={"reason": "遗失"})
    assert expect(200, lost)["state"] == "suspended"
    [told] = expect(200, making.keeper.get("/v1/outside-certificates"))["items"]
    assert (told["seal_code"], told["status"], told["revoked_by_issuer"]) == (seal["code"], "on_hold", False)


def test_making_over_http_says_which_request_waits(making: Making) -> None:
    body = {"application_id": making.approved()}
    answer = making.maker.post("/v1/seals", json=body)
    problem = refused(409, "certificate-pending", answer)
    assert answer.headers["retry-after"]
    request = expect(200, making.maker.get(f"{REQUESTS}/{problem['certificate_request_id']}"))
    assert request["state"] == "pending"
    refused(422, "invalid-input", making.maker.post(f"{REQUESTS}/{request['id']}/certificate"))
    withdrawn = expect(200, making.maker.delete(f"{REQUESTS}/{request['id']}"))
    assert withdrawn["state"] == "withdrawn"


@pytest.mark.parametrize("body", [{}, {"application_id": "no"}, {"seal_code": "1"}, {"application_id": None}])
def test_a_request_for_nothing_is_invalid(making: Making, body: dict[str, Any]) -> None:
    refused(422, "invalid-request", making.maker.post(REQUESTS, json=body))


@pytest.fixture
def by_outside(fresh_by_command: Office, authority: OutsideAuthority, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The office of the command line, whose seals are certified by the outside authority from now on."""
    monkeypatch.setenv("SEAL_CERTIFICATE_SOURCE", "request")
    monkeypatch.setenv("SEAL_TRUST_ANCHORS", json.dumps([str(authority.root)]))
    monkeypatch.setenv("SEAL_REVOCATION_ADDRESSES", json.dumps(authority.revocation_addresses))
    return fresh_by_command


def approved(office: Office) -> str:
    submitted = office.at.said("applications", "submit", *office.materials(), by=office.keeper)
    office.at.said("applications", "decide", submitted["id"], "approve", by=office.maker)
    return str(submitted["id"])


def test_the_whole_story_by_commands(by_outside: Office, authority: OutsideAuthority, tmp_path: Path) -> None:
    at, maker = by_outside.at, by_outside.maker
    pem, certificate = tmp_path / "request.pem", tmp_path / "certificate.pem"
    request = at.said("certificates", "request", "--application", approved(by_outside), "-o", pem, by=maker)
    certificate.write_bytes(authority.certify(pem.read_bytes()))
    told = at.refused("certificates", "submit", request["id"], certificate, by=maker, code=2)
    assert "chain" in told
    chain = ("--chain", authority.issuing)
    seal = at.said("certificates", "submit", request["id"], certificate, *chain, by=maker)
    assert (seal["code"], seal["state"]) == (request["seal_code"], "active")
    listed = at.said("certificates", "list", "--state", "issued", by=maker)
    assert [one["id"] for one in listed["items"]] == [request["id"]]
    assert "99990000" in at.run("certificates", "list", by=maker).stdout

    lost = at.run("seals", "report-loss", seal["code"], "--reason", "遗失", by=by_outside.keeper)
    assert lost.exit_code == 0
    assert f"put on hold the certificate {seal['credentials'][0]['serial']}" in lost.stderr
    to_revoke = at.said("certificates", "list", "--state", "to-revoke", by=maker)
    assert [one["serial"] for one in to_revoke["items"]] == [seal["credentials"][0]["serial"]]
    authority.revoke(certificate.read_bytes())
    assert at.said("certificates", "list", "--state", "to-revoke", by=maker)["items"] == []


def test_a_request_is_withdrawn_only_when_that_is_confirmed(by_outside: Office) -> None:
    at, maker = by_outside.at, by_outside.maker
    told = at.refused("seals", "make", approved(by_outside), by=maker, code=1)
    request_id = at.said("certificates", "list", "--state", "pending", by=maker)["items"][0]["id"]
    assert request_id in told
    assert at.run("certificates", "withdraw", request_id, by=maker).exit_code == 1
    assert at.said("certificates", "show", request_id, by=maker)["state"] == "pending"
    assert at.said("certificates", "withdraw", request_id, "--yes", by=maker)["state"] == "withdrawn"
    assert "SEAL_CERTIFICATE_SOURCE" in at.refused("certificates", "fetch", at.said(
        "certificates", "request", "--application", approved(by_outside), by=maker
    )["id"], by=maker, code=2)  # fmt: skip
    at.refused("certificates", "request", by=maker, code=2)


def test_a_seal_is_imported_by_command_and_tells_its_history(
    by_outside: Office, authority: OutsideAuthority, tmp_path: Path
) -> None:
    at, maker = by_outside.at, by_outside.maker
    code = "99990000000077"
    organization = by_outside.unit["credit_code"] + by_outside.unit["name"]
    key, _ = authority.seal_key(f"/C=CN/O={organization}/CN={code}", "样章口令")
    (tmp_path / "password").write_text("样章口令\n", encoding="utf-8")
    (tmp_path / "wrong").write_text("错误", encoding="utf-8")
    command = ("seals", "import", "--application", approved(by_outside), "--code", code, "--key", key)
    note = ("--history-note", "2023 年由旧系统制发")
    at.refused(*command, *note, "--password-file", tmp_path / "wrong", "--yes", by=maker, code=2)
    asked = at.run(*command, *note, by=maker)
    assert asked.exit_code == 2, "no terminal to ask for the password"
    password = ("--password-file", tmp_path / "password")
    assert at.run(*command, *note, *password, by=maker).exit_code == 1, "--yes is needed"
    seal = at.said(*command, *note, *password, "--yes", by=maker)
    assert (seal["code"], seal["state"], seal["history_note"]) == (code, "active", "2023 年由旧系统制发")
    page = at.said("log", "query", "--seal", code, "--kind", "sealmgmt.imported", by=by_outside.auditor)
    assert page["items"][0]["entry"]["facts"]["history_note"] == "2023 年由旧系统制发"


def test_a_seal_whose_key_its_unit_keeps_is_imported_by_its_certificate(
    by_outside: Office, authority: OutsideAuthority
) -> None:
    at, maker = by_outside.at, by_outside.maker
    code = "99990000000078"
    organization = by_outside.unit["credit_code"] + by_outside.unit["name"]
    authority.seal_key(f"/C=CN/O={organization}/CN={code}", "x")
    given = ("--certificate", authority.directory / "seal.pem", "--certificate", authority.issuing)
    command = ("seals", "import", "--application", approved(by_outside), "--code", code, "--history-note", "旧章")
    at.refused(*command, "--yes", by=maker, code=2)
    at.refused(*command, "--token", "--yes", by=maker, code=2)
    seal = at.said(*command, "--token", *given, "--yes", by=maker)
    assert seal["credentials"][0]["custody"] == "token"


def test_the_command_line_needs_an_instance(command_line: CommandLine) -> None:
    command_line.refused("certificates", "list", code=2)

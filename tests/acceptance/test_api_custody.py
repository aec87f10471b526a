"""Article 20 through HTTP: uses in two steps, media, activation by the keeper, conveyance to a system."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from seal_service.bootstrap import key_process
from seal_service.config import Settings
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.formats.note import verifier_key
from seal_service.formats.pkcs10 import request_as_pem
from seal_service.formats.receipt import open_receipt
from seal_service.usecases.read_log_key import ReadLogKey
from tests.live import DOCUMENT, SCENARIO, LiveOffice, expect, live_city, refused, submit
from tests.medium import UnitMedium

PDF = {"Content-Type": "application/pdf"}
SECRET = "correct horse battery staple"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveOffice]:
    """With a keeper, and the key process that `seal serve` would have started."""
    home = tmp_path_factory.mktemp("custody") / "home"
    with live_city(home) as city, key_process(Settings(home=home)):
        made = LiveOffice(city)
        yield made


@pytest.fixture(scope="module")
def seal_keeper(office: LiveOffice) -> httpx.Client:
    return office.city.account("印章保管人", "seal_keeper", unit_id=office.unit["id"])[1]


def made_on_medium(office: LiveOffice, medium: UnitMedium) -> str:
    """The code of a seal on a medium that its keeper has, granted to the system."""
    application = expect(201, submit(office.keeper, office.unit))
    path = f"/v1/applications/{application['id']}/decision"
    expect(200, office.maker.post(path, json={"decision": "approve"}))
    body = {
        "application_id": application["id"],
        "certificate_request": request_as_pem(medium.request()),
        "medium_serial": medium.serial_number,
        "keeper": "王样例",
    }
    code: str = expect(201, office.maker.post("/v1/seals/on-medium", json=body))["code"]
    expect(201, office.give_grant(seal_code=code))
    return code


def prepare(office: LiveOffice, code: str, key: str) -> httpx.Response:
    return office.system.post(
        f"/v1/seals/{code}/prepared-uses",
        params={"scenario": SCENARIO},
        content=DOCUMENT.read_bytes(),
        headers={**PDF, "Idempotency-Key": key},
    )


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def test_a_seal_on_a_medium_from_its_making_to_its_return(office: LiveOffice, seal_keeper: httpx.Client) -> None:
    medium = UnitMedium(serial_number="UKEY-HTTP-1")
    code = made_on_medium(office, medium)
    refused(409, "medium-not-in-hand", prepare(office, code, "before"))
    hand_over = {"serial_number": medium.serial_number, "keeper": "王样例", "giver": "李样例"}
    expect(200, office.maker.post(f"/v1/seals/{code}/medium/hand-over", json=hand_over))
    denied = refused(403, "authorization-denied", one_step(office, code))
    assert "token_custody" in {one["code"] for one in denied["reasons"]}

    prepared = expect(201, prepare(office, code, "two-steps"))
    assert expect(201, prepare(office, code, "two-steps")) == prepared, "the same bytes to sign"
    path = f"/v1/seals/{code}/prepared-uses/{prepared['id']}"
    wrong = {"signature": encoded(UnitMedium().sign(b"something else"))}
    problem = refused(422, "prepared-signature-refused", office.system.post(f"{path}/completion", json=wrong))
    assert (problem["reason"], problem["attempts_left"]) == ("signature_wrong", 4)
    signature = {"signature": encoded(medium.sign(base64.b64decode(prepared["to_be_signed"])))}
    answer = office.system.post(f"{path}/completion", json=signature)
    assert answer.status_code == 201, answer.text
    assert answer.content.startswith(DOCUMENT.read_bytes())
    report = expect(200, office.city.public.post("/v1/verifications", content=answer.content, headers=PDF))
    assert report["indication"] == "TOTAL_PASSED"
    again = office.system.post(f"{path}/completion", json=signature)
    assert (again.status_code, again.content) == (200, answer.content)
    assert again.headers["seal-receipt"] == answer.headers["seal-receipt"]
    key = verifier_key(office.city.service.transparency.read_key(PUBLIC_CALLER, ReadLogKey()))
    told = open_receipt(base64.b64decode(answer.headers["seal-receipt"].strip(":")), key).receipt
    assert told.sealed_sha256 == hashlib.sha256(answer.content).hexdigest()
    other = {"signature": encoded(medium.sign(base64.b64decode(prepared["to_be_signed"])))}
    refused(409, "prepared-use-completed", office.system.post(f"{path}/completion", json=other))

    returned = {"serial_number": medium.serial_number, "receiver": "李样例"}
    expect(200, seal_keeper.post(f"/v1/seals/{code}/medium/return", json=returned))
    history = expect(200, office.auditor.get(f"/v1/seals/{code}/medium"))["items"][0]["history"]
    assert [one["act"] for one in history] == ["issued", "handed_over", "returned"]
    refused(409, "medium-not-in-hand", prepare(office, code, "after"))


def test_a_cancelled_seals_medium_is_accepted_and_destroyed_before_a_witness(office: LiveOffice) -> None:
    """Article 23: 同时将移动介质交回电子印章制发部门验收销毁."""
    medium = UnitMedium(serial_number="UKEY-HTTP-9")
    code = made_on_medium(office, medium)
    hand_over = {"serial_number": medium.serial_number, "keeper": "王样例", "giver": "李样例"}
    expect(200, office.maker.post(f"/v1/seals/{code}/medium/hand-over", json=hand_over))
    path, now = f"/v1/seals/{code}/medium", office.city.clock.now()
    body = {"on": now.isoformat(), "witness": "样某", "medium_serial": medium.serial_number}
    refused(409, "transition-refused", office.maker.post(f"{path}/acceptance", json=body))
    cancel = {"reason": "撤并", "document_number": "示政发〔2026〕7号"}
    expect(200, office.maker.post(f"/v1/seals/{code}/cancellation", json=cancel))
    refused(409, "transition-refused", office.maker.post(f"{path}/destruction", json=body))
    refused(422, "invalid-input", office.maker.post(f"{path}/acceptance", json={**body, "medium_serial": "UKEY-X"}))
    expect(200, office.maker.post(f"{path}/acceptance", json=body))
    assert expect(200, office.maker.post(f"{path}/destruction", json=body))["medium_destroyed_on"] is not None
    refused(409, "transition-refused", office.maker.post(f"{path}/destruction", json=body))
    history = expect(200, office.auditor.get(path))["items"][0]["history"]
    assert [one["act"] for one in history] == ["issued", "handed_over", "returned", "destroyed"]
    assert history[-1]["witness"] == "样某"


def one_step(office: LiveOffice, code: str) -> httpx.Response:
    return office.system.post(
        f"/v1/seals/{code}/uses",
        params={"scenario": SCENARIO},
        content=DOCUMENT.read_bytes(),
        headers={**PDF, "Idempotency-Key": f"one-step-{code}"},
    )


def test_another_seal_or_key_on_the_same_medium_is_refused(office: LiveOffice) -> None:
    medium = UnitMedium(serial_number="UKEY-HTTP-2")
    made_on_medium(office, medium)
    application = expect(201, submit(office.keeper, office.unit))
    expect(200, office.maker.post(f"/v1/applications/{application['id']}/decision", json={"decision": "approve"}))
    body: dict[str, Any] = {
        "application_id": application["id"],
        "certificate_request": request_as_pem(medium.request()),
        "medium_serial": "UKEY-HTTP-3",
        "keeper": "王样例",
    }
    refused(409, "already-registered", office.maker.post("/v1/seals/on-medium", json=body))
    other = body | {"certificate_request": request_as_pem(UnitMedium().request()), "medium_serial": "UKEY-HTTP-2"}
    refused(409, "already-registered", office.maker.post("/v1/seals/on-medium", json=other))


def test_a_conveyed_seal_takes_its_handle_and_a_withdrawn_one_no_more(office: LiveOffice) -> None:
    """导入应用系统: data and handle go, the key stays; the handle is worth nothing with another's credential."""
    path = f"/v1/seals/{office.code}/conveyances"
    conveyed = expect(201, office.keeper.post(path, json={"system_id": office.system_id}))
    assert "PRIVATE" not in str(conveyed)
    refused(403, "handle-refused", office.use("without"))
    content = DOCUMENT.read_bytes()

    def with_handle(key: str, client: httpx.Client, handle: str) -> httpx.Response:
        headers = {**PDF, "Idempotency-Key": key, "Seal-Handle": handle}
        address = f"/v1/seals/{office.code}/uses"
        return client.post(address, params={"scenario": SCENARIO}, content=content, headers=headers)

    assert with_handle("with", office.system, conveyed["handle"]).status_code == 201
    refused(403, "handle-refused", with_handle("wrong", office.system, "A" * 43))
    _, stranger = office.city.account("另一平台", "business_system", unit_id=office.unit["id"])
    refused(403, "handle-refused", with_handle("stolen", stranger, conveyed["handle"]))
    assert office.keeper.delete(f"{path}/{conveyed['conveyance']['id']}").status_code == 204
    assert office.keeper.delete(f"{path}/{conveyed['conveyance']['id']}").status_code == 204
    refused(403, "handle-refused", with_handle("withdrawn", office.system, conveyed["handle"]))
    refused(403, "handle-refused", office.use("still-without"))
    anew = expect(201, office.keeper.post(path, json={"system_id": office.system_id}))
    assert with_handle("anew", office.system, anew["handle"]).status_code == 201


def test_the_keeper_takes_activates_and_locks(office: LiveOffice, seal_keeper: httpx.Client, tmp_path: Path) -> None:
    del tmp_path
    application = expect(201, submit(office.keeper, office.unit))
    expect(200, office.maker.post(f"/v1/applications/{application['id']}/decision", json={"decision": "approve"}))
    code = expect(201, office.maker.post("/v1/seals", json={"application_id": application["id"]}))["code"]
    expect(201, office.give_grant(seal_code=code))
    expect(200, seal_keeper.post(f"/v1/seals/{code}/custody", json={"secret": SECRET}))
    refused(409, "conflict", seal_keeper.post(f"/v1/seals/{code}/custody", json={"secret": SECRET}))

    def use(key: str) -> httpx.Response:
        address, headers = f"/v1/seals/{code}/uses", {**PDF, "Idempotency-Key": key}
        content = DOCUMENT.read_bytes()
        return office.system.post(address, params={"scenario": SCENARIO}, content=content, headers=headers)

    refused(409, "seal-not-activated", use("locked"))
    path = f"/v1/seals/{code}/activation"
    wrong = {"secret": "not the secret at all", "uses": 1}
    assert refused(403, "activation-secret-wrong", seal_keeper.post(path, json=wrong))["failures"] == 1
    assert expect(200, seal_keeper.post(path, json={"secret": SECRET, "uses": 1}))["uses_left"] == 1
    assert use("one").status_code == 201
    refused(409, "seal-not-activated", use("two"))
    assert expect(200, office.auditor.get(path))["active"] is False
    expect(200, seal_keeper.post(path, json={"secret": SECRET, "uses": 9}))
    assert seal_keeper.delete(path).status_code == 204
    refused(409, "seal-not-activated", use("three"))

"""Articles 14, 16, 23, 24 through HTTP: making, renewal, loss, resumption, cancellation, public status."""

from __future__ import annotations

import hashlib
import ssl
from datetime import datetime, timedelta
from io import BytesIO

from asn1crypto import x509
from PIL import Image

from tests.live import DOCUMENT, LiveOffice, expect, refused


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def public_address(office: LiveOffice) -> str:
    """Where anyone asks for the seal's status."""
    return f"/v1/public/seals/{office.code}?name={office.seal['name']}"


def test_a_seals_certificate_and_impression_can_be_read(shared_office: LiveOffice) -> None:
    """Articles 14, 15, 16: the certificate names unit and code; the seal is valid as long as it."""
    office = shared_office
    path = f"/v1/seals/{office.code}"
    pem = office.keeper.get(f"{path}/certificate")
    der = office.keeper.get(f"{path}/certificate", headers={"Accept": "application/pkix-cert"})
    assert pem.headers["content-type"].startswith("application/x-pem-file")
    assert der.headers["content-type"] == "application/pkix-cert"
    assert ssl.PEM_cert_to_DER_cert(pem.text) == der.content
    certificate = x509.Certificate.load(der.content)
    names = certificate.subject.native
    assert names["common_name"] == office.code
    assert names["organization_name"] == office.unit["credit_code"] + office.unit["name"]
    assert certificate.not_valid_after == _moment(office.seal["valid_until"])
    refused(406, "not-acceptable", office.keeper.get(f"{path}/certificate", headers={"Accept": "text/html"}))

    picture = office.keeper.get(f"{path}/impression")
    assert hashlib.sha256(picture.content).hexdigest() == office.seal["impression"]["digest"]
    assert Image.open(BytesIO(picture.content)).mode in ("RGBA", "LA", "PA")


def test_the_public_learns_a_seals_status_and_no_more(shared_office: LiveOffice) -> None:
    """Articles 23, 24: 公示."""
    office = shared_office
    told = expect(200, office.city.public.get(public_address(office)))
    assert told["state"] == "active"
    assert told["holder"] == office.unit["name"]
    assert set(told) == {
        "code",
        "name",
        "holder",
        "state",
        "since",
        "valid_from",
        "valid_until",
        "invalid_from",
        "asked_at",
    }
    refused(404, "seal-not-found", office.city.public.get("/v1/public/seals/99990099999999?name=x"))
    refused(404, "seal-not-found", office.city.public.get(f"/v1/public/seals/{office.code}?name=另一印章"))
    refused(422, "invalid-request", office.city.public.get(f"/v1/public/seals/{office.code}"))
    refused(422, "invalid-request", office.city.public.get("/v1/public/seals/12?name=x"))
    refused(401, "unauthenticated", office.city.public.get(f"/v1/seals/{office.code}"))


def test_another_unit_does_not_even_learn_that_a_seal_exists(shared_office: LiveOffice) -> None:
    office = shared_office
    other = office.city.unit(office.maker, 9)
    _, stranger = office.city.account("别的单位", "unit_administrator", unit_id=other["id"])
    path = f"/v1/seals/{office.code}"
    refused(404, "seal-not-found", stranger.get(path))
    refused(404, "seal-not-found", stranger.get(f"{path}/impression"))
    refused(404, "seal-not-found", stranger.post(f"{path}/loss-report", json={"reason": "恶意"}))
    assert expect(200, stranger.get("/v1/seals"))["items"] == []


def test_renewal_is_refused_with_its_window_before_the_last_90_days(office: LiveOffice) -> None:
    """Article 16: 到期前90日内; after that a new seal is applied for."""
    path = f"/v1/seals/{office.code}/renewal"
    too_early = refused(409, "renewal-not-possible", office.keeper.post(path))
    until = _moment(office.seal["valid_until"])
    assert _moment(too_early["possible_from"]) == until - timedelta(days=90) == _moment(office.seal["renewal_from"])
    assert _moment(too_early["possible_until"]) == until


def test_renewal_within_the_window_makes_a_new_version_under_the_same_code(office: LiveOffice) -> None:
    """Article 16: new key and certificate; the listing of expiring seals finds it before."""
    city = office.city
    city.clock.forward(timedelta(days=1095 - 89))
    city.log_in()
    _, keeper = city.account("续期", "unit_administrator", unit_id=office.unit["id"])
    assert len(expect(200, keeper.get("/v1/seals", params={"expiring_within_days": 90}))["items"]) == 1
    assert expect(200, keeper.get("/v1/seals", params={"expiring_within_days": 88}))["items"] == []
    renewed = expect(200, keeper.post(f"/v1/seals/{office.code}/renewal", json={}))
    assert (renewed["code"], renewed["version"], renewed["state"]) == (office.code, 2, "active")
    assert len({one["serial"] for one in renewed["credentials"]}) == 2
    assert _moment(renewed["valid_until"]) > _moment(office.seal["valid_until"])
    assert expect(200, keeper.get("/v1/seals", params={"expiring_within_days": 90}))["items"] == []


def test_an_expired_seal_shows_as_expired_and_is_not_renewed(office: LiveOffice) -> None:
    """Article 16: expiry is derived from the clock."""
    city = office.city
    city.clock.forward(timedelta(days=1096))
    told = expect(200, city.public.get(public_address(office)))
    assert told["state"] == "expired"
    city.log_in()
    _, keeper = city.account("续期", "unit_administrator", unit_id=office.unit["id"])
    assert [one["code"] for one in expect(200, keeper.get("/v1/seals?state=expired"))["items"]] == [office.code]
    refused(409, "renewal-not-possible", keeper.post(f"/v1/seals/{office.code}/renewal"))


def test_a_lost_seal_is_suspended_at_once_resumed_and_cancelled(office: LiveOffice) -> None:
    """Articles 23, 24: 挂失, 恢复, 注销; every other step is refused with what is allowed."""
    path = f"/v1/seals/{office.code}"
    office.city.clock.forward(timedelta(seconds=2))
    sealed = office.use("before-loss")
    assert sealed.status_code == 201

    office.city.clock.forward(timedelta(seconds=2))
    suspended = expect(200, office.keeper.post(f"{path}/loss-report", json={"reason": "介质遗失"}))
    assert (suspended["state"], suspended["state_reason"]) == ("suspended", "介质遗失")
    assert expect(200, office.city.public.get(public_address(office)))["state"] == "suspended"
    denied = refused(403, "authorization-denied", office.use("while-lost"))
    assert [reason["code"] for reason in denied["reasons"]] == ["seal_suspended"]
    assert denied["reasons"][0]["message"]
    again = refused(409, "transition-refused", office.keeper.post(f"{path}/loss-report", json={"reason": "再次"}))
    assert (again["state"], again["allowed"]) == ("suspended", ["resume", "cancel", "invalidate"])
    refused(403, "permission-denied", office.keeper.post(f"{path}/resumption", json={"reason": "找到"}))

    office.city.clock.forward(timedelta(seconds=2))
    assert expect(200, office.maker.post(f"{path}/resumption", json={"reason": "找到"}))["state"] == "active"
    assert office.use("after-resumption").status_code == 201

    refused(422, "invalid-request", office.maker.post(f"{path}/cancellation", json={"reason": "机构撤并"}))
    order = {"reason": "机构撤并", "document_number": "示政发〔2026〕3号"}
    office.city.clock.forward(timedelta(seconds=2))
    cancelled = expect(200, office.maker.post(f"{path}/cancellation", json=order))
    assert (cancelled["state"], cancelled["document_number"]) == ("cancelled", "示政发〔2026〕3号")
    assert cancelled["allowed_actions"] == ["invalidate", "return_medium", "destroy_medium"]
    reasons = refused(403, "authorization-denied", office.use("after-cancellation"))["reasons"]
    assert [reason["code"] for reason in reasons] == ["seal_cancelled"]
    refused(409, "transition-refused", office.maker.post(f"{path}/resumption", json={"reason": "误"}))

    # 国办发〔2025〕33号: what was sealed before stays good, since the time-stamp proves when
    headers = {"Content-Type": "application/pdf"}
    report = expect(200, office.city.public.post("/v1/verifications", content=sealed.content, headers=headers))
    assert report["indication"] == "TOTAL_PASSED", report
    seal = report["signatures"][0]["seal"]
    assert (seal["status_now"], seal["status_at_signing"]) == ("cancelled", "active")


def test_a_repeated_loss_report_with_its_key_is_one_loss_report(office: LiveOffice) -> None:
    path, key = f"/v1/seals/{office.code}/loss-report", {"Idempotency-Key": "loss-1"}
    for _ in range(2):
        assert expect(200, office.keeper.post(path, json={"reason": "遗失"}, headers=key))["state"] == "suspended"
    entries = expect(200, office.auditor.get("/v1/log/entries", params={"kind": "sealmgmt.suspended"}))["items"]
    assert len(entries) == 1


def test_the_documents_text_is_not_in_a_seal_that_was_refused(office: LiveOffice) -> None:
    """A use that is denied gives nothing out and is logged as denied (article 17)."""
    expect(200, office.keeper.post(f"/v1/seals/{office.code}/loss-report", json={"reason": "遗失"}))
    denied = office.use("denied-1", DOCUMENT.read_bytes())
    assert not denied.content.startswith(b"%PDF")
    entries = expect(200, office.auditor.get("/v1/log/entries", params={"kind": "seal.denied"}))["items"]
    assert [entry["result"] for entry in entries] == ["refused"]

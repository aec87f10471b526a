"""Articles 20–22 through HTTP: grants, uses, receipts, documents, and verification of what comes out."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta

from tests.live import DOCUMENT, QUERY_IMPRESSION, SCENARIO, LiveOffice, expect, refused, submit

PDF = {"Content-Type": "application/pdf"}


def test_a_granted_system_gets_the_sealed_document_and_anyone_can_verify_it(shared_office: LiveOffice) -> None:
    """Articles 20, 21: B-LT by default; the original bytes are a prefix."""
    office = shared_office
    original = DOCUMENT.read_bytes()
    office.person("op-17", "李样例")
    answer = office.use("walk-1", original, page=1, x_mm=120, y_mm=200, operator_id="op-17", operator_name="李样例")
    assert answer.status_code == 201, answer.text
    assert answer.content.startswith(b"%PDF")
    assert answer.content.startswith(original)
    digest = base64.b64encode(hashlib.sha256(answer.content).digest()).decode()
    assert answer.headers["repr-digest"] == f"sha-256=:{digest}:"
    assert answer.headers["seal-level"] == "B-LT"

    receipt = expect(200, office.system.get(f"{answer.headers['location']}/receipt"))
    assert receipt["use_id"] == answer.headers["seal-use"]
    assert receipt["completed"]["entry_id"] == answer.headers["seal-log-entry"]
    assert receipt["document"]["sha256"] == hashlib.sha256(original).hexdigest()
    assert receipt["sealed"]["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert receipt["origin"] == office.city.service.origin

    report = expect(200, office.city.public.post("/v1/verifications", content=answer.content, headers=PDF))
    assert (report["indication"], report["technically_valid"]) == ("TOTAL_PASSED", True)
    signature = report["signatures"][0]
    assert (signature["level"], signature["seal"]["code"]) == ("B-LT", office.code)
    assert signature["intent_leaf_hash"] == receipt["intent"]["leaf_hash"]


def test_the_issuing_root_is_all_that_another_verifier_needs(shared_office: LiveOffice) -> None:
    """The root of /pki, given as a trust anchor, and no records: the same answer."""
    office = shared_office
    sealed = office.use("root-1").content
    root = office.city.public.get("/pki/root.cer").content
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(root) + b"-----END CERTIFICATE-----\n"
    parts = {"document": ("批复.pdf", sealed, "application/pdf"), "trust": ("root.pem", pem, "text/plain")}
    report = expect(200, office.city.public.post("/v1/verifications", files=parts))
    assert (report["file"], report["indication"]) == ("批复.pdf", "TOTAL_PASSED")
    broken = parts | {"trust": ("root.pem", b"no certificate", "text/plain")}
    refused(422, "invalid-input", office.city.public.post("/v1/verifications", files=broken))


def test_a_changed_document_fails_and_what_is_no_document_is_refused(shared_office: LiveOffice) -> None:
    office, public = shared_office, shared_office.city.public
    sealed = bytearray(office.use("tamper-1").content)
    sealed[len(DOCUMENT.read_bytes()) // 2] ^= 1
    report = expect(200, public.post("/v1/verifications", content=bytes(sealed), headers=PDF))
    assert report["indication"] == "TOTAL_FAILED"
    assert report["technically_valid"] is False
    unsealed = expect(200, public.post("/v1/verifications", content=DOCUMENT.read_bytes(), headers=PDF))
    assert unsealed["indication"] == "NO_SIGNATURE"
    refused(415, "document-unsupported", public.post("/v1/verifications", content=b"hello", headers=PDF))
    refused(415, "unsupported-media-type", public.post("/v1/verifications", json={}))


def test_the_same_request_with_the_same_key_is_the_same_use(shared_office: LiveOffice) -> None:
    """A repeated request seals nothing twice; the key with another request is refused."""
    office = shared_office
    first = office.use("again-1")
    again = office.use("again-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == first.content
    reused = refused(409, "idempotency-key-reused", office.use("again-1", page=1))
    assert reused["use_id"] == first.headers["seal-use"]
    no_key = office.system.post(
        f"/v1/seals/{office.code}/uses?scenario={SCENARIO}", content=DOCUMENT.read_bytes(), headers=PDF
    )
    refused(400, "idempotency-key-missing", no_key)


def test_an_acknowledged_document_is_gone_and_its_receipt_stays(shared_office: LiveOffice) -> None:
    """The sealed document is held until the caller has it, and no longer."""
    office = shared_office
    sealed = office.use("acknowledge-1")
    path = sealed.headers["location"]
    assert office.system.get(f"{path}/document").content == sealed.content
    for _ in range(2):
        assert office.system.delete(f"{path}/document").status_code == 204
    refused(410, "document-not-kept", office.system.get(f"{path}/document"))
    gone = refused(410, "document-not-kept", office.use("acknowledge-1"))
    assert gone["use_id"] == sealed.headers["seal-use"]
    receipt = expect(200, office.use("acknowledge-1", accept="application/json"))
    assert (receipt["state"], receipt["document_url"]) == ("completed", None)
    refused(403, "permission-denied", office.keeper.get(f"{path}/document"))


def test_a_multipart_use_takes_its_fields_from_the_part_request(shared_office: LiveOffice) -> None:
    office = shared_office
    sealed = office.use_multipart("multipart-1", DOCUMENT.read_bytes(), level="B-B", page=2, x_mm=10, y_mm=10)
    assert sealed.status_code == 201, sealed.text
    assert sealed.headers["seal-level"] == "B-B"
    refused(422, "invalid-request", office.use_multipart("multipart-2", DOCUMENT.read_bytes(), colour="red"))
    refused(422, "invalid-placement", office.use_multipart("multipart-3", DOCUMENT.read_bytes(), x_mm=10))
    refused(422, "invalid-request", office.use("raw-1", scenario=""))
    refused(406, "not-acceptable", office.use("raw-2", accept="image/png"))
    answer = office.use("receipt-1", accept="application/json")
    assert expect(201, answer)["document_url"] == f"{answer.headers['location']}/document"


def test_only_the_granted_system_may_apply_the_seal_and_only_for_its_scenario(shared_office: LiveOffice) -> None:
    """Article 20: a seal × a system × a scenario."""
    office = shared_office
    denied = refused(403, "authorization-denied", office.use("scenario-1", scenario="other.thing"))
    assert [reason["code"] for reason in denied["reasons"]] == ["no_grant"]
    _, other = office.city.account("别的系统", "business_system", unit_id=office.unit["id"])
    refused(403, "authorization-denied", office.use("other-1", client=other))
    refused(403, "permission-denied", office.use("keeper-1", client=office.keeper))
    use = office.use("seen-1").headers["location"]
    refused(404, "use-not-found", other.get(use))
    assert expect(200, other.get(f"/v1/seals/{office.code}/uses"))["items"] == []
    assert expect(200, office.keeper.get(use))["state"] == "completed"


def test_a_grant_counts_expires_and_can_be_revoked(office: LiveOffice) -> None:
    """Article 20: how often and how long, and the end of it."""
    counted = expect(201, office.give_grant(scenario="counted", maximum_uses=1))
    assert office.use("counted-1", scenario="counted").status_code == 201
    reasons = refused(403, "authorization-denied", office.use("counted-2", scenario="counted"))["reasons"]
    assert [reason["code"] for reason in reasons] == ["grant_used_up"]

    until = (office.city.clock.now() + timedelta(minutes=5)).isoformat()
    expect(201, office.give_grant(scenario="short", valid_until=until))
    office.city.clock.forward(timedelta(minutes=5))
    reasons = refused(403, "authorization-denied", office.use("short-1", scenario="short"))["reasons"]
    assert [reason["code"] for reason in reasons] == ["grant_expired"]

    revoked = expect(200, office.keeper.post(f"/v1/grants/{counted['id']}/revocation", json={"reason": "下线"}))
    assert revoked["revoked_at"] is not None
    assert expect(200, office.system.get(f"/v1/grants/{counted['id']}")) == revoked
    scenarios = {one["scenario"] for one in expect(200, office.keeper.get("/v1/grants"))["items"]}
    assert scenarios == {SCENARIO, "counted", "short"}
    refused(422, "invalid-time", office.give_grant(scenario="past", valid_until="2020-01-01T00:00:00Z"))


def test_proof_documents_take_the_certificate_query_seal_and_it_takes_no_other(shared_office: LiveOffice) -> None:
    """Article 21: 证明类 and 电子证照查询专用章."""
    office = shared_office
    refused(422, "invalid-input", office.give_grant(scenario="proof", kind="proof"))
    picture = QUERY_IMPRESSION.read_bytes()
    application = expect(201, submit(office.keeper, office.unit, picture, seal_type="10", seal_name="查询专用章样章"))
    path = f"/v1/applications/{application['id']}/decision"
    expect(200, office.maker.post(path, json={"decision": "approve"}))
    seal = expect(201, office.maker.post("/v1/seals", json={"application_id": application["id"]}))
    refused(422, "invalid-input", office.give_grant(seal_code=seal["code"], scenario="approve"))
    granted = expect(201, office.give_grant(seal_code=seal["code"], scenario="proof", kind="proof"))
    assert granted["scenario_kind"] == "proof"


def test_a_document_that_cannot_be_sealed_is_refused_and_gives_its_count_back(office: LiveOffice) -> None:
    """Each refusal has its own type; the use has ended as failed and counts for nothing."""
    expect(201, office.give_grant(scenario="once", maximum_uses=1))
    refused(415, "document-unsupported", office.use("bad-1", b"no pdf at all", scenario="once"))
    script = DOCUMENT.read_bytes().replace(b"/Type /Catalog", b"/Type /Catalo\x67 ", 1)[:400]
    refused(422, "document-damaged", office.use("bad-2", script, scenario="once"))
    again = office.use("bad-1", b"no pdf at all", scenario="once")
    assert refused(415, "document-unsupported", again)["use_id"]
    assert office.use("good-1", scenario="once").status_code == 201
    uses = expect(200, office.system.get(f"/v1/seals/{office.code}/uses"))["items"]
    assert sorted(one["state"] for one in uses) == ["completed", "failed", "failed"]


def test_two_seals_on_one_document_are_both_valid(shared_office: LiveOffice) -> None:
    """Always incremental: the second leaves the first valid."""
    office = shared_office
    once = office.use("two-1", x_mm=20, y_mm=20).content
    twice = office.use("two-2", once, x_mm=100, y_mm=20).content
    report = expect(200, office.city.public.post("/v1/verifications", content=twice, headers=PDF))
    kinds = [one["indication"] for one in report["signatures"] if one["kind"] == "pades"]
    assert kinds == ["TOTAL_PASSED", "TOTAL_PASSED"], json.dumps(report, ensure_ascii=False)


def test_a_damaged_document_is_repaired_when_asked_for_and_the_answer_says_so(shared_office: LiveOffice) -> None:
    """Default deny; raw and multipart; header, receipt and use name the repaired document."""
    office, original = shared_office, DOCUMENT.read_bytes()
    damaged = original[: original.rindex(b"startxref")]
    told = refused(422, "document-damaged", office.use("repair-1", damaged))
    assert told["repairable"] is True
    assert "allow_repair" in told["detail"]
    sealed = office.use("repair-2", damaged, allow_repair="true")
    assert sealed.status_code == 201, sealed.text
    receipt = expect(200, office.system.get(f"{sealed.headers['location']}/receipt"))
    use = expect(200, office.system.get(sealed.headers["location"]))
    repaired = receipt["repaired"]["sha256"]
    assert use["repaired_sha256"] == repaired
    assert sealed.headers["seal-repaired"] == f"sha-256=:{base64.b64encode(bytes.fromhex(repaired)).decode()}:"
    assert receipt["document"]["sha256"] == hashlib.sha256(damaged).hexdigest()
    report = expect(200, office.city.public.post("/v1/verifications", content=sealed.content, headers=PDF))
    assert (report["indication"], report["technically_valid"]) == ("TOTAL_PASSED", True)

    multipart = office.use_multipart("repair-3", damaged, allow_repair=True)
    assert multipart.headers["seal-repaired"] == sealed.headers["seal-repaired"], "a repair has one result"
    sound = office.use("repair-4", original, allow_repair="true")
    assert "seal-repaired" not in sound.headers
    assert expect(200, office.system.get(sound.headers["location"]))["repaired_sha256"] is None


def test_a_damaged_document_that_is_signed_is_refused_whatever_is_asked_for(shared_office: LiveOffice) -> None:
    office = shared_office
    signed = office.use("repair-signed-1").content
    for number, allowed in enumerate(("true", "false")):
        answer = office.use(f"repair-signed-2-{number}", signed[: signed.rindex(b"startxref")], allow_repair=allowed)
        told = refused(422, "document-damaged", answer)
        assert told["signed"] is True

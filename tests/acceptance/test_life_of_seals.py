"""Articles 23, 24 through HTTP: changes, renaming, remaking, marking invalid, media, the list of status."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from seal_service.bootstrap import verifier_without_instance
from seal_service.config import Settings
from seal_service.domain.errors import StatusListRefused
from seal_service.domain.verdict import Indication, SubIndication, VerificationReport
from seal_service.formats.status_list import read
from seal_service.formats.upload import upload_of
from seal_service.ports.documents import VerificationPolicy
from tests.live import QUERY_IMPRESSION, LiveOffice, expect, refused, submit


def wait(office: LiveOffice) -> None:
    """Some time between two acts, so that each has its own second."""
    office.city.clock.forward(timedelta(minutes=2))


def status_list(office: LiveOffice) -> bytes:
    answer = office.city.public.get("/v1/public/status-list")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/jose"
    return answer.content


def verified(
    office: LiveOffice, content: bytes, *lists: bytes, tmp_path: Path, later: timedelta = timedelta()
) -> VerificationReport:
    """As someone who has the document, the root and lists, and no network."""
    root = office.city.public.get("/pki/root.cer").content
    verifier = verifier_without_instance(Settings(home=tmp_path / "elsewhere"))
    policy = VerificationPolicy(anchors=(root,), at=office.city.clock.now() + later, offline=True, status_lists=lists)
    return verifier.verify(upload_of(content, "示例文件.pdf"), policy)


def sealed(office: LiveOffice, key: str) -> bytes:
    answer = office.use(key, level="B-LT", accept="application/pdf")
    assert answer.status_code == 201, answer.text
    return answer.content


def test_a_status_list_is_signed_cached_and_tells_no_more_than_is_public(office: LiveOffice) -> None:
    """Article 23: 公示."""
    public = office.city.public
    first = public.get("/v1/public/status-list")
    assert read(first.content).content.seals == ()
    again = public.get("/v1/public/status-list", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    wait(office)
    expect(200, office.keeper.post(f"/v1/seals/{office.code}/loss-report", json={"reason": "张三不慎遗失介质"}))
    told = public.get("/v1/public/status-list", headers={"If-None-Match": first.headers["etag"]})
    assert told.status_code == 200, "a change is shown at once"
    content = read(told.content).content
    assert content.sequence > read(first.content).content.sequence
    (entry,) = content.seals
    assert (entry.seal_code, entry.status.value, len(entry.intervals)) == (office.code, "suspended", 1)
    assert entry.certificates[0].serial == office.seal["credentials"][0]["serial"]
    payload = base64.urlsafe_b64decode(told.content.split(b".")[1] + b"==").decode()
    assert "遗失" not in payload
    assert office.unit["name"] not in payload


def test_offline_verification_needs_a_list_that_is_current_and_newer_than_the_seal(
    office: LiveOffice, tmp_path: Path
) -> None:
    """What was sealed before a loss and after its end stays good; an old list cannot say so."""
    before = sealed(office, "before")
    wait(office)
    old = status_list(office)
    assert verified(office, before, old, tmp_path=tmp_path).indication is Indication.TOTAL_PASSED
    path = f"/v1/seals/{office.code}"
    during = sealed(office, "during")
    wait(office)
    expect(200, office.keeper.post(f"{path}/loss-report", json={"reason": "介质遗失"}))
    wait(office)
    expect(200, office.maker.post(f"{path}/resumption", json={"reason": "已找回"}))
    wait(office)
    after = sealed(office, "after")
    wait(office)
    now = status_list(office)
    for content in (before, during, after):
        assert verified(office, content, now, tmp_path=tmp_path).indication is Indication.TOTAL_PASSED
    late = verified(office, after, old, tmp_path=tmp_path)
    assert (late.indication, late.sub_indication) == (Indication.INDETERMINATE, SubIndication.TRY_LATER)
    expired = verified(office, before, now, tmp_path=tmp_path, later=timedelta(days=2))
    assert (expired.indication, expired.sub_indication) == (Indication.INDETERMINATE, SubIndication.TRY_LATER)


def test_a_list_is_believed_only_from_its_own_key_under_an_anchor(office: LiveOffice, tmp_path: Path) -> None:
    document, honest = sealed(office, "document"), status_list(office)
    head, payload, signature = honest.split(b".")
    text = base64.urlsafe_b64decode(payload + b"==").replace(b'"version":1', b'"version":1 ')
    forged = b".".join((head, base64.urlsafe_b64encode(text).rstrip(b"="), signature))
    for bad in (forged, b"nonsense", b"a.b.c", honest[:-10], b""):
        with pytest.raises(StatusListRefused):
            verified(office, document, bad, tmp_path=tmp_path)
    verifier = verifier_without_instance(Settings(home=tmp_path / "elsewhere"))
    with pytest.raises(StatusListRefused, match="no trust anchor"):
        verifier.verify(upload_of(document, "x.pdf"), VerificationPolicy(offline=True, status_lists=(honest,)))


def change(office: LiveOffice, **fields: Any) -> dict[str, Any]:
    path = f"/v1/seals/{office.code}/change-applications"
    application = expect(201, office.keeper.post(path, json={"reason": "业务调整", **fields}))
    assert (application["kind"], application["changes_seal_code"]) == ("change", office.code)
    decided = office.maker.post(f"/v1/applications/{application['id']}/decision", json={"decision": "approve"})
    expect(200, decided)
    return application


def test_article_23_a_change_is_an_application_and_a_new_version(office: LiveOffice, tmp_path: Path) -> None:
    before = sealed(office, "before")
    wait(office)
    keeper_id, _ = office.city.account("保管人", "seal_keeper", unit_id=office.unit["id"])
    picture = base64.b64encode(QUERY_IMPRESSION.read_bytes()).decode()
    application = change(office, keeper_id=keeper_id, picture=picture, width_mm=40, height_mm=40)
    refused(
        422,
        "invalid-input",
        office.maker.post("/v1/seals", json={"application_id": application["id"]}),
    )
    changed = expect(
        200, office.maker.post(f"/v1/seals/{office.code}/change", json={"application_id": application["id"]})
    )
    assert (changed["code"], changed["version"], changed["state"]) == (office.code, 2, "active")
    assert changed["keeper_id"] == keeper_id
    assert changed["impression"]["digest"] != office.seal["impression"]["digest"]
    again = office.maker.post(f"/v1/seals/{office.code}/change", json={"application_id": application["id"]})
    refused(409, "already-decided", again)
    wait(office)
    after = sealed(office, "after")
    wait(office)
    for content in (before, after):
        found = office.city.public.post(
            "/v1/verifications", content=content, headers={"Content-Type": "application/pdf"}
        )
        assert expect(200, found)["indication"] == "TOTAL_PASSED"
        assert verified(office, content, status_list(office), tmp_path=tmp_path).indication is Indication.TOTAL_PASSED
    (entry,) = read(status_list(office)).content.seals
    assert [one.superseded_at is not None for one in entry.certificates] == [True, False]
    # A loss and its end, of a seal with a superseded certificate.
    expect(200, office.keeper.post(f"/v1/seals/{office.code}/loss-report", json={"reason": "介质遗失"}))
    expect(200, office.maker.post(f"/v1/seals/{office.code}/resumption", json={"reason": "已找回"}))


def test_article_23_a_change_is_refused_that_is_none_or_of_a_name(office: LiveOffice) -> None:
    path = f"/v1/seals/{office.code}/change-applications"
    told = refused(
        409, "name-change-refused", office.keeper.post(path, json={"reason": "更名", "unit_name": "示例市新局"})
    )
    assert "apply for a new one" in told["detail"]
    refused(422, "invalid-input", office.keeper.post(path, json={"reason": "无"}))
    refused(422, "invalid-input", office.keeper.post(path, json={"reason": "无", "keeper_id": office.system_id}))
    other = office.city.unit(office.maker, 9)
    _, stranger = office.city.account("别的单位", "unit_administrator", unit_id=other["id"])
    refused(403, "permission-denied", stranger.post(path, json={"reason": "冒名", "seal_type": "02"}))
    assert expect(200, office.keeper.get(f"/v1/seals/{office.code}"))["version"] == 1


def test_article_23_a_renamed_unit_cancels_and_applies_anew_naming_the_old_seal(office: LiveOffice) -> None:
    renaming = f"/v1/units/{office.unit['id']}/renaming"
    body = {"name": "示例市数据局", "document_number": "示政发〔2026〕6号"}
    assert refused(409, "seals-still-valid", office.maker.post(renaming, json=body))["seal_codes"] == [office.code]
    refused(422, "invalid-input", submit(office.keeper, office.unit, replaces_seal_code=office.code))
    cancel = {"reason": "单位更名", "document_number": "示政发〔2026〕6号"}
    expect(200, office.maker.post(f"/v1/seals/{office.code}/cancellation", json=cancel))
    renamed = expect(200, office.maker.post(renaming, json=body))
    assert renamed["name"] == "示例市数据局"
    application = expect(201, submit(office.keeper, renamed, replaces_seal_code=office.code))
    path = f"/v1/applications/{application['id']}/decision"
    expect(200, office.maker.post(path, json={"decision": "approve"}))
    made = expect(201, office.maker.post("/v1/seals", json={"application_id": application["id"]}))
    assert made["replaces_seal_code"] == office.code
    refused(422, "invalid-input", submit(office.keeper, renamed, replaces_seal_code="99990000009999"))


def test_a_seal_made_against_the_rules_is_void_from_a_date_on(office: LiveOffice, tmp_path: Path) -> None:
    before = sealed(office, "before")
    wait(office)
    since = office.city.clock.now()
    wait(office)
    after = sealed(office, "after")
    wait(office)
    path = f"/v1/seals/{office.code}/invalidation"
    body = {"from": since.isoformat(), "reason": "违规制作", "document_number": "示政发〔2026〕5号"}
    refused(409, "made-by-caller", office.maker.post(path, json=body))
    _, other = office.city.account("制发部门复核", "seal_maker")
    future = {**body, "from": (since + timedelta(days=9)).isoformat()}
    refused(422, "invalid-input", other.post(path, json=future))
    void = expect(200, other.post(path, json=body))
    assert (void["state"], datetime.fromisoformat(void["invalid_from"])) == ("cancelled", since.astimezone(UTC))
    wait(office)
    public = {"Content-Type": "application/pdf"}
    for content, indication in ((before, "TOTAL_PASSED"), (after, "TOTAL_FAILED")):
        found = office.city.public.post("/v1/verifications", content=content, headers=public)
        assert expect(200, found)["indication"] == indication
        by_list = verified(office, content, status_list(office), tmp_path=tmp_path)
        assert by_list.indication.value == indication
    told = expect(200, office.city.public.get(f"/v1/public/seals/{office.code}?name={office.seal['name']}"))
    assert told["invalid_from"] == void["invalid_from"]
    refused(422, "invalid-input", other.post(path, json=body))
    earlier = {**body, "from": (since - timedelta(days=9)).isoformat()}
    expect(200, other.post(path, json=earlier))
    assert verified(office, before, status_list(office), tmp_path=tmp_path).indication is Indication.TOTAL_FAILED


def test_a_medium_is_not_returned_of_a_seal_that_has_none_or_is_in_use(office: LiveOffice) -> None:
    body = {"on": office.city.clock.now().isoformat(), "witness": "样某"}
    path = f"/v1/seals/{office.code}/medium"
    told = refused(409, "transition-refused", office.maker.post(f"{path}/acceptance", json=body))
    assert told["state"] == "active"
    cancel = {"reason": "撤并", "document_number": "示政发〔2026〕6号"}
    expect(200, office.maker.post(f"/v1/seals/{office.code}/cancellation", json=cancel))
    for act in ("acceptance", "destruction"):
        told = refused(409, "transition-refused", office.maker.post(f"{path}/{act}", json=body))
        assert "集中式" in told["detail"]

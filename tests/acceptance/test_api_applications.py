"""Articles 12–15 through HTTP: who applies, with what, through whom, and who decides."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tests.city import credit_code
from tests.live import IMPRESSION, LiveCity, LiveOffice, expect, refused, submit


def _picture(size: tuple[int, int], colour: tuple[int, int, int]) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def test_an_application_goes_from_submission_through_return_and_revision_to_a_seal(city: LiveCity) -> None:
    """Articles 12, 14: the making office examines, returns for change, approves, makes."""
    _, maker = city.account("制发部门", "seal_maker")
    unit = city.unit(maker)
    _, keeper = city.account("用印管理", "unit_administrator", unit_id=unit["id"])

    application = expect(201, submit(keeper, unit))
    assert application["state"] == "applied"
    assert application["impression"]["width_mm"] == 40
    path = f"/v1/applications/{application['id']}"

    refused(422, "invalid-input", maker.post(f"{path}/decision", json={"decision": "return"}))
    returned = expect(200, maker.post(f"{path}/decision", json={"decision": "return", "reason": "印模略大"}))
    assert (returned["state"], returned["decision_reason"]) == ("returned", "印模略大")
    refused(409, "already-decided", maker.post(f"{path}/decision", json={"decision": "approve"}))

    revised = expect(200, submit(keeper, unit, application_id=application["id"], width_mm=38, height_mm=38))
    assert (revised["id"], revised["state"], revised["impression"]["width_mm"]) == (application["id"], "applied", 38)
    refused(409, "already-decided", maker.post("/v1/seals", json={"application_id": application["id"]}))
    expect(200, maker.post(f"{path}/decision", json={"decision": "approve"}))

    made = maker.post("/v1/seals", json={"application_id": application["id"]})
    seal = expect(201, made)
    assert made.headers["location"] == f"/v1/seals/{seal['code']}"
    assert seal["code"].startswith("999900")
    assert seal["state"] == "active"
    assert expect(200, keeper.get(path))["seal_code"] == seal["code"]
    assert [one["code"] for one in expect(200, keeper.get("/v1/seals"))["items"]] == [seal["code"]]


def test_a_rejected_application_never_becomes_a_seal(city: LiveCity) -> None:
    _, maker = city.account("制发部门", "seal_maker")
    unit = city.unit(maker)
    _, keeper = city.account("用印管理", "unit_administrator", unit_id=unit["id"])
    application = expect(201, submit(keeper, unit))
    path = f"/v1/applications/{application['id']}/decision"
    expect(200, maker.post(path, json={"decision": "reject", "reason": "材料不全"}))
    refused(409, "already-decided", maker.post("/v1/seals", json={"application_id": application["id"]}))
    assert (
        expect(200, maker.get("/v1/applications", params={"state": "rejected"}))["items"][0]["id"] == application["id"]
    )


def test_an_applicant_cannot_decide(city: LiveCity) -> None:
    """Articles 14, 18: a unit's role does not decide, and one account cannot hold both roles."""
    _, maker = city.account("制发部门", "seal_maker")
    unit = city.unit(maker)
    _, keeper = city.account("用印管理", "unit_administrator", unit_id=unit["id"])
    application = expect(201, submit(keeper, unit))
    path = f"/v1/applications/{application['id']}/decision"
    denied = refused(403, "permission-denied", keeper.post(path, json={"decision": "approve"}))
    assert denied["permission"] == "decide_application"
    both = {"name": "两职", "roles": ["seal_maker", "unit_administrator"], "unit_id": unit["id"]}
    refused(422, "invalid-input", city.security.post("/v1/accounts", json=both))


def test_a_unit_with_a_channel_organization_applies_only_through_it(city: LiveCity) -> None:
    """Article 13."""
    _, maker = city.account("制发部门", "seal_maker")
    channel = city.unit(maker, 1)
    unit = city.unit(maker, 2, channel_unit_id=channel["id"])
    _, own = city.account("本单位", "unit_administrator", unit_id=unit["id"])
    _, through = city.account("扎口单位", "unit_administrator", unit_id=channel["id"])
    denied = refused(403, "permission-denied", submit(own, unit))
    assert denied["channel_unit_id"] == channel["id"]
    application = expect(201, submit(through, unit))
    assert expect(200, through.get(f"/v1/applications/{application['id']}"))["unit_id"] == unit["id"]
    assert [one["id"] for one in expect(200, own.get("/v1/applications"))["items"]] == [application["id"]]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"credit_code": "119999000000000010"}, 422, "invalid-credit-code"),
        ({"credit_code": credit_code(77)}, 404, "unit-not-found"),
        ({"unit_name": "示例市另一局"}, 422, "invalid-input"),
        ({"unit_type": "enterprise"}, 422, "invalid-input"),
        ({"seal_type": "77"}, 422, "invalid-request"),
        ({"width_mm": 60, "height_mm": 60}, 422, "impression-refused"),
        ({"replaces_seal_code": "99990000000042"}, 422, "invalid-input"),
    ],
)
def test_an_application_must_agree_with_the_registration(
    shared_office: LiveOffice, fields: dict[str, Any], status: int, code: str
) -> None:
    """Article 12: 单位名称, 单位类型, 信用代码, 印章类型, size."""
    refused(status, code, submit(shared_office.keeper, shared_office.unit, **fields))


def test_a_picture_that_cannot_be_used_is_refused_with_its_reason(shared_office: LiveOffice) -> None:
    """Article 12: 实物印模."""
    keeper, unit = shared_office.keeper, shared_office.unit
    for picture, reason in (
        (b"no picture", "format"),
        (_picture((600, 600), (255, 255, 255)), "no_ink"),
        (b"\x89PNG" + bytes(3 << 20), "too_many_bytes"),
    ):
        assert refused(422, "impression-refused", submit(keeper, unit, picture))["reason"] == reason
    refused(413, "content-too-large", submit(keeper, unit, bytes(5 << 20)))


def test_an_application_may_come_as_json_and_a_repeated_one_is_the_same(shared_office: LiveOffice) -> None:
    keeper, unit = shared_office.keeper, shared_office.unit
    body = {
        "unit_name": unit["name"],
        "unit_type": unit["unit_type"],
        "credit_code": unit["credit_code"],
        "seal_name": "样章",
        "seal_type": "01",
        "width_mm": 40,
        "height_mm": 40,
        "picture": base64.b64encode(IMPRESSION.read_bytes()).decode(),
    }
    key = {"Idempotency-Key": "application-1"}
    first = expect(201, keeper.post("/v1/applications", json=body, headers=key))
    again = expect(201, keeper.post("/v1/applications", json=body, headers=key))
    assert again["id"] == first["id"]
    other = keeper.post("/v1/applications", json=body | {"seal_name": "另一样章"}, headers=key)
    refused(409, "idempotency-key-reused", other)
    waiting = expect(200, keeper.get("/v1/applications", params={"state": "applied"}))["items"]
    assert [one["id"] for one in waiting] == [first["id"]]
    refused(422, "invalid-request", keeper.post("/v1/applications", json=body | {"picture": "no base64!"}))
    refused(
        415, "unsupported-media-type", keeper.post("/v1/applications", content=b"x", headers={"Content-Type": "a/b"})
    )


def test_units_are_registered_once_and_paged_newest_first(city: LiveCity) -> None:
    """Articles 12, 13: the making office enters the units."""
    _, maker = city.account("制发部门", "seal_maker")
    units = [city.unit(maker, number) for number in (1, 2, 3)]
    body = {"name": "同码", "unit_type": "other", "credit_code": credit_code(2), "area_code": "999900"}
    refused(409, "already-registered", maker.post("/v1/units", json=body))
    first = expect(200, maker.get("/v1/units", params={"limit": 2}))
    rest = expect(200, maker.get("/v1/units", params={"limit": 2, "cursor": first["next_cursor"]}))
    assert [one["id"] for one in (*first["items"], *rest["items"])] == [one["id"] for one in reversed(units)]
    assert rest["next_cursor"] is None
    assert expect(200, maker.get(f"/v1/units/{units[0]['id']}")) == units[0]
    refused(422, "invalid-cursor", maker.get("/v1/units", params={"cursor": "nonsense"}))
    assert expect(200, maker.get("/v1/units", params={"area_code": "110000"}))["items"] == []

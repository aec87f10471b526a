"""Every object is checked by unit: nothing of one unit is read or changed by another unit's systems and people.

Derived from the route table: a new route with an identifier in its path fails here until it says which object of a unit
the identifier stands for, and with which request it would be an act on it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from joserfc.jwk import ECKey

from seal_service.api.auth import calling_of
from seal_service.api.routers import ROUTERS, routes_of
from seal_service.bootstrap import key_process
from seal_service.config import Settings
from seal_service.domain.access import PERMISSIONS_OF, Permission, Role
from tests.acceptance.test_api_custody import SECRET, made_on_medium, prepare
from tests.live import DOCUMENT, IMPRESSION, SCENARIO, LiveOffice, expect, live_city, submit
from tests.live_log import live_log
from tests.machines import RegisteredSystem
from tests.medium import UnitMedium

OF_ONE_UNIT = [Role.UNIT_ADMINISTRATOR, Role.SEAL_KEEPER, Role.APPLICANT, Role.BUSINESS_SYSTEM]
SHARED = {
    "list_units": "单位登记 is a register for all units",
    "read_unit": "the same",
    "permitting.list_scenarios": "用印场景 is a register for all units",
    "permitting.read_scenario": "the same",
    "filing.list_all": "article 8: units of an area share its filing data",
    "filing.read": "the same",
    "filing.read_state": "the same",
    "people.confirm_factor": "of the person who is signed in, whoever that is: the session says",
    "people.remove_factor": "the same",
    "people.list_factors": "the same",
    "people.read_session": "the same",
}
"""Use cases whose answers are for every unit, and why."""
REASON = {"json": {"reason": "试"}}
ACTS: dict[str, dict[str, Any]] = {
    "apply_seal": {
        "content": DOCUMENT.read_bytes(),
        "params": {"scenario": SCENARIO},
        "headers": {"Content-Type": "application/pdf", "Idempotency-Key": "apart-1"},
    },
    "renew_seal": {"json": {}},
    "report_loss": REASON,
    "resume_seal": REASON,
    "cancel_seal": REASON,
    "revoke_grant": REASON,
    "acknowledge_document": {},
    "machines.register_person": {"json": {"id": "apart-2", "name": "样乙"}},
    "machines.remove_person": {},
    "machines.change": {"json": {"address": "https://elsewhere.example/"}},
    "machines.tie_account": {"json": {"account_id": "{account_id}"}},
    "machines.add_credential": {
        "json": {"kind": "jwk", "public_key": ECKey.generate_key("P-256").as_dict(private=False)}
    },
    "machines.revoke_credential": {},
    "custody.prepare_use": {
        "content": DOCUMENT.read_bytes(),
        "params": {"scenario": SCENARIO},
        "headers": {"Content-Type": "application/pdf", "Idempotency-Key": "apart-3"},
    },
    "custody.complete_prepared_use": {"json": {"signature": "{signature}"}},
    "custody.cancel_prepared_use": {},
    "custody.hand_over_medium": {"json": {"serial_number": "{medium}", "keeper": "样乙", "giver": "样丙"}},
    "custody.return_medium": {"json": {"serial_number": "{medium}", "receiver": "样丙"}},
    "custody.take_into_custody": {"json": {"secret": SECRET}},
    "custody.activate_seal": {"json": {"secret": SECRET, "uses": 1}},
    "custody.end_activation": {},
    "custody.convey_seal": {"json": {"system_id": "{importing_id}"}},
    "custody.withdraw_conveyance": {},
    "permitting.decide_approval": {"json": {"decision": "approve"}},
    "permitting.withdraw_approval": {"json": {"reason": "文件有误"}},
    "life.apply_for_change": {"json": {"reason": "业务调整", "seal_type": "02"}},
}
"""A right request of each use case that acts on an object and that a role of a unit may ask for."""
ON_MEDIUM = {
    "custody.prepare_use", "custody.complete_prepared_use", "custody.cancel_prepared_use", "custody.hand_over_medium",
    "custody.return_medium", "custody.read_prepared_use", "custody.read_media",
}  # fmt: skip
"""Use cases that are asked of a seal on a medium."""
KEPT = {"custody.take_into_custody", "custody.activate_seal", "custody.end_activation", "custody.read_activation"}
"""Use cases that are asked of a seal which a keeper takes into custody."""
SETTLED = {"machines.tie_account", "renew_seal", "apply_for_seal", "custody.cancel_prepared_use"}
"""Acts that the owner's own request finds in a state in which they are refused (409) or done."""


@dataclass
class Apart(LiveOffice):
    """An office with one object of every kind, and a caller of each role of its unit."""

    callers: dict[Role, httpx.Client] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.callers = {Role.UNIT_ADMINISTRATOR: self.keeper, Role.BUSINESS_SYSTEM: self.system}
        for role in (Role.SEAL_KEEPER, Role.APPLICANT):
            self.callers[role] = self.city.account(role.value, role, unit_id=self.unit["id"])[1]
        self.person("apart-person", f"样甲{self.number}")
        self.registered = RegisteredSystem(self)
        used = self.use("apart")
        assert used.status_code == 201, used.text
        waiting = expect(201, submit(self.keeper, self.unit, seal_name=f"待批样章{self.number}"))
        self.ids = {
            "seal_code": self.code,
            "use_id": used.headers["seal-use"],
            "grant_id": self.grant["id"],
            "application_id": waiting["id"],
            "unit_id": self.unit["id"],
            "person_id": "apart-person",
            "system_id": self.registered.registered["id"],
            "credential_id": self.registered.credential["id"],
            "account_id": self.system_id,
            "entry_id": used.headers["seal-log-entry"],
            **self._in_custody(),
        }
        asked = {"seal_code": self.code, "scenario": SCENARIO, "title": "样例事项", "digests": ["ab" * 32]}
        self.ids["approval_id"] = expect(201, self.system.post("/v1/use-approvals", json=asked))["id"]
        """What a name in a path stands for."""

    def _in_custody(self) -> dict[str, str]:
        """A seal on a medium with a prepared use, one for a keeper to take, and a conveyance to another system."""
        medium = UnitMedium(serial_number=f"UKEY-APART-{self.number}")
        on_medium = made_on_medium(self, medium)
        given = {"serial_number": medium.serial_number, "keeper": "样乙", "giver": "样丙"}
        expect(200, self.maker.post(f"/v1/seals/{on_medium}/medium/hand-over", json=given))
        prepared = expect(201, prepare(self, on_medium, "apart-prepared"))
        kept = expect(201, submit(self.keeper, self.unit, seal_name=f"保管样章{self.number}"))
        expect(200, self.maker.post(f"/v1/applications/{kept['id']}/decision", json={"decision": "approve"}))
        importing, _ = self.city.account("导入系统", Role.BUSINESS_SYSTEM, unit_id=self.unit["id"])
        conveyances = f"/v1/seals/{self.code}/conveyances"
        conveyed = expect(201, self.keeper.post(conveyances, json={"system_id": importing}))
        another, _ = self.city.account("又一系统", Role.BUSINESS_SYSTEM, unit_id=self.unit["id"])
        return {
            "on_medium": on_medium,
            "prepared_id": prepared["id"],
            "signature": base64.b64encode(medium.sign(base64.b64decode(prepared["to_be_signed"]))).decode(),
            "medium": medium.serial_number,
            "kept": expect(201, self.maker.post("/v1/seals", json={"application_id": kept["id"]}))["code"],
            "conveyance_id": conveyed["conveyance"]["id"],
            "importing_id": another,
        }

    def request(self, route: APIRoute, method: str, by: httpx.Client) -> httpx.Response:
        """A right request for this office's objects, by whomever."""
        act = ACTS.get(calling_of(route).use_case, {})
        if calling_of(route).use_case == "apply_for_seal":
            request = {"unit_name": self.unit["name"], "unit_type": self.unit["unit_type"], "seal_type": "01",
                       "credit_code": self.unit["credit_code"], "seal_name": "样章"}  # fmt: skip
            act = {"files": {"request": (None, json.dumps(request), "application/json"),
                             "picture": ("a.png", IMPRESSION.read_bytes(), "image/png")}}  # fmt: skip
        use_case, given, ids = calling_of(route).use_case, act, self.ids
        if "json" in act:
            body = json.dumps(act["json"])
            for name, value in ids.items():
                body = body.replace(f"{{{name}}}", value)
            given = {**act, "json": json.loads(body)}
        if use_case in ON_MEDIUM:
            ids = {**ids, "seal_code": ids["on_medium"], "use_id": ids["prepared_id"]}
        elif use_case in KEPT:
            ids = {**ids, "seal_code": ids["kept"]}
        return by.request(method, route.path_format.format(**ids), **given)


def _permitted(route: APIRoute) -> list[Role]:
    permission = calling_of(route).permission
    return [role for role in OF_ONE_UNIT if permission in PERMISSIONS_OF[role]]


ROUTES = [
    (route, method)
    for route in routes_of(*ROUTERS)
    for method in sorted(route.methods or ())
    if calling_of(route).permission is not Permission.PUBLIC and _permitted(route)
]
WITH_IDS = [one for one in ROUTES if one[0].param_convertors and calling_of(one[0]).use_case not in SHARED]
LISTS = [
    one
    for one in ROUTES
    if not one[0].param_convertors and one[1] == "GET" and calling_of(one[0]).use_case not in SHARED
]


def _name(one: tuple[APIRoute, str]) -> str:
    return f"{one[1]} {one[0].path}"


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Apart, Apart]]:
    home = tmp_path_factory.mktemp("apart") / "home"
    with live_city(home) as city, key_process(Settings(home=home)):
        both = Apart(city, number=1), Apart(city, number=2)
        with live_log(home) as log:
            log.publish()
        yield both


@pytest.mark.parametrize("one", WITH_IDS, ids=_name)
def test_nobody_of_another_unit_reads_or_changes_an_object(
    one: tuple[APIRoute, str], apart: tuple[Apart, Apart]
) -> None:
    """And learns no more than that there is no such object, or that there is no right to it."""
    route, method = one
    ours, theirs = apart
    unknown = set(route.param_convertors) - set(ours.ids)
    assert not unknown, f"{_name(one)}: say in `Apart.ids` which object of a unit {unknown} stands for"
    use_case = calling_of(route).use_case
    assert method == "GET" or use_case in {*ACTS, "apply_for_seal"}, (
        f"{use_case}: say in `ACTS` what a right request is"
    )
    for role in _permitted(route):
        answer = ours.request(route, method, theirs.callers[role])
        nothing = answer.text == '{"items":[],"next_cursor":null}'
        assert nothing or answer.status_code in (403, 404), f"{role}: {answer.status_code} {answer.text}"
        private = (ours.unit["name"], "样甲1", "待批样章1", ours.registered.registered["name"], ours.grant["id"])
        sent = str(answer.request.url)
        assert not [one for one in private if one in answer.text and one not in sent], answer.text


@pytest.mark.parametrize("one", LISTS, ids=_name)
def test_a_list_holds_nothing_of_another_unit(one: tuple[APIRoute, str], apart: tuple[Apart, Apart]) -> None:
    route, _ = one
    ours, theirs = apart
    for role in _permitted(route):
        for filters in ({}, {"seal_code": ours.code}, {"unit_id": ours.unit["id"]}):
            answer = theirs.callers[role].get(route.path_format, params=filters)
            if answer.status_code == 422:
                continue  # the list knows no such filter, or no such value
            text = json.dumps(expect(200, answer), ensure_ascii=False)
            found = {name: value for name, value in ours.ids.items() if value in text and name != "person_id"}
            assert found == {}, f"{role} {filters}"


def test_a_system_reads_its_own_uses_and_documents_and_not_those_of_its_units_other_systems(
    apart: tuple[Apart, Apart],
) -> None:
    ours, _ = apart
    _, neighbour = ours.city.account("另一系统", Role.BUSINESS_SYSTEM, unit_id=ours.unit["id"])
    of_uses = [one for one in WITH_IDS if "use_id" in one[0].param_convertors]
    assert of_uses
    for route, method in of_uses:
        answer = ours.request(route, method, neighbour)
        assert answer.status_code == 404, f"{method} {route.path}: {answer.text}"
    assert expect(200, neighbour.get(f"/v1/seals/{ours.code}/uses"))["items"] == []
    assert expect(200, neighbour.get("/v1/grants"))["items"] == []


def test_the_requests_are_right_ones_for_whom_the_object_belongs_to(apart: tuple[Apart, Apart]) -> None:
    """Otherwise the tests above would prove nothing. Last, because it acts; what is undone comes after what reads."""
    ours, _ = apart
    order = {"GET": 0, "POST": 1, "PUT": 1, "DELETE": 2}
    ending = {"report_loss", "revoke_grant", "machines.revoke_credential", "custody.return_medium"}
    for route, method in sorted(WITH_IDS, key=lambda one: (calling_of(one[0]).use_case in ending, order[one[1]])):
        use_case = calling_of(route).use_case
        wanted = {200, 201, 204} | ({409} if use_case in SETTLED else set())
        answers = {role: ours.request(route, method, ours.callers[role]) for role in _permitted(route)}
        told = {role: f"{answer.status_code} {answer.text[:300]}" for role, answer in answers.items()}
        assert any(answer.status_code in wanted for answer in answers.values()), f"{method} {route.path}: {told}"

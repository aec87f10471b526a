"""The contract against the service: generated requests, right and wrong, get no 5xx and only what is described."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from seal_service.api.app import describe
from seal_service.bootstrap import key_process
from seal_service.config import Settings
from tests.live import SCENARIO, LiveOffice, expect, live_city

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
CONFIG = schemathesis.Config.from_dict({"generation": {"max-examples": 3, "deterministic": True}})
QUICK = schemathesis.Config.from_dict(
    {"generation": {"max-examples": 1, "deterministic": True}, "phases": {"coverage": {"enabled": False}}}
)
CONTRACT = json.loads(json.dumps(describe().openapi()))
schema = schemathesis.openapi.from_dict(CONTRACT, config=CONFIG)
quick_schema = schemathesis.openapi.from_dict(CONTRACT, config=QUICK)


@schemathesis.serializer("application/pdf", "application/ocsp-request", "application/timestamp-query")
def as_bytes(_context: schemathesis.SerializationContext, value: object) -> bytes:
    """Bodies that are bytes."""
    return value if isinstance(value, bytes) else str(value).encode()


@dataclass(frozen=True)
class Target:
    """The served instance, an authorization for each role, and identifiers of what is there."""

    url: str
    authorizations: dict[str, str]
    identifiers: dict[str, str]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    home = tmp_path_factory.mktemp("schemathesis") / "home"
    with live_city(home) as city, key_process(Settings(home=home)):
        office = LiveOffice(city)
        clients = {
            "system_operator": city.operator,
            "security_administrator": city.security,
            "seal_maker": office.maker,
            "unit_administrator": office.keeper,
            "applicant": city.account("申请人", "applicant", unit_id=office.unit["id"])[1],
            "seal_keeper": city.account("保管人", "seal_keeper", unit_id=office.unit["id"])[1],
            "business_system": office.system,
            "auditor": office.auditor,
        }
        used = office.use("schemathesis-1")
        asking = {"seal_code": office.code, "scenario": SCENARIO, "title": "样例", "digests": ["ab" * 32]}
        asked = expect(201, office.system.post("/v1/use-approvals", json=asking))
        yield Target(
            city.url,
            {role: client.headers["Authorization"] for role, client in clients.items()},
            {
                "seal_code": office.code,
                "use_id": used.headers["seal-use"],
                "entry_id": used.headers["seal-log-entry"],
                "unit_id": office.unit["id"],
                "application_id": office.application["id"],
                "grant_id": office.grant["id"],
                "approval_id": asked["id"],
                "scenario_code": SCENARIO,
                "account_id": office.system_id,
            },
        )


@schema.parametrize()
@settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_answer_is_as_described(case: schemathesis.Case[Any], target: Target) -> None:
    """Called by a role that may, with identifiers of what is there wherever the generated one has the right form."""
    operation: dict[str, Any] = case.operation.definition.raw
    generated = case.path_parameters or {}
    right = case.meta is None or case.meta.generation.mode.is_positive
    if right:
        case.path_parameters = {name: target.identifiers.get(name, value) for name, value in generated.items()}
    roles = operation["x-roles"]
    known = [target.authorizations[one] for one in roles if one in target.authorizations]
    headers = {"Authorization": known[0]} if roles else {}
    case.call_and_validate(base_url=target.url, headers=headers, checks=CHECKS)


@quick_schema.parametrize()
@settings(deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_without_credentials_nothing_but_the_public_is_answered(case: schemathesis.Case[Any], target: Target) -> None:
    answer = case.call_and_validate(base_url=target.url, checks=CHECKS[:-1])
    if case.operation.definition.raw["x-permission"] != "public":
        assert answer.status_code == 401

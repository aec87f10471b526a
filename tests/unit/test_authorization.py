"""authorize() gives a permit or every reason; nothing else gives one (articles 20-22)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from seal_service.domain.access import Role
from seal_service.domain.approval import ApprovalState, ApprovedDocument, UseApproval
from seal_service.domain.authorization import SealingPermit, authorize, refusals
from seal_service.domain.conditions import FoundApproval
from seal_service.domain.errors import AuthorizationDenied
from seal_service.domain.grant import Grant
from seal_service.domain.impression import SealType
from seal_service.domain.placement import Placement
from seal_service.domain.scenario import Scenario, ScenarioKind
from seal_service.domain.seal import Custody, SealState
from seal_service.domain.use import SignatureLevel, UseRequest
from tests.city import Office


def request(office: Office, scenario: str = "permit") -> UseRequest:
    return UseRequest(
        seal_code=office.made.code,
        scenario=scenario,
        placement=Placement(),
        level=SignatureLevel.B_LT,
        allow_lower_level=False,
        document_name="通知.pdf",
        document_sha256="0" * 64,
        document_sm3="0" * 64,
        document_size=1,
        operator=None,
        case_number=None,
    )


def permitted(office: Office, now: datetime, grant: Grant | None = None, **given: Any) -> SealingPermit:
    """authorize() for the office's system."""
    grant = grant or office.granted
    chosen = {"scenario": office.scenario("permit"), "approval": None} | given
    asked = chosen.pop("request", request(office))
    return authorize(office.system, office.made, office.holder, grant, 0, asked, now, **chosen)


def codes(office: Office, **changes: object) -> set[str]:
    """The reasons when seal, grant, caller, … are changed."""
    given: dict[str, object] = {
        "caller": office.system,
        "seal": office.made,
        "grant": office.granted,
        "uses_counted": 0,
        "request": request(office),
        "now": office.clock.now(),
        "scenario": office.scenario("permit"),
        "approval": None,
    }
    return {code for code, _ in refusals(**(given | changes))}  # type: ignore[arg-type]


def test_a_granted_use_of_an_active_seal_is_permitted(office: Office) -> None:
    now = office.clock.now()
    permit = permitted(office, now)
    assert (permit.seal_code, permit.scenario.code, permit.issued_at) == (office.made.code, "permit", now)


def test_article_22_a_permit_is_made_by_authorize_alone(office: Office) -> None:
    """严禁不按照审批权限使用电子印章."""
    permit = permitted(office, office.clock.now())
    values = {name: getattr(permit, name) for name in SealingPermit.__slots__} | {"proof_of_origin": object()}
    with pytest.raises(TypeError):
        SealingPermit(**values)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (SealState.MADE, "seal_made"),
        (SealState.SUSPENDED, "seal_suspended"),
        (SealState.CANCELLED, "seal_cancelled"),
    ],
)
def test_a_seal_that_is_not_active_is_refused(office: Office, state: SealState, reason: str) -> None:
    assert codes(office, seal=replace(office.made, state=state)) == {reason}


def test_every_condition_of_a_grant_has_its_own_reason(office: Office) -> None:
    grant, now = office.granted, office.clock.now()
    assert codes(office, grant=None) == {"no_grant"}
    assert codes(office, grant=replace(grant, grantee_id="other")) == {"grant_mismatch"}
    assert codes(office, grant=replace(grant, revoked_at=now)) == {"grant_revoked"}
    assert codes(office, grant=replace(grant, valid_from=now + timedelta(seconds=1))) == {"grant_not_yet_valid"}
    assert codes(office, grant=replace(grant, valid_until=now, valid_from=now - timedelta(1))) == {"grant_expired"}
    assert codes(office, grant=replace(grant, maximum_uses=3), uses_counted=3) == {"grant_used_up"}
    assert codes(office, grant=replace(grant, maximum_uses=3), uses_counted=2) == set()
    assert codes(office, request=request(office, "other")) == {"grant_mismatch"}


def test_every_constraint_on_the_document_has_its_own_reason(office: Office) -> None:
    grant = office.granted
    listing = replace(grant, digests=("0" * 64,))
    assert codes(office, grant=listing) == set()
    assert codes(office, grant=replace(grant, digests=("1" * 64,))) == {"grant_other_document"}
    assert codes(office, grant=replace(grant, media_types=("application/pdf",))) == set()
    assert codes(office, grant=replace(grant, media_types=("application/ofd",))) == {"grant_media_type"}
    pages = permitted(office, office.clock.now(), replace(grant, most_pages=3)).most_pages
    assert pages == 3, "how many pages it has is known when it is read"


def test_a_scenario_is_registered_and_in_use(office: Office) -> None:
    assert codes(office, scenario=None) == {"scenario_unregistered"}
    assert codes(office, scenario=replace(office.scenario("permit"), active=False)) == {"scenario_inactive"}


def test_article_22_without_a_named_process_each_use_is_approved(office: Office) -> None:
    """经批准同意后方可进行签章."""
    ruled = replace(office.scenario("permit"), waiver=None)
    assert codes(office, scenario=ruled) == {"no_approval"}
    now = office.clock.now()
    approval = UseApproval(
        id="approval", seal_code=office.made.code, unit_id=office.holder.id, scenario="permit", title="通知",
        documents=1, requested_by="system", requested_at=now, state=ApprovalState.APPROVED, number="8号",
        valid_until=now + timedelta(seconds=1),
    )  # fmt: skip
    found = FoundApproval(approval=approval, document=ApprovedDocument(sha256="0" * 64))
    permit = permitted(office, now, scenario=ruled, approval=found)
    assert (permit.approval_id, permit.approval_number, permit.approval_set_aside_for) == ("approval", "8号", None)

    def why(document: ApprovedDocument | None = found.document, **changes: Any) -> set[str]:
        other = FoundApproval(approval=replace(approval, **changes), document=document)
        return codes(office, scenario=ruled, approval=other)

    assert why(requested_by="other") == why(seal_code="other") == why(scenario="other") == {"no_approval"}
    assert why(state=ApprovalState.REQUESTED) == {"approval_undecided"}
    assert why(state=ApprovalState.REJECTED) == {"approval_rejected"}
    assert why(state=ApprovalState.WITHDRAWN) == {"approval_withdrawn"}
    assert why(valid_until=now) == {"approval_expired"}
    assert why(None) == {"approval_other_document"}
    assert why(ApprovedDocument(sha256="0" * 64, use_id="use")) == {"approval_used"}


def test_article_21_proof_documents_take_the_designated_seal_and_only_they_do(office: Office) -> None:
    """用于证明类的电子印章，统一使用电子证照查询专用章."""
    proof = replace(office.granted, scenario=Scenario(code="permit", kind=ScenarioKind.PROOF))
    assert codes(office, grant=proof) == {"scenario_kind"}
    designated = replace(office.made, seal_type=SealType.CERTIFICATE_QUERY)
    assert codes(office, grant=proof, seal=designated) == set()
    assert codes(office, seal=designated) == {"scenario_kind"}


def test_article_20_a_token_kept_by_its_unit_is_not_applied_here(office: Office) -> None:
    credential = replace(office.made.credentials[0], custody=Custody.TOKEN)
    assert codes(office, seal=replace(office.made, credentials=(credential,))) == {"token_custody"}


def test_a_denial_carries_every_reason(office: Office) -> None:
    expired = office.made.not_after
    revoked = replace(office.granted, revoked_at=expired)
    with pytest.raises(AuthorizationDenied) as denied:
        permitted(office, expired, revoked)
    assert {code for code, _ in denied.value.reasons} == {"seal_expired", "grant_revoked", "grant_expired"}


def test_another_system_has_no_part_in_a_grant(office: Office) -> None:
    stranger = office.account("stranger", Role.BUSINESS_SYSTEM, office.holder)
    assert codes(office, caller=stranger) == {"grant_mismatch"}

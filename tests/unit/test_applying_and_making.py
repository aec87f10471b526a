"""申请、审批、制章: articles 12 to 16 and 20, on fakes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from seal_service.domain.access import Caller, Role
from seal_service.domain.application import ApplicationState, Decision
from seal_service.domain.errors import (
    AccountNotFound,
    AlreadyDecided,
    AlreadyRegistered,
    GrantNotFound,
    IdempotencyKeyReused,
    ImpressionRefused,
    InvalidInput,
    InvalidSealCode,
    PermissionDenied,
    SealNotFound,
    SelfDecisionRefused,
    UnitNotFound,
)
from seal_service.domain.impression import SealType, check_size
from seal_service.domain.organization import UnitType
from seal_service.domain.scenario import Scenario, ScenarioKind
from seal_service.domain.seal import SealState
from seal_service.usecases.apply_for_seal import SubmitApplication
from seal_service.usecases.change_status import CancelSeal, ReportLoss
from seal_service.usecases.decide_application import DecideApplication
from seal_service.usecases.grant_use import GrantUse, RevokeGrant
from seal_service.usecases.make_seal import MakeSeal
from seal_service.usecases.register_unit import RegisterUnit
from tests.city import MAKER, City, Office, credit_code


def submission(city: City, **changes: object) -> SubmitApplication:
    unit = next(iter(city.records.state.units.values()))
    given: dict[str, object] = {
        "unit_name": unit.name,
        "unit_type": unit.unit_type,
        "credit_code": unit.credit_code,
        "seal_name": unit.name,
        "seal_type": SealType.LEGAL_NAME,
        "picture": "样章".encode(),
    }
    return SubmitApplication(**(given | changes))  # type: ignore[arg-type]


def test_article_13_applications_come_through_the_channel_alone(city: City) -> None:
    """扎口管理."""
    channel = city.unit(1)
    unit = city.unit(2, channel)
    through = city.account("channel", Role.UNIT_ADMINISTRATOR, channel)
    itself = city.account("itself", Role.UNIT_ADMINISTRATOR, unit)
    with pytest.raises(PermissionDenied) as refused:
        city.application(itself, unit)
    assert refused.value.details["channel_unit_id"] == channel.id
    assert city.application(through, unit).unit_id == unit.id
    assert city.application(through, channel).unit_id == channel.id


@pytest.mark.parametrize(
    "changes",
    [{"unit_name": "示例市另一局"}, {"unit_type": UnitType.ENTERPRISE}, {"seal_name": " "}, {"seal_name": "章" * 151}],
)
def test_article_12_what_does_not_agree_with_the_registration_is_refused(
    city: City, changes: dict[str, object]
) -> None:
    applicant = city.account("applicant", Role.UNIT_ADMINISTRATOR, city.unit())
    with pytest.raises(InvalidInput):
        city.apply_for_seal(applicant, submission(city, **changes))
    with pytest.raises(UnitNotFound):
        city.apply_for_seal(applicant, submission(city, credit_code=credit_code(77)))


def test_article_12_a_unit_is_registered_once_and_under_a_right_code(city: City) -> None:
    city.unit(1)
    with pytest.raises(AlreadyRegistered):
        city.unit(1)
    command = RegisterUnit(
        name="示例市第3局", unit_type=UnitType.DEPARTMENT, credit_code=credit_code(3), area_code="999900"
    )
    with pytest.raises(UnitNotFound):
        city.register_unit(MAKER, replace(command, channel_unit_id="unknown"))
    for wrong in (replace(command, name=""), replace(command, name="局" * 47), replace(command, area_code="9999")):
        with pytest.raises(InvalidInput):
            city.register_unit(MAKER, wrong)


def test_article_14_nobody_decides_the_own_application(office: Office) -> None:
    application = office.application(office.keeper, office.holder)
    command = DecideApplication(application_id=application.id, decision=Decision.APPROVE)
    with pytest.raises(SelfDecisionRefused):
        office.decide_application(office.keeper, command)


def test_a_rejection_and_a_return_say_why(office: Office) -> None:
    application = office.application(office.keeper, office.holder)
    for decision in (Decision.REJECT, Decision.RETURN):
        with pytest.raises(InvalidInput):
            office.decide_application(MAKER, DecideApplication(application_id=application.id, decision=decision))


def test_a_returned_application_is_revised_and_decided_again(office: Office) -> None:
    application = office.application(office.keeper, office.holder)
    revision = submission(office, application_id=application.id, seal_name="示例市第1局（新）")
    with pytest.raises(AlreadyDecided):
        office.apply_for_seal(office.keeper, revision)
    command = DecideApplication(application_id=application.id, decision=Decision.RETURN, reason="印模不清")
    returned = office.decide_application(MAKER, command)
    assert returned.state is ApplicationState.RETURNED
    revised = office.apply_for_seal(office.keeper, revision)
    assert (revised.id, revised.state, revised.seal_name) == (
        application.id,
        ApplicationState.APPLIED,
        "示例市第1局（新）",
    )
    approve = DecideApplication(application_id=application.id, decision=Decision.APPROVE)
    assert office.decide_application(MAKER, approve).state is ApplicationState.APPROVED
    with pytest.raises(AlreadyDecided):
        office.decide_application(MAKER, approve)


def test_article_14_only_an_approved_application_becomes_a_seal_and_only_once(office: Office) -> None:
    application = office.application(office.keeper, office.holder)
    command = MakeSeal(application_id=application.id)
    kept = set(office.keys.kept)
    with pytest.raises(AlreadyDecided):
        office.make_seal(MAKER, command)
    office.decide_application(MAKER, DecideApplication(application_id=application.id, decision=Decision.APPROVE))
    seal = office.make_seal(MAKER, command)
    with pytest.raises(AlreadyDecided):
        office.make_seal(MAKER, command)
    assert set(office.keys.kept) - kept == {seal.credentials[0].key_reference}, "no key is left over"


def test_seal_codes_are_area_and_sequence_or_given_by_the_province(office: Office) -> None:
    """印章编码: 14 digits; a province-issued code is kept out of the sequence's way."""
    assert office.made.code == "99990000000001"
    first, second, third = (office.application(office.keeper, office.holder).id for _ in range(3))
    for one in (first, second, third):
        office.decide_application(MAKER, DecideApplication(application_id=one, decision=Decision.APPROVE))
    issued = office.make_seal(MAKER, MakeSeal(application_id=first, seal_code="99990000000002"))
    assert issued.code == "99990000000002"
    for wrong, error in (
        ("99990000000002", AlreadyRegistered),
        ("88880000000001", InvalidInput),
        ("123", InvalidSealCode),
    ):
        before = set(office.keys.kept)
        with pytest.raises(error):
            office.make_seal(MAKER, MakeSeal(application_id=second, seal_code=wrong))
        assert set(office.keys.kept) == before
    assert office.make_seal(MAKER, MakeSeal(application_id=second)).code == "99990000000003"


def test_article_15_the_picture_approved_is_the_picture_in_the_seal(office: Office) -> None:
    application = office.records.state.applications[office.made.application_id]
    assert office.made.impression == application.impression
    assert office.made.impression.digest in office.blobs.kept


@pytest.mark.parametrize(
    ("seal_type", "unit_type", "size", "reason"),
    [
        (SealType.LEGAL_NAME, UnitType.DEPARTMENT, (45.0, 45.0), None),
        (SealType.LEGAL_NAME, UnitType.DEPARTMENT, (46.0, 46.0), "too_large"),
        (SealType.LEGAL_NAME, UnitType.PROVINCIAL_GOVERNMENT, (50.0, 50.0), None),
        (SealType.LEGAL_NAME, UnitType.TOWNSHIP_GOVERNMENT, (45.0, 45.0), "too_large"),
        (SealType.INVOICE, UnitType.ENTERPRISE, (40.0, 30.0), None),
        (SealType.LEGAL_REPRESENTATIVE, UnitType.ENTERPRISE, (20.0, 20.0), None),
        (SealType.LEGAL_REPRESENTATIVE, UnitType.ENTERPRISE, (30.0, 20.0), "too_large"),
        (SealType.OTHER, UnitType.OTHER, (42.0, 9.0), "too_small"),
    ],
)
def test_sizes_are_limited_by_seal_and_unit(
    seal_type: SealType, unit_type: UnitType, size: tuple[float, float], reason: str | None
) -> None:
    """国发〔1999〕25号."""
    if reason is None:
        check_size(*size, seal_type, unit_type)
        return
    with pytest.raises(ImpressionRefused) as refused:
        check_size(*size, seal_type, unit_type)
    assert refused.value.details["reason"] == reason


def test_article_24_a_remade_seal_names_the_lost_one(office: Office) -> None:
    command = submission(office, replaces_seal_code=office.made.code)
    with pytest.raises(InvalidInput, match="report the loss"):
        office.apply_for_seal(office.keeper, command)
    office.report_loss(office.keeper, ReportLoss(seal_code=office.made.code, reason="丢失"))
    application = office.apply_for_seal(office.keeper, command)
    office.decide_application(MAKER, DecideApplication(application_id=application.id, decision=Decision.APPROVE))
    remade = office.make_seal(MAKER, MakeSeal(application_id=application.id))
    assert (remade.replaces_seal_code, remade.state) == (office.made.code, SealState.ACTIVE)
    with pytest.raises(InvalidInput):
        office.apply_for_seal(office.keeper, submission(office, replaces_seal_code="99990000000099"))


def test_article_20_a_grant_is_given_by_the_seals_own_unit_to_a_business_system(office: Office) -> None:
    stranger = office.account("stranger", Role.UNIT_ADMINISTRATOR, office.unit(2))
    with pytest.raises(SealNotFound):
        office.grant(stranger, office.made, office.system)
    with pytest.raises(InvalidInput):
        office.grant(office.keeper, office.made, office.keeper)
    with pytest.raises(AccountNotFound):
        office.grant(office.keeper, office.made, Caller(account_id="nobody", name="nobody"))
    with pytest.raises(GrantNotFound):
        office.revoke_grant(stranger, RevokeGrant(grant_id=office.granted.id, reason="越权"))


RETIRED = Scenario(code="retired", kind=ScenarioKind.APPROVAL)


def grant_command(office: Office, **changes: object) -> GrantUse:
    given: dict[str, object] = {
        "seal_code": office.made.code,
        "grantee_id": office.system.identity,
        "scenario": "permit",
        "responsible_person": "样某",
        "approval_number": "示例〔2026〕1号",
    }
    return GrantUse(**(given | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"scenario": "proof"},
        {"scenario": "retired"},
        {"maximum_uses": 0},
        {"responsible_person": " "},
        {"approval_number": ""},
        {"approval_number": "号" * 65},
    ],
)
def test_articles_20_to_22_an_incomplete_grant_is_refused(office: Office, changes: dict[str, object]) -> None:
    office.scenario("proof", ScenarioKind.PROOF)
    with office.records.write() as transaction:
        transaction.scenarios.add(replace(office.scenario("elsewhere"), scenario=RETIRED, active=False))
        transaction.commit()
    with pytest.raises(InvalidInput):
        office.grant_use(office.keeper, grant_command(office, **changes))


def test_a_grant_has_a_period(office: Office) -> None:
    now = office.clock.now()
    with pytest.raises(InvalidInput):
        office.grant_use(office.keeper, grant_command(office, valid_from=now, valid_until=now))
    short = grant_command(office, valid_until=now + timedelta(days=1))
    assert office.grant_use(office.keeper, short).valid_until == now + timedelta(days=1)


def test_a_seal_that_is_no_longer_used_is_not_granted(office: Office) -> None:
    cancel = CancelSeal(seal_code=office.made.code, reason="撤并", document_number="示例〔2026〕9号")
    office.cancel_seal(MAKER, cancel)
    with pytest.raises(InvalidInput):
        office.grant_use(office.keeper, grant_command(office))


def test_a_revocation_says_why_and_is_repeatable(office: Office) -> None:
    with pytest.raises(InvalidInput):
        office.revoke_grant(office.keeper, RevokeGrant(grant_id=office.granted.id, reason=" "))
    command = RevokeGrant(grant_id=office.granted.id, reason="人员调整", idempotency_key="one")
    revoked = office.revoke_grant(office.keeper, command)
    assert office.revoke_grant(office.keeper, command) == revoked
    with pytest.raises(IdempotencyKeyReused):
        office.grant_use(office.keeper, grant_command(office, idempotency_key="one"))
    assert office.kinds().count("grant.revoked") == 1


def test_nobody_grants_a_use_to_the_own_account(office: Office) -> None:
    roles = frozenset({Role.UNIT_ADMINISTRATOR, Role.BUSINESS_SYSTEM})
    both = Caller(account_id="system", name="system", roles=roles, unit_id=office.holder.id)
    with pytest.raises(InvalidInput):
        office.grant_use(both, grant_command(office))


def test_a_repeated_request_makes_nothing_twice_and_its_key_no_other(office: Office) -> None:
    command = grant_command(office, idempotency_key="one")
    first = office.grant_use(office.keeper, command)
    assert office.grant_use(office.keeper, command) == first
    with pytest.raises(IdempotencyKeyReused):
        office.grant_use(office.keeper, grant_command(office, idempotency_key="one", maximum_uses=2))
    for key in ("", "k" * 201, "键"):
        with pytest.raises(InvalidInput):
            office.grant_use(office.keeper, grant_command(office, idempotency_key=key))

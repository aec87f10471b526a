"""用印审批 (article 22): 经批准同意后方可进行签章. By someone else, for one document, for a time, once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from seal_service.domain.access import Role
from seal_service.domain.approval import LONGEST_VALIDITY, USUAL_VALIDITY, ApprovalState, UseDecision
from seal_service.domain.errors import (
    ApprovalDecided,
    AuthorizationDenied,
    InvalidInput,
    InvalidTime,
    ScenarioNotFound,
    SealNotFound,
    SelfDecisionRefused,
    UseApprovalNotFound,
    UseOvertaken,
)
from seal_service.domain.paging import PageRequest
from seal_service.usecases.approve_use import DecideApproval
from seal_service.usecases.manage_scenarios import ChangeScenario, RegisterScenario
from seal_service.usecases.read_approvals import ListApprovals
from seal_service.usecases.read_registers import ReadById
from tests.approving import SCENARIO, ApprovingOffice, sha256
from tests.city import MAKER


@pytest.fixture
def office() -> ApprovingOffice:
    return ApprovingOffice()


def reasons(office: ApprovingOffice, key: str, content: bytes = b"document", **changes: object) -> list[str]:
    """Why a use is denied."""
    with pytest.raises(AuthorizationDenied) as denied:
        office.apply_seal(office.system, replace(office.request(key, content, SCENARIO), **changes))  # type: ignore[arg-type]
    return [code for code, _ in denied.value.reasons]


def test_a_use_is_asked_for_approved_and_made_once(office: ApprovingOffice) -> None:
    assert reasons(office, "before") == ["no_approval"]
    asked = office.asked()
    assert (asked.state, asked.number, asked.documents) == (ApprovalState.REQUESTED, asked.id, 1)
    assert reasons(office, "undecided") == ["approval_undecided"]
    approved = office.decided(asked)
    assert approved.valid_until == office.clock.now() + USUAL_VALIDITY
    assert reasons(office, "another", b"another") == ["no_approval"]
    assert reasons(office, "another named", b"another", approval_id=asked.id) == ["approval_other_document"]
    use = office.notice("once").use
    assert (use.approval_id, use.approval_epoch) == (asked.id, approved.epoch)
    assert reasons(office, "twice") == ["approval_used"]
    assert office.notice("once").replayed


def test_the_approval_is_in_the_log_and_its_number_is_the_uses(office: ApprovingOffice) -> None:
    office.asked(number="示审用〔2026〕8号")
    (approval,) = office.records.state.approvals.values()
    office.decided(approval)
    office.notice("one")
    kinds = office.kinds()
    assert kinds[-4:] == ["approval.requested", "approval.granted", "seal.intent", "seal.completed"]
    entries = [json.loads(row.canon) for row in office.records.state.entries.values()]
    assert {one["approval_number"] for one in entries[-4:]} == {"示审用〔2026〕8号"}
    assert {one["approval_id"] for one in entries[-4:]} == {approval.id}
    assert entries[-4]["document_digests"] == [sha256(b"document")]
    assert "关于样例事项的通知" not in json.dumps(entries[-4], ensure_ascii=False), "the title is personal"


def test_where_a_named_process_stands_in_its_place_the_grants_number_is_logged(office: ApprovingOffice) -> None:
    assert office.use("waived").use.approval_id is None
    entry = json.loads(list(office.records.state.entries.values())[-1].canon)
    assert entry["approval_number"] == office.granted.approval_number
    assert entry["approval_set_aside_for"] == "政务服务平台审批流程"


def test_a_person_of_the_unit_asks_and_presses_the_seal(office: ApprovingOffice) -> None:
    """Articles 20, 22: the applicant does both, and the administrator decides in between."""
    approval = office.approved(by=office.applicant)
    applied = office.apply_seal(office.applicant, office.request("person", scenario=SCENARIO))
    assert applied.use.approval_id == approval.id
    assert reasons(office, "not for the system") == ["no_approval"]
    assert reasons(office, "named", approval_id=approval.id) == ["no_approval"], "an approval is its requester's"


def test_whoever_asked_does_not_decide_and_no_other_unit_does(office: ApprovingOffice) -> None:
    asked = office.asked()
    both = replace(office.system, roles=office.system.roles | {Role.UNIT_ADMINISTRATOR})
    stranger = office.account("stranger", Role.UNIT_ADMINISTRATOR, office.unit(2))
    for caller, refusal in ((both, SelfDecisionRefused), (stranger, UseApprovalNotFound)):
        with pytest.raises(refusal):
            office.decide_approval(caller, DecideApproval(approval_id=asked.id, decision=UseDecision.APPROVE))
    office.decided(asked)
    with pytest.raises(ApprovalDecided):
        office.decided(asked)


def test_a_rejection_says_why_and_lets_nothing_through(office: ApprovingOffice) -> None:
    asked = office.asked()
    with pytest.raises(InvalidInput):
        office.decided(asked, UseDecision.REJECT)
    assert office.decided(asked, UseDecision.REJECT, reason="文件有误").state is ApprovalState.REJECTED
    assert reasons(office, "rejected") == ["approval_rejected"]
    with pytest.raises(ApprovalDecided):
        office.withdrawn(asked)
    assert "approval.rejected" in office.kinds()


def test_an_approval_is_valid_for_a_time(office: ApprovingOffice) -> None:
    now = office.clock.now()
    asked = office.asked()
    for until in (now, now + LONGEST_VALIDITY + timedelta(seconds=1)):
        with pytest.raises(InvalidTime):
            office.decided(asked, valid_until=until)
    office.decided(asked, valid_until=now + timedelta(hours=1))
    office.clock.forward(timedelta(hours=1))
    assert reasons(office, "late") == ["approval_expired"]
    office.approved()
    assert office.notice("again").use.approval_id != asked.id


def test_a_use_that_fails_gives_its_approval_back(office: ApprovingOffice) -> None:
    approval = office.approved()

    def fail(step: str) -> None:
        if step == "sign":
            raise InvalidInput

    office.sealer.before = fail
    with pytest.raises(InvalidInput):
        office.notice("failing")
    office.sealer.before = lambda _: None
    assert office.notice("then").use.approval_id == approval.id


def test_an_abandoned_use_gives_its_approval_back(office: ApprovingOffice) -> None:
    office.approved()

    def die(step: str) -> None:
        if step == "sign":
            raise SystemExit

    office.sealer.before = die
    with pytest.raises(SystemExit):
        office.notice("dying")
    office.sealer.before = lambda _: None
    assert reasons(office, "meanwhile") == ["approval_used"]
    office.clock.forward(timedelta(minutes=6))
    assert office.reconcile_now().abandoned == 1
    office.notice("then")


def test_a_use_under_way_does_not_survive_the_withdrawal_of_its_approval(office: ApprovingOffice) -> None:
    approval = office.approved()

    def withdraw(step: str) -> None:
        if step == "sign":
            office.withdrawn(approval)

    office.sealer.before = withdraw
    with pytest.raises(UseOvertaken):
        office.notice("overtaken")
    office.sealer.before = lambda _: None
    assert reasons(office, "after") == ["approval_withdrawn"]
    assert office.kinds()[-3:] == ["approval.withdrawn", "seal.failed", "seal.denied"]
    assert office.withdrawn(approval).state is ApprovalState.WITHDRAWN, "withdrawn already is done"


def test_a_use_under_way_does_not_outlive_its_approval(office: ApprovingOffice) -> None:
    office.approved(valid_until=office.clock.now() + timedelta(minutes=1))

    def wait(step: str) -> None:
        if step == "sign":
            office.clock.forward(timedelta(minutes=1))

    office.sealer.before = wait
    with pytest.raises(UseOvertaken):
        office.notice("slow")


def test_one_decision_approves_each_document_of_a_list_once(office: ApprovingOffice) -> None:
    contents = [f"document {number}".encode() for number in range(3)]
    approval = office.approved(*contents)
    assert approval.documents == 3
    for number, content in enumerate(contents):
        assert office.notice(f"key-{number}", content).use.approval_id == approval.id
        assert reasons(office, f"again-{number}", content) == ["approval_used"]
    covered = office.read_approval(office.keeper, ReadById(id=approval.id)).documents
    assert all(one.use_id is not None for one in covered)


def test_an_approval_that_cannot_be_is_refused(office: ApprovingOffice) -> None:
    for digests in ((), ("0" * 64, "0" * 64), ("no digest",), tuple(f"{number:064x}" for number in range(1001))):
        with pytest.raises(InvalidInput):
            office.asked(digests=digests)
    with pytest.raises(SealNotFound):
        office.asked(by=office.account("without grant", Role.BUSINESS_SYSTEM, office.holder))
    with pytest.raises(SealNotFound):
        office.asked(scenario="other")
    assert office.asked(digests=tuple(f"{number:064x}" for number in range(1000))).documents == 1000


def test_each_sees_what_concerns_it(office: ApprovingOffice) -> None:
    of_system = office.asked()
    office.clock.forward(timedelta(seconds=1))
    of_person = office.asked(by=office.applicant)
    auditor = office.account("auditor", Role.AUDITOR, None)
    stranger = office.account("stranger", Role.SEAL_KEEPER, office.unit(2))
    seen = {
        caller.name: [one.id for one in office.list_approvals(caller, ListApprovals()).items]
        for caller in (office.system, office.applicant, office.keeper, auditor, stranger)
    }
    both = [of_person.id, of_system.id]
    assert seen == {
        "system": [of_system.id], "applicant": [of_person.id], "keeper": both, "auditor": both, "stranger": []
    }  # fmt: skip
    for caller in (stranger, office.applicant):
        with pytest.raises(UseApprovalNotFound):
            office.read_approval(caller, ReadById(id=of_system.id))
    page = office.list_approvals(auditor, ListApprovals(page=PageRequest(limit=1)))
    following = ListApprovals(page=PageRequest(limit=1, cursor=page.next_cursor))
    assert [one.id for one in (*page.items, *office.list_approvals(auditor, following).items)] == both


def test_only_its_requester_and_the_unit_withdraw_it(office: ApprovingOffice) -> None:
    approval = office.approved()
    with pytest.raises(UseApprovalNotFound):
        office.withdrawn(approval, by=office.applicant)
    assert office.withdrawn(approval, by=office.system).withdrawn_by == office.system.account_id


def test_the_making_office_keeps_the_scenarios_and_every_change_is_logged(office: ApprovingOffice) -> None:
    made = office.register_scenario(MAKER, RegisterScenario(code="reply", name="批复"))
    assert made.waiver is None, "an approval each time is the rule"
    with pytest.raises(InvalidInput):
        office.register_scenario(MAKER, RegisterScenario(code="half", name="半", waived_for="某流程"))
    office.change_scenario(
        MAKER, ChangeScenario(code="reply", reason="流程启用", waived_for="某流程", waiver_number="示〔2026〕1号")
    )
    ended = office.change_scenario(MAKER, ChangeScenario(code="reply", reason="流程停用", approval_required=True))
    assert ended.waiver is None
    with pytest.raises(ScenarioNotFound):
        office.change_scenario(MAKER, ChangeScenario(code="none", reason="无"))
    assert office.kinds()[-3:] == ["scenario.registered", "scenario.changed", "scenario.changed"]


def test_a_change_of_the_scenario_is_felt_by_the_next_use(office: ApprovingOffice) -> None:
    office.use("waived")
    office.change_scenario(MAKER, ChangeScenario(code="permit", reason="流程停用", approval_required=True))
    with pytest.raises(AuthorizationDenied, match="article 22"):
        office.use("needs one")
    office.change_scenario(MAKER, ChangeScenario(code=SCENARIO, reason="停用", active=False))
    office.approved()
    assert reasons(office, "inactive") == ["scenario_inactive"]

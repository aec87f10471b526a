"""What the records of scenarios and use approvals promise, on every engine and the fake."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from seal_service.domain.approval import ApprovalState, ApprovedDocument, UseApproval
from seal_service.domain.errors import AlreadyRegistered, ScenarioNotFound, UseApprovalNotFound
from seal_service.domain.scenario import ApprovalWaiver, RegisteredScenario, Scenario, ScenarioKind
from seal_service.ports.records import Records, Transaction
from tests.storage_samples import CODE, NOW, account, add_seal_with_grant, digest_of, later

ONE, OTHER = digest_of("one"), digest_of("other")


def scenario(code: str = "permit", waiver: ApprovalWaiver | None = None) -> RegisteredScenario:
    return RegisteredScenario(
        scenario=Scenario(code=code, kind=ScenarioKind.PROOF),
        name="样例",
        active=True,
        waiver=waiver,
        registered_by="maker",
        registered_at=NOW,
    )


def approval(approval_id: str = "approval-1", **changes: object) -> UseApproval:
    asked = UseApproval(
        id=approval_id,
        seal_code=CODE,
        unit_id="unit-1",
        scenario="permit",
        title="通知",
        documents=2,
        requested_by="system-1",
        requested_at=NOW,
        state=ApprovalState.REQUESTED,
        number="8号",
    )
    return replace(asked, **changes)  # type: ignore[arg-type]


def approved(approval_id: str = "approval-1") -> UseApproval:
    return approval(
        approval_id, state=ApprovalState.APPROVED, epoch=2, decided_by="keeper", decided_at=NOW, reason="同意",
        valid_until=later(days=7),
    )  # fmt: skip


def test_a_scenario_is_read_back_as_it_was_and_changed_in_its_place(records: Records) -> None:
    waived = scenario(waiver=ApprovalWaiver(process="某流程", document_number="1号"))
    with records.write() as transaction:
        for one in (scenario("second"), waived):
            transaction.scenarios.add(one)
        transaction.commit()
    with records.write() as transaction:
        assert transaction.scenarios.find("permit") == transaction.scenarios.lock("permit") == waived
        changed = replace(scenario(), active=False, changed_by="maker", changed_at=later(days=1))
        transaction.scenarios.replace(changed)
        assert transaction.scenarios.chosen() == [changed, scenario("second")]
        assert transaction.scenarios.chosen(after="permit", limit=1) == [scenario("second")]
        assert transaction.scenarios.find("none") is None
        with pytest.raises(ScenarioNotFound):
            transaction.scenarios.lock("none")
    with records.write() as transaction, pytest.raises(AlreadyRegistered):
        transaction.scenarios.add(scenario())


def test_an_approval_is_read_back_as_it_was_with_its_documents(written: Transaction) -> None:
    written.approvals.add(approval(), (ONE, OTHER))
    assert written.approvals.lock("approval-1") == approval()
    assert list(written.approvals.documents("approval-1")) == sorted(
        (ApprovedDocument(sha256=ONE), ApprovedDocument(sha256=OTHER)), key=lambda one: one.sha256
    )
    written.approvals.replace(approved())
    withdrawn = replace(approved(), state=ApprovalState.WITHDRAWN, withdrawn_by="keeper", withdrawn_at=NOW)
    written.approvals.replace(withdrawn)
    found = written.approvals.lock_for("approval-1", ONE)
    assert found is not None
    assert (found.approval, found.document) == (withdrawn, ApprovedDocument(sha256=ONE))
    beside = written.approvals.lock_for("approval-1", digest_of("third"))
    assert beside is not None
    assert beside.document is None
    assert written.approvals.lock_for("none", ONE) is None
    with pytest.raises(UseApprovalNotFound):
        written.approvals.lock("none")


def test_a_document_is_taken_once_and_given_back_by_its_use_alone(written: Transaction) -> None:
    written.approvals.add(approved(), (ONE, OTHER))
    assert written.approvals.take("approval-1", ONE, "use-1")
    assert not written.approvals.take("approval-1", ONE, "use-2")
    assert not written.approvals.take("approval-1", digest_of("third"), "use-2")
    written.approvals.give_back("approval-1", ONE, "use-2")
    assert not written.approvals.take("approval-1", ONE, "use-2")
    written.approvals.give_back("approval-1", ONE, "use-1")
    assert written.approvals.take("approval-1", ONE, "use-2")
    assert written.approvals.take("approval-1", OTHER, "use-2")


def test_candidates_are_those_of_the_use_first_what_can_be_used(written: Transaction) -> None:
    written.accounts.add(account("system-2"))
    for number, one in enumerate((approved("a-1"), approval("a-2"), approved("a-3"), approval("a-4"))):
        written.approvals.add(one, (ONE,) if number else (ONE, OTHER))
    written.approvals.add(replace(approved("a-5"), requested_by="system-2"), (ONE,))
    written.approvals.add(replace(approved("a-6"), scenario="licence"), (ONE,))

    def candidates(sha256: str) -> list[str]:
        found = written.approvals.lock_candidates(CODE, "system-1", "permit", sha256)
        return [one.approval.id for one in found]

    assert candidates(ONE) == ["a-3", "a-1", "a-4", "a-2"]
    assert written.approvals.take("a-3", ONE, "use-1")
    assert candidates(ONE) == ["a-1", "a-4", "a-3", "a-2"]
    assert candidates(OTHER) == ["a-1"]


def test_approvals_are_listed_newest_first(written: Transaction) -> None:
    written.accounts.add(account("system-2"))
    written.approvals.add(approval("a-1"), (ONE,))
    written.approvals.add(approved("a-2"), (ONE,))
    written.approvals.add(replace(approved("a-3"), requested_by="system-2"), (ONE,))

    def listed(**chosen: object) -> list[str]:
        return [one.id for one in written.approvals.chosen(**chosen)]  # type: ignore[arg-type]

    assert listed() == listed(seal_code=CODE) == listed(unit_id="unit-1") == ["a-3", "a-2", "a-1"]
    assert listed(requested_by="system-1") == ["a-2", "a-1"]
    assert listed(state=ApprovalState.APPROVED, before="a-3") == ["a-2"]
    assert listed(unit_id="none") == []
    assert listed(limit=1) == ["a-3"]


def test_of_many_that_take_a_document_at_once_one_gets_it(records: Records) -> None:
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        transaction.approvals.add(approved(), (ONE, OTHER))
        transaction.commit()

    def take(number: int) -> bool:
        with records.write() as transaction:
            taken = transaction.approvals.take("approval-1", ONE, f"use-{number}")
            transaction.commit()
        return taken

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(take, range(6))).count(True) == 1

"""Grants and approvals on real instances, on each engine: exactly N, exactly once, and what only reading tells."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seal_service.domain.access import Role
from seal_service.domain.approval import UseDecision
from seal_service.domain.errors import AuthorizationDenied, DocumentBeyondGrant, DocumentOverLimit
from seal_service.domain.use import SignatureLevel
from seal_service.formats.upload import upload_of
from seal_service.ports.reading import LogFilter
from seal_service.usecases.apply_seal import ApplySeal
from seal_service.usecases.approve_use import DecideApproval, RequestApproval
from seal_service.usecases.grant_use import GrantUse
from seal_service.usecases.read_log import QueryLog
from seal_service.usecases.trace import Trace
from tests.instance import RealOffice, blank_pdf

CALLERS = 16


@pytest.fixture
def real_office(tmp_path: Path, on_engine: dict[str, object]) -> Iterator[RealOffice]:
    """An office on a real instance, on each engine."""
    office = RealOffice(tmp_path / "var", changes=on_engine)
    yield office
    office.service.close()


def grant(office: RealOffice, scenario: str, *, waived: bool = True, **limits: object) -> str:
    """A further grant of the office's seal to its system; its id."""
    office.scenario(scenario, waived=waived)
    given: dict[str, object] = {
        "seal_code": office.made.code,
        "grantee_id": office.system.identity,
        "scenario": scenario,
        "responsible_person": "样某",
        "approval_number": "示例〔2026〕2号",
    }
    return office.service.grant_use(office.keeper, GrantUse(**(given | limits))).id  # type: ignore[arg-type]


def request(office: RealOffice, scenario: str, key: str, content: bytes) -> ApplySeal:
    return ApplySeal(
        seal_code=office.made.code,
        document=upload_of(content, "示例文件.pdf"),
        scenario=scenario,
        idempotency_key=key,
        level=SignatureLevel.B_B,
    )


def released_of_many(office: RealOffice, requests: list[ApplySeal]) -> tuple[int, set[str]]:
    """How many of the requests, made at once, released a document, and the reasons why the others did not."""

    def apply(one: ApplySeal) -> set[str]:
        try:
            return set() if office.service.apply_seal(office.system, one).content else {"nothing"}
        except AuthorizationDenied as denial:
            return {code for code, _ in denial.reasons}

    with ThreadPoolExecutor(CALLERS) as pool:
        told = list(pool.map(apply, requests))
    return told.count(set()), set().union(*told)


def test_an_approval_releases_exactly_one_document_however_many_ask_at_once(real_office: RealOffice) -> None:
    office, content = real_office, blank_pdf(mark="once")
    grant(office, "notice", waived=False)
    document = upload_of(content)
    asked = RequestApproval(
        seal_code=office.made.code, scenario="notice", title="样例通知", digests=(document.sha256_hex,)
    )
    approval = office.service.permitting.request_approval(office.system, asked)
    decision = DecideApproval(approval_id=approval.id, decision=UseDecision.APPROVE)
    office.service.permitting.decide_approval(office.keeper, decision)
    requests = [request(office, "notice", f"key-{number}", content) for number in range(CALLERS)]
    assert released_of_many(office, requests) == (1, {"approval_used"})
    story = office.service.trace(office.auditor, Trace(document_sha256=document.sha256_hex))
    (traced,) = story.uses
    assert traced.approval is not None
    assert (traced.approval.id, traced.approval.decided_by) == (approval.id, office.keeper.account_id)
    entries = office.service.query_log(office.auditor, QueryLog(chosen=LogFilter(use_id=traced.use.id))).page.items
    assert len(entries) == 2
    assert all(approval.number.encode() in one.canon for one in entries)


def test_a_quota_of_n_gives_exactly_n_however_many_ask_at_once(real_office: RealOffice) -> None:
    grant(real_office, "counted", maximum_uses=5)
    requests = [
        request(real_office, "counted", f"key-{number}", blank_pdf(mark=str(number))) for number in range(CALLERS)
    ]
    assert released_of_many(real_office, requests) == (5, {"grant_used_up"})


def test_a_document_with_more_pages_than_the_grant_allows_is_refused_and_counts_for_nothing(
    real_office: RealOffice,
) -> None:
    office = real_office
    grant(office, "short", most_pages=2, maximum_uses=1)
    with pytest.raises(DocumentBeyondGrant) as refused:
        office.service.apply_seal(office.system, request(office, "short", "three", blank_pdf(3)))
    assert (refused.value.details["reasons"], refused.value.details["limit"]) == (["grant_pages"], 2)
    with pytest.raises(DocumentBeyondGrant):  # the same request is told the same again
        office.service.apply_seal(office.system, request(office, "short", "three", blank_pdf(3)))
    applied = office.service.apply_seal(office.system, request(office, "short", "two", blank_pdf(2)))
    assert applied.content is not None
    assert not isinstance(refused.value, DocumentOverLimit)


def test_of_two_grants_the_one_that_allows_more_pages_is_used(real_office: RealOffice) -> None:
    grant(real_office, "wide")
    again = GrantUse(
        seal_code=real_office.made.code,
        grantee_id=real_office.system.identity,
        scenario="wide",
        responsible_person="样某",
        approval_number="示例〔2026〕3号",
        most_pages=1,
    )
    real_office.service.grant_use(real_office.keeper, again)
    real_office.service.apply_seal(real_office.system, request(real_office, "wide", "three", blank_pdf(3)))


def test_a_grant_that_lists_documents_lets_those_alone_through(real_office: RealOffice) -> None:
    listed, other = blank_pdf(mark="listed"), blank_pdf(mark="other")
    grant(real_office, "listed", digests=(upload_of(listed).sha256_hex,))
    with pytest.raises(AuthorizationDenied) as denied:
        real_office.service.apply_seal(real_office.system, request(real_office, "listed", "other", other))
    assert [code for code, _ in denied.value.reasons] == ["grant_other_document"]
    real_office.service.apply_seal(real_office.system, request(real_office, "listed", "listed", listed))


def test_a_keeper_of_the_unit_is_granted_the_seal_and_presses_it(real_office: RealOffice) -> None:
    office = real_office
    keeper = office.account("保管人", Role.SEAL_KEEPER, office.holder)
    grant(office, "by-hand", grantee_id=keeper.identity)
    applied = office.service.apply_seal(keeper, request(office, "by-hand", "one", blank_pdf()))
    assert office.verify(applied.content or b"").indication.value == "TOTAL_PASSED"

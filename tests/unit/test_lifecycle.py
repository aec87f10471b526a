"""The one table of transitions, the renewal window and the status of a past moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from seal_service.domain.errors import PermissionDenied, RenewalNotPossible, TransitionRefused, Unavailable
from seal_service.domain.lifecycle import (
    TRANSITIONS,
    Action,
    StatusChange,
    allowed_actions,
    next_state,
    state_at,
    status_when_sealed,
)
from seal_service.domain.seal import SealState
from seal_service.testing import MemoryRecords
from seal_service.testing.records import MemoryTransaction
from seal_service.testing.system import START
from seal_service.usecases.change_status import CancelSeal, ReportLoss, ResumeSeal
from seal_service.usecases.renew_seal import RenewSeal, RenewSealUseCase
from tests.city import MAKER, Office


@pytest.mark.parametrize(("state", "action"), list(product(SealState, Action)))
def test_what_is_not_in_the_table_is_refused_with_what_is_allowed(
    office: Office, state: SealState, action: Action
) -> None:
    seal = replace(office.made, state=SealState.ACTIVE if state is SealState.EXPIRED else state)
    now = seal.not_after if state is SealState.EXPIRED else seal.not_after - timedelta(days=1)
    if (state, action) in TRANSITIONS:
        assert next_state(seal, action, now) is TRANSITIONS[state, action]
        return
    with pytest.raises((TransitionRefused, RenewalNotPossible)) as refused:
        next_state(seal, action, now)
    if isinstance(refused.value, TransitionRefused):
        assert refused.value.details["allowed"] == [one.value for one in allowed_actions(state)]


def test_article_16_renewal_window_is_the_last_90_days(office: Office) -> None:
    """数字证书到期前90日内."""
    end = office.made.not_after
    start = end - timedelta(days=90)
    for moment in (start, end - timedelta(seconds=1)):
        assert next_state(office.made, Action.RENEW, moment) is SealState.ACTIVE
    for moment in (start - timedelta(seconds=1), end, end + timedelta(days=1)):
        with pytest.raises(RenewalNotPossible) as refused:
            next_state(office.made, Action.RENEW, moment)
        assert refused.value.details["possible_from"] == start.isoformat()


def test_article_16_a_renewal_is_a_new_version_under_the_same_code(office: Office) -> None:
    office.clock.moment = office.made.not_after - timedelta(days=30)
    renewed = office.renew_seal(office.keeper, RenewSeal(seal_code=office.made.code))
    old, new = renewed.credentials
    assert (renewed.code, renewed.version) == (office.made.code, 2)
    assert old == office.made.credentials[0]
    assert new.key_reference != old.key_reference
    assert new.serial != old.serial
    assert not office.records.state.certificates[old.serial].reason, "the old certificate is not revoked"


def test_article_16_a_seal_is_valid_exactly_as_long_as_its_certificate(office: Office) -> None:
    certificate = office.made.credentials[0]
    assert (office.made.not_before, office.made.not_after) == (certificate.not_before, certificate.not_after)
    assert state_at(office.made, certificate.not_after - timedelta(seconds=1)) is SealState.ACTIVE
    assert state_at(office.made, certificate.not_after) is SealState.EXPIRED


def test_article_24_a_loss_report_suspends_at_once_and_a_resumption_lifts_it(office: Office) -> None:
    lost = office.report_loss(office.keeper, ReportLoss(seal_code=office.made.code, reason="介质丢失")).seal
    assert lost.state is SealState.SUSPENDED
    assert office.records.state.certificates[lost.credentials[0].serial].status.value == "on_hold"
    found = office.resume_seal(MAKER, ResumeSeal(seal_code=office.made.code, reason="已找回"))
    assert found.state is SealState.ACTIVE
    assert office.records.state.certificates[lost.credentials[0].serial].status.value == "good"


def test_article_23_a_cancelled_seal_is_final_and_its_certificate_revoked(office: Office) -> None:
    cancel = CancelSeal(seal_code=office.made.code, reason="单位撤并", document_number="示例〔2026〕9号")
    cancelled = office.cancel_seal(MAKER, cancel)
    assert cancelled.document_number == "示例〔2026〕9号"
    assert office.records.state.certificates[cancelled.credentials[0].serial].status.value == "revoked"
    with pytest.raises(TransitionRefused):
        office.resume_seal(MAKER, ResumeSeal(seal_code=office.made.code, reason="误注销"))
    assert office.kinds()[-1] == "sealmgmt.refused"


def test_article_24_the_certificates_of_a_lost_and_cancelled_seal_say_why(office: Office) -> None:
    office.report_loss(office.keeper, ReportLoss(seal_code=office.made.code, reason="丢失"))
    cancel = CancelSeal(seal_code=office.made.code, reason="重新制作", document_number="示例〔2026〕9号")
    cancelled = office.cancel_seal(MAKER, cancel)
    assert office.records.state.certificates[cancelled.credentials[0].serial].reason == "key_compromise"


def test_a_resumption_lifts_the_hold_of_every_version_also_an_expired_one(office: Office) -> None:
    office.clock.moment = office.made.not_after - timedelta(days=30)
    office.renew_seal(office.keeper, RenewSeal(seal_code=office.made.code))
    office.report_loss(office.keeper, ReportLoss(seal_code=office.made.code, reason="丢失"))
    office.clock.moment = office.made.not_after + timedelta(days=1)
    found = office.resume_seal(MAKER, ResumeSeal(seal_code=office.made.code, reason="已找回"))
    statuses = {office.records.state.certificates[one.serial].status.value for one in found.credentials}
    assert (len(found.credentials), statuses) == (2, {"good"})


def test_article_17_what_a_role_or_the_state_does_not_allow_is_logged(office: Office) -> None:
    """全程监控."""
    resume = ResumeSeal(seal_code=office.made.code, reason="已找回")
    for caller, error in ((office.keeper, PermissionDenied), (MAKER, TransitionRefused)):
        before = len(office.kinds())
        with pytest.raises(error):
            office.resume_seal(caller, resume)
        assert office.kinds()[before:] == ["account.refused" if caller is office.keeper else "sealmgmt.refused"]


class Unsure(MemoryRecords):
    """A database whose commit is durable and then fails, or fails before: its caller cannot know which."""

    durable = True

    @contextmanager
    def write(self) -> Iterator[MemoryTransaction]:
        with super().write() as transaction:
            commit = transaction.commit

            def unsure() -> None:
                if self.durable:
                    commit()
                raise Unavailable("the connection was lost")

            transaction.commit = unsure  # type: ignore[method-assign]
            yield transaction


@pytest.mark.parametrize("durable", [True, False])
def test_a_commit_whose_outcome_is_unknown_never_costs_a_seal_its_key(office: Office, durable: bool) -> None:
    office.clock.moment = office.made.not_after - timedelta(days=30)
    unsure = Unsure(state=office.records.state)
    unsure.durable = durable
    renewing = office.renew_seal.use_case
    assert isinstance(renewing, RenewSealUseCase)
    before = set(office.keys.kept)
    with pytest.raises(Unavailable):
        replace(renewing, records=unsure)(office.keeper, RenewSeal(seal_code=office.made.code))
    named = {one.key_reference for one in unsure.state.seals[office.made.code].credentials}
    assert named <= set(office.keys.kept)
    assert len(set(office.keys.kept) - before) == (1 if durable else 0), "and no key is left that nobody names"


CHANGES = [
    StatusChange(at=START, state=SealState.ACTIVE),
    StatusChange(at=START + timedelta(hours=1), state=SealState.SUSPENDED),
    StatusChange(at=START + timedelta(hours=2), state=SealState.ACTIVE),
]


@pytest.mark.parametrize(
    ("minutes", "proven", "expected"),
    [
        (-1, True, SealState.MADE),
        (-1, False, None),
        (30, True, SealState.ACTIVE),
        (30, False, None),
        (90, True, SealState.SUSPENDED),
        (90, False, SealState.SUSPENDED),
        (150, True, SealState.ACTIVE),
        (150, False, SealState.ACTIVE),
    ],
)
def test_status_when_sealed_is_read_from_the_logged_intervals(
    minutes: int, proven: bool, expected: SealState | None
) -> None:
    """A seal made while it was lost stays bad after the suspension was lifted; a claimed time before it is no proof."""
    assert status_when_sealed(CHANGES, START + timedelta(minutes=minutes), proven=proven) is expected

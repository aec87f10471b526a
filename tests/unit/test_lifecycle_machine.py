"""The life of a seal as a state machine: the use cases against a model that knows only the regulation."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from seal_service.domain.errors import AuthorizationDenied, RenewalNotPossible, TransitionRefused
from seal_service.domain.events import EventKind
from seal_service.domain.lifecycle import state_at, status_at
from seal_service.domain.seal import SealState
from seal_service.usecases.change_status import CancelSeal, ReportLoss, ResumeSeal
from seal_service.usecases.renew_seal import RenewSeal
from tests.city import MAKER, Office


class LifeOfASeal(RuleBasedStateMachine):
    """Every act at any time is either allowed by the model and done, or refused, logged and without effect."""

    def __init__(self) -> None:
        super().__init__()
        self.office = Office()
        self.code = self.office.made.code
        self.suspended = False
        self.cancelled = False
        self.ends: datetime = self.office.made.not_after
        self.versions = 1
        self.released = 0
        self.number = 0

    @property
    def expired(self) -> bool:
        return self.office.clock.now() >= self.ends and not self.cancelled

    @property
    def active(self) -> bool:
        return not (self.suspended or self.cancelled or self.expired)

    @rule(days=st.sampled_from([0.01, 1, 89, 90, 400, 1005]))
    def time_passes(self, days: float) -> None:
        self.office.clock.forward(timedelta(days=days))

    @rule()
    def apply(self) -> None:
        self.number += 1
        granted = self.office.clock.now() < self.office.granted.valid_until
        if self.active and granted:
            assert self.office.use(f"key-{self.number}").content
            self.released += 1
        else:
            with pytest.raises(AuthorizationDenied):
                self.office.use(f"key-{self.number}")

    @rule()
    def report_loss(self) -> None:
        command = ReportLoss(seal_code=self.code, reason="丢失")
        if self.active:
            self.office.report_loss(self.office.keeper, command)
            self.suspended = True
        else:
            with pytest.raises(TransitionRefused):
                self.office.report_loss(self.office.keeper, command)

    @rule()
    def resume(self) -> None:
        command = ResumeSeal(seal_code=self.code, reason="找回")
        if self.suspended and not self.expired and not self.cancelled:
            self.office.resume_seal(MAKER, command)
            self.suspended = False
        else:
            with pytest.raises(TransitionRefused):
                self.office.resume_seal(MAKER, command)

    @rule()
    def renew(self) -> None:
        command = RenewSeal(seal_code=self.code)
        if self.active and self.office.clock.now() >= self.ends - timedelta(days=90):
            self.ends = self.office.renew_seal(self.office.keeper, command).not_after
            self.versions += 1
        else:
            with pytest.raises((RenewalNotPossible, TransitionRefused)):
                self.office.renew_seal(self.office.keeper, command)

    @precondition(lambda self: self.number > 3)
    @rule()
    def cancel(self) -> None:
        command = CancelSeal(seal_code=self.code, reason="撤并", document_number="示例〔2026〕9号")
        if self.cancelled:
            with pytest.raises(TransitionRefused):
                self.office.cancel_seal(MAKER, command)
        else:
            self.office.cancel_seal(MAKER, command)
            self.cancelled = True

    @invariant()
    def the_seal_is_what_the_model_says(self) -> None:
        seal = self.office.records.state.seals[self.code]
        state = state_at(seal, self.office.clock.now())
        assert (state is SealState.CANCELLED) == self.cancelled
        assert (state is SealState.EXPIRED) == self.expired
        assert (state is SealState.ACTIVE) == self.active
        assert (seal.version, seal.not_after) == (self.versions, self.ends)
        assert len({one.key_reference for one in seal.credentials}) == self.versions

    @invariant()
    def the_log_alone_tells_the_same_status(self) -> None:
        rows = self.office.records.state.entries.values()
        with self.office.records.read() as transaction:
            changes = transaction.log.status_changes(self.code)
        logged = status_at(changes, self.office.clock.now())
        assert logged is self.office.records.state.seals[self.code].state
        assert sum(row.kind is EventKind.SEAL_COMPLETED for row in rows) == self.released
        assert [row.seq for row in rows if row.seal_code == self.code] == list(
            range(1, 1 + sum(row.seal_code == self.code for row in rows))
        )


TestLifeOfASeal = LifeOfASeal.TestCase
TestLifeOfASeal.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)

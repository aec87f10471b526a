"""What entries that come back mean: nothing that was stopped is usable again."""

from __future__ import annotations

import pytest

from seal_service.domain.events import EventKind, Result
from seal_service.domain.recovery import CHANGES, PLAIN, concerns_state, lies_open, state_after
from seal_service.domain.seal import SealState

_SEALMGMT = [kind for kind in EventKind if kind.value.startswith("sealmgmt.") and kind not in PLAIN]


@pytest.mark.parametrize("kind", _SEALMGMT)
@pytest.mark.parametrize("before", [SealState.ACTIVE, SealState.SUSPENDED, SealState.CANCELLED])
def test_no_act_on_a_seal_after_the_backup_leaves_it_usable(before: SealState, kind: EventKind) -> None:
    assert concerns_state(kind)
    assert state_after(before, frozenset({kind})) in (SealState.SUSPENDED, SealState.CANCELLED)


def test_cancelled_is_final_whatever_else_was_done() -> None:
    for kind in (EventKind.SEAL_CANCELLED, EventKind.SEAL_INVALIDATED):
        for before in (SealState.MADE, SealState.ACTIVE, SealState.SUSPENDED):
            assert state_after(before, frozenset({kind, EventKind.SEAL_RENEWED})) is SealState.CANCELLED
    assert state_after(SealState.CANCELLED, frozenset({EventKind.MEDIUM_DESTROYED})) is SealState.CANCELLED


def test_a_seal_that_was_never_activated_here_stays_so() -> None:
    assert state_after(SealState.MADE, frozenset({EventKind.SEAL_ACTIVATED})) is SealState.MADE


def test_uses_are_no_acts_to_do_again_and_refusals_changed_nothing() -> None:
    assert not any(concerns_state(kind) for kind in PLAIN)
    assert not any(kind in PLAIN for kind in CHANGES)
    assert not lies_open(EventKind.SEAL_COMPLETED, Result.SUCCESS.value)
    assert not lies_open(EventKind.GRANT_MADE, Result.REFUSED.value)
    assert lies_open(EventKind.GRANT_MADE, Result.SUCCESS.value)

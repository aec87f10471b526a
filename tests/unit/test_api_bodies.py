"""Memory and time that request bodies may take."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from seal_service.api.bodies import SMALL_BODY, BodyBudget
from seal_service.api.problems import DoorRefusal

LARGE = 1 << 40


def test_bodies_share_a_budget_and_give_it_back() -> None:
    budget = BodyBudget(1000)
    first, second = budget.body(), budget.body()
    first.hold(SMALL_BODY + 900, LARGE, public=False)
    second.hold(SMALL_BODY + 100, LARGE, public=False)
    with pytest.raises(DoorRefusal) as refused:
        second.hold(1, LARGE, public=False)
    assert (refused.value.code, refused.value.status_code) == ("overloaded", 503)
    assert (refused.value.headers or {})["Retry-After"] == "5"
    first.release()
    second.hold(800, LARGE, public=False)
    second.release()
    assert (budget.held, budget.held_by_public) == (0, 0)


def test_callers_without_an_account_leave_half_of_the_budget_to_the_others() -> None:
    budget = BodyBudget(1000)
    budget.body().hold(SMALL_BODY + 500, LARGE, public=True)
    with pytest.raises(DoorRefusal):
        budget.body().hold(SMALL_BODY + 1, LARGE, public=True)
    budget.body().hold(SMALL_BODY + 500, LARGE, public=False)
    with pytest.raises(DoorRefusal):
        budget.body().hold(SMALL_BODY + 1, LARGE, public=False)


def test_a_small_body_passes_whatever_uploads_hold() -> None:
    budget = BodyBudget(0)
    budget.body().hold(SMALL_BODY, SMALL_BODY, public=True)
    with pytest.raises(DoorRefusal) as refused:
        budget.body().hold(SMALL_BODY + 1, SMALL_BODY, public=True)
    assert refused.value.code == "content-too-large"


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 100_000)), max_size=40))
def test_what_is_counted_never_exceeds_the_budget_and_always_comes_back(steps: list[tuple[int, int]]) -> None:
    budget = BodyBudget(200_000)
    bodies = [budget.body() for _ in range(4)]
    for number, length in steps:
        try:
            bodies[number].hold(length, LARGE, public=number % 2 == 0)
        except DoorRefusal:
            bodies[number].release()
            bodies[number] = budget.body()
        assert 0 <= budget.held_by_public <= budget.held <= budget.limit
        assert budget.held_by_public <= budget.limit // 2
    for one in bodies:
        one.release()
    assert (budget.held, budget.held_by_public) == (0, 0)


def test_a_body_that_trickles_in_is_given_up_at_its_deadline() -> None:
    """The deadline is the whole body's: a byte now and then does not put it off."""

    async def trickling() -> Message:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def read(pieces: list[Message]) -> None:
        body = BodyBudget(1000, seconds=0.1).body()
        while len(pieces) < 50:
            pieces.append(await body.next(trickling))

    came: list[Message] = []
    with pytest.raises(DoorRefusal) as refused:
        asyncio.run(read(came))
    assert (refused.value.code, refused.value.status_code) == ("request-timeout", 408)
    assert 1 <= len(came) < 10

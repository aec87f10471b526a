"""What was found lately is told again: however many ask, one looks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from seal_service.api.lately import LatelyFound


class Hands:
    """A monotonic clock that is moved by hand."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_one_of_many_looks_and_all_are_told() -> None:
    lately, together, looks = LatelyFound[int](1.0, Hands()), Barrier(8), []

    def ask(_number: int) -> int:
        together.wait(10)
        return lately.found(lambda: looks.append(1) or len(looks))  # type: ignore[func-returns-value]

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ask, range(8))) == {1}
    assert len(looks) == 1


def test_after_its_time_it_is_looked_for_again_and_a_failure_is_not_kept() -> None:
    hands = Hands()
    lately = LatelyFound[str](1.0, hands)
    assert lately.found(lambda: "first") == "first"
    hands.seconds += 0.9
    assert lately.found(lambda: "second") == "first"
    hands.seconds += 0.1

    def fail() -> str:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        lately.found(fail)
    assert lately.found(lambda: "third") == "third"

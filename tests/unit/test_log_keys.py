"""日志密钥更替: which key signs which tree, as the log's entries say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_service.domain.errors import LogDamaged
from seal_service.domain.events import Scalar
from seal_service.domain.key_use import KeyState, KeyUse, key_state, log_key_state, reasons_to_keep
from seal_service.domain.log_keys import FIRST, LogKeyPeriod, log_key_number, log_key_reference, period_of
from seal_service.domain.publication import SignedTree
from seal_service.formats import canonical
from seal_service.formats.log_keys import closing_entry, closing_facts, log_key_periods, opening_facts
from tests.storage_samples import NOW

ORIGIN = "seal.example/log"


def key(number: int) -> str:
    return f"{ORIGIN}+0000000{number}+key"


def entry(kind: str, facts: dict[str, Scalar], entry_id: str = "e") -> bytes:
    return canonical.encode({"kind": kind, "id": entry_id, "at": "2026-11-29T00:00:00.000Z", "facts": facts})


def opening(number: int, above: int, **changes: Scalar) -> bytes:
    """That the key of a number follows the one before."""
    before = LogKeyPeriod(number=number - 1, verifier_key=None, above=-1)
    tree = SignedTree(size=above, root=bytes(32))
    return entry("log.open", opening_facts(ORIGIN, before, key(number - 1), key(number), tree) | changes)


BEGINNING = entry("log.open", {"origin": ORIGIN})


@given(st.lists(st.integers(1, 1 << 40), unique=True, max_size=6).map(sorted), st.integers(0, 1 << 41))
def test_every_tree_has_one_key_and_later_trees_none_that_ended(sizes: list[int], size: int) -> None:
    periods = log_key_periods([BEGINNING, *(opening(number, above) for number, above in enumerate(sizes, 2))])
    assert [one.number for one in periods] == list(range(1, len(sizes) + 2))
    assert [one.verifier_key for one in periods] == [key(one) if sizes else None for one in range(1, len(sizes) + 2)]
    assert [one.above for one in periods[1:]] == sizes
    assert period_of(periods, size).number == 1 + sum(above < size for above in sizes)


def test_without_any_entry_there_is_the_first_key() -> None:
    assert log_key_periods([]) == log_key_periods([BEGINNING]) == (FIRST,)
    assert period_of([FIRST], 0) is FIRST


def test_a_key_may_end_before_it_signed_anything() -> None:
    periods = log_key_periods([opening(2, 5), opening(3, 5)])
    assert [period_of(periods, size).number for size in (5, 6)] == [1, 3]


@pytest.mark.parametrize(
    "entries",
    [
        [opening(3, 5)],
        [opening(2, 5), opening(2, 6)],
        [opening(2, 5), opening(3, 4)],
        [opening(2, 5), opening(3, 6, previous_key="another")],
        [opening(2, 5, verifier_key=7)],
        [opening(2, 5, previous_size="5")],
        [opening(2, 5, key_number="2")],
    ],
)
def test_keys_that_do_not_follow_one_another_are_refused(entries: list[bytes]) -> None:
    with pytest.raises(LogDamaged):
        log_key_periods(entries)


def test_the_entry_that_closes_for_a_key_is_found_by_that_key() -> None:
    def closing(next_key: str, entry_id: str) -> bytes:
        return entry("log.close", closing_facts(ORIGIN, FIRST, key(1), next_key), entry_id)

    entries = [BEGINNING, closing(key(2), "a"), closing(key(3), "b"), closing(key(3), "c"), opening(2, 5)]
    assert closing_entry(entries, key(2)) == "a"
    assert closing_entry(entries, key(3)) == "c"
    assert closing_entry(entries, key(4)) is None


@given(st.integers(1, 10_000))
def test_a_key_is_kept_under_its_number(number: int) -> None:
    assert log_key_number(log_key_reference(number)) == number


@pytest.mark.parametrize(
    "reference", ["log-1", "log-0", "log-02", "log-", "log-x", "log-²", "log2", "logs-2", "filing", "x-log-2", ""]
)
def test_other_references_are_none_of_the_logs(reference: str) -> None:
    assert log_key_number(reference) is None


def test_only_a_key_that_ended_may_go() -> None:
    periods = log_key_periods([opening(2, 5)])
    states = {one: log_key_state(one, periods) for one in ("log", "log-2", "log-3", "filing")}
    assert states == {
        "log": KeyState.SUPERSEDED,
        "log-2": KeyState.SIGNS,
        "log-3": KeyState.PENDING,
        "filing": None,
    }
    for reference, state in states.items():
        if state is not None:
            use = KeyUse(reference=reference, log_key=state)
            assert key_state(use, NOW) is state
            assert bool(reasons_to_keep(use, NOW)) is (state is not KeyState.SUPERSEDED)

"""防重放: what may be shown once is accepted once, on every engine, by any number of processes at once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from seal_service.ports.machines import ReplayGuard
from seal_service.storage.replay import FileReplayGuard, SqlReplayGuard, replay_guard
from seal_service.testing.machine_records import MemoryReplayGuard
from tests.engines import lent
from tests.storage_samples import NOW

UNTIL = NOW + timedelta(minutes=1)
Guards = tuple[ReplayGuard, ReplayGuard]


def once(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


@pytest.fixture(params=["sqlite", "postgresql", "fake"])
def guards(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Guards]:
    """Two guards over the same place, as two processes have them."""
    if request.param == "fake":
        fake = MemoryReplayGuard()
        yield fake, fake
        return
    with lent(request.param, tmp_path) as database:
        made = replay_guard(database, tmp_path / "proofs"), replay_guard(database, tmp_path / "proofs")
        expected = SqlReplayGuard if request.param == "postgresql" else FileReplayGuard
        assert all(isinstance(one, expected) for one in made)
        yield made


def test_what_was_shown_is_refused_by_every_process_as_long_as_it_counts(guards: Guards) -> None:
    first, second = guards
    assert first.is_first(once("a"), UNTIL, NOW)
    assert not first.is_first(once("a"), UNTIL, NOW)
    assert not second.is_first(once("a"), UNTIL, UNTIL - timedelta(seconds=1))
    assert second.is_first(once("b"), UNTIL, NOW)


def test_of_many_at_once_exactly_one_is_the_first(guards: Guards) -> None:
    for number in range(20):
        won: list[bool] = []
        start = threading.Barrier(8)

        def show(guard: ReplayGuard, name: str, start: threading.Barrier = start, won: list[bool] = won) -> None:
            start.wait()
            won.append(guard.is_first(once(name), UNTIL, NOW))

        threads = [threading.Thread(target=show, args=(guards[one % 2], f"race-{number}")) for one in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(won) == [False] * 7 + [True]


def test_what_no_longer_counts_is_forgotten(tmp_path: Path) -> None:
    guard = FileReplayGuard(tmp_path)
    assert guard.is_first(once("a"), UNTIL, NOW)
    assert len(list(tmp_path.rglob(once("a")))) == 1
    assert guard.is_first(once("b"), UNTIL + timedelta(minutes=5), NOW + timedelta(minutes=5))
    assert list(tmp_path.rglob(once("a"))) == []


def test_rows_that_no_longer_count_are_removed(tmp_path: Path) -> None:
    with lent("postgresql", tmp_path) as database:
        guard = SqlReplayGuard(database)
        assert guard.is_first(once("a"), UNTIL, NOW)
        assert guard.is_first(once("b"), UNTIL + timedelta(minutes=5), NOW + timedelta(minutes=5))
        with database.reader.connect() as connection:
            assert connection.exec_driver_sql("SELECT once FROM presented_proof").scalars().all() == [once("b")]


@pytest.mark.parametrize("name", ["", "../../etc", "A" * 64, "0" * 63 + "/"])
def test_a_name_that_is_no_digest_makes_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal"):
        FileReplayGuard(tmp_path).is_first(name, UNTIL, NOW)

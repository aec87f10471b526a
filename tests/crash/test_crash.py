"""A short `make crash`: the harness works, and finds nothing; and it does find what is wrong."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.crash.drill import POSTGRESQL, SQLITE, Drill
from tests.crash.invariants import settled
from tests.crash.scene import scene, template
from tests.crash.syscalls import API, PUBLISHER, RELAY_SENDING, SEQUENCER
from tests.crash.tracing import can_trace
from tests.crash.victims import Zygote, zygote
from tests.postgresql import cluster
from tests.provincial_registry import ProvincialRegistry, provincial_registry

pytestmark = pytest.mark.slow

ROUNDS = 25
STANDBY_ROUNDS = 4
SEED = 6


@pytest.fixture(scope="module")
def forking() -> Iterator[Zygote]:
    with zygote() as made:
        yield made


@pytest.fixture(scope="module")
def registry() -> Iterator[ProvincialRegistry]:
    with provincial_registry() as served:
        yield served


@pytest.fixture
def drill(request: pytest.FixtureRequest, tmp_path: Path, forking: Zygote, registry: ProvincialRegistry) -> Drill:
    return Drill(request.param, tmp_path, forking, registry, random.Random(SEED), print)


@pytest.mark.parametrize("drill", [SQLITE, POSTGRESQL], indirect=True)
def test_what_is_killed_at_random_moments_breaks_no_invariant(drill: Drill) -> None:
    """Released ⇒ logged, once, and filed; 25 rounds of the 1,000 of `make crash`."""
    drill.killed(cluster() if drill.engine == POSTGRESQL else None, ROUNDS)
    assert drill.report.found == []
    assert drill.report.rounds.total() == ROUNDS
    assert drill.report.released >= ROUNDS


@pytest.mark.parametrize("drill", [SQLITE], indirect=True)
def test_what_fails_or_is_killed_at_a_system_call_breaks_no_invariant(drill: Drill) -> None:
    """A few of the kill points; which ones, `--every` of `make crash` chooses alike."""
    if not can_trace():
        pytest.skip("strace is not installed, or may not trace here")
    drill.injected(None, 61, [API, SEQUENCER, PUBLISHER, RELAY_SENDING])
    assert drill.report.found == []
    assert drill.report.points.total() > drill.report.missed


@pytest.mark.parametrize("drill", [SQLITE, POSTGRESQL], indirect=True)
def test_an_old_backup_seals_and_publishes_nothing(drill: Drill) -> None:
    """The guard, which was not restored with it, remembers more."""
    drill.restored(cluster() if drill.engine == POSTGRESQL else None)
    assert drill.report.found == []


@pytest.mark.parametrize("drill", [POSTGRESQL], indirect=True)
def test_what_is_released_is_on_the_second_machine_when_the_first_is_lost(drill: Drill) -> None:
    """Waits cancelled, the standby gone, then promoted."""
    drill.replicated(STANDBY_ROUNDS)
    assert drill.report.found == []
    assert drill.report.rounds.total() == STANDBY_ROUNDS


def test_a_document_that_the_log_lost_is_found(tmp_path: Path, forking: Zygote, registry: ProvincialRegistry) -> None:
    """The judge is judged: an entry and a use that are gone, and a second document under one key, are violations."""
    made = template(tmp_path, None)
    with scene(made, tmp_path / "copy", None, registry, forking, ()) as opened:
        opened.started("serve")
        lost, doubled = opened.key(), opened.key()
        for key in (lost, doubled):
            opened.caller().use(key)
        assert settled(opened) == []
        opened.ledger.receive(doubled, b"another document")
        opened.processes["serve"].kill()
        _forget(opened.settings.database_address, lost)
        found = settled(opened)
    assert any("of which the database knows nothing" in one for one in found)
    assert any("2 documents were released" in one for one in found)
    assert any(one.startswith(("COUNTER", "INTENT")) for one in found)


def _forget(address: str, key: str) -> None:
    """As someone would who may write the file itself."""
    from sqlalchemy import create_engine

    engine = create_engine(address)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM seal_use WHERE idempotency_key = :key"), {"key": key})
    engine.dispose()

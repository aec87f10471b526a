"""就绪检查 on PostgreSQL: the server's clock, what a commit is worth there, and a server that is gone."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

from seal_service.bootstrap import Service
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.readiness import Dependency
from seal_service.jobs.maintenance import MACHINE
from seal_service.testing import ChangeableClock
from seal_service.usecases.check_readiness import CheckReadiness
from seal_service.usecases.observe import Observe
from seal_service.usecases.reconcile import Reconcile
from tests.instance import Instance
from tests.live import ShiftedClock
from tests.postgresql import Cluster, postgresql_settings


class RunningClock(ShiftedClock, ChangeableClock):
    """The machine's time, put forward."""


def judged(service: Service) -> dict[str, Dependency]:
    return {one.name: one for one in service.check_readiness(PUBLIC_CALLER, CheckReadiness())}


def unready(service: Service) -> set[str]:
    return {name for name, one in judged(service).items() if not one.ready}


def test_readiness_is_told_quickly_and_the_servers_clock_is_compared(tmp_path: Path) -> None:
    city = Instance(tmp_path / "var", RunningClock(), postgresql_settings())
    city.service.reconcile(MACHINE, Reconcile())
    assert city.service.observe(MACHINE, Observe()).well
    assert unready(city.service) == set()
    assert "PostgreSQL" in judged(city.service)["database"].detail
    took = []
    for _ in range(20):
        started = time.perf_counter()
        judged(city.service)
        took.append(time.perf_counter() - started)
    assert min(took) < 0.1
    city.clock.forward(timedelta(seconds=3))
    assert unready(city.service) == set()
    city.clock.forward(timedelta(seconds=3))
    clock = judged(city.service)["clock"]
    assert (clock.ready, "from the database's" in clock.detail) == (False, True)
    city.clock.forward(-timedelta(seconds=12))
    assert "clock" in unready(city.service)
    city.service.close()


def test_a_server_whose_commits_may_be_lost_and_one_that_is_gone(tmp_path: Path) -> None:
    """released ⇒ logged: where a commit does not survive a loss of power, no seal is worth its entry."""
    cluster = Cluster({"fsync": "off"})
    try:
        addresses = cluster.create("instance")
        city = Instance(tmp_path / "var", RunningClock(), addresses.settings)
        assert unready(city.service) == {"database"}
        assert "fsync" in judged(city.service)["database"].detail
    finally:
        cluster.stop()
    told = judged(city.service)
    assert set(told) == {"database"}, "nothing else can be told"
    assert not told["database"].ready
    assert cluster.password not in told["database"].detail
    city.service.close()

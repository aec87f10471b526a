"""Synchronous replication: the standby gone, waits for it cancelled, the first machine lost for good."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event

from tests.crash.caller import Outcome
from tests.crash.invariants import settled
from tests.crash.report import Report
from tests.crash.rounds import CALLERS, TASKS, USES_EACH, uses, work
from tests.crash.scene import Scene
from tests.crash.syscalls import SERVE
from tests.postgresql import Addresses, Cluster

NAME = "standby"
_AWAY_SECONDS = 0.4
_SETTLING_SECONDS = 30.0
_LOCAL = "-c synchronous_commit=local"
"""For a superuser's own statements, which wait for no standby."""


@dataclass
class Standby(Cluster):
    """A second server that follows a first one, and that its commits wait for."""

    primary: Cluster | None = None

    def _initialise(self) -> None:
        assert self.primary is not None
        self.password = self.primary.password
        slot = f"{NAME}_{self.primary.port}_{time.monotonic_ns()}"
        conninfo = f"host=127.0.0.1 port={self.primary.port} user=postgres application_name={NAME}"
        how = f"--wal-method=stream --checkpoint=fast --no-sync --write-recovery-conf --create-slot --slot={slot}"
        command = f"{self.programs}/pg_basebackup -D {self.directory}/data -d '{conninfo}' {how}"
        made = subprocess.run(
            [*self._as_user(), "env", f"PGPASSWORD={self.password}", "sh", "-c", command],
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert made.returncode == 0, made.stdout + made.stderr

    def _make_roles(self) -> None:
        """They came with everything else."""

    def promote(self) -> None:
        """Become the first server."""
        with self.superuser() as connection:
            connection.execute("SELECT pg_promote(true, 30)")


@contextmanager
def replicated() -> Iterator[Cluster]:
    """A server that may get a standby."""
    cluster = Cluster({"max_wal_senders": "10", "max_replication_slots": "50", "wal_sender_timeout": "2s"})
    try:
        yield cluster
    finally:
        cluster.stop()


@dataclass
class ReplicatedRounds:
    """Rounds in which one of two machines goes."""

    scene: Scene
    report: Report
    chance: random.Random

    def __post_init__(self) -> None:
        assert self.scene.cluster is not None
        self.primary = self.scene.cluster
        self.retired: list[Cluster] = []
        self._follow()

    @property
    def kinds(self) -> dict[str, Callable[[], None]]:
        """What may happen, and how."""
        return {
            "waits for the standby cancelled": self._cancel_waits,
            "standby gone, waits cancelled, standby back": self._standby_away,
            "first machine lost, standby promoted": self._fail_over,
            "standby gone, waits cancelled, first machine lost, standby promoted": self._lose_both,
        }

    def run(self, kind: str | None = None) -> None:
        """One round."""
        name = kind or self.chance.choice(sorted(self.kinds))
        self._revive()
        with ThreadPoolExecutor(CALLERS + len(TASKS)) as threads:
            keys = [[self.scene.key() for _ in range(USES_EACH)] for _ in range(CALLERS)]
            callers = [self.scene.caller(number) for number in range(CALLERS)]
            using = [threads.submit(uses, caller, own) for caller, own in zip(callers, keys, strict=True)]
            struck = Event()
            working = [threads.submit(work, self.scene, task, using, struck) for task in TASKS]
            time.sleep(self.chance.uniform(0, 0.1))
            self.kinds[name]()
            struck.set()
            while wait(using, 0.01).not_done:
                self._revive()
            for one in (*using, *working):
                one.result()
        self._revive()
        self.report.rounds[name] += 1
        violations = settled(self.scene)
        if self.scene.caller().use(self.scene.key()) is not Outcome.RELEASED:
            violations.append("nothing is sealed any more")
        self.report.violations(f"round {self.report.rounds.total()}, {name}", violations)

    def _revive(self) -> None:
        for role in (SERVE, *TASKS):
            self.scene.living(role)

    def close(self) -> None:
        """End the servers that were started here; the first one stays as it was found."""
        self._wait_for_nobody()
        for one in (self.standby, *self.retired):
            one.stop()

    def _follow(self) -> None:
        """A fresh standby of the first machine; commits wait for it from now on."""
        self.standby = Standby({"hot_standby": "on", **self.primary.settings}, primary=self.primary)
        with self.primary.superuser(options=_LOCAL) as connection:
            connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{NAME}'")
            connection.execute("SELECT pg_reload_conf()")
        self._until_followed()

    def _until_followed(self) -> None:
        until = time.monotonic() + _SETTLING_SECONDS
        asked = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'"
        with self.primary.superuser(options=_LOCAL) as connection:
            while connection.execute(asked).fetchone() != (1,):
                assert time.monotonic() < until, "the standby does not follow"
                time.sleep(0.02)

    def _wait_for_nobody(self) -> None:
        with self.primary.superuser(options=_LOCAL) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
            connection.execute("SELECT pg_reload_conf()")

    def _cancel_waits(self) -> None:
        """For a while, nobody who waits for the standby is let wait."""
        until = time.monotonic() + _AWAY_SECONDS
        how = self.chance.choice(["pg_cancel_backend", "pg_terminate_backend"])
        asked = (
            f"SELECT {how}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND backend_type = 'client backend'"
        )
        with self.primary.superuser(options=_LOCAL) as connection:
            while time.monotonic() < until:
                connection.execute(asked)

    def _standby_away(self) -> None:
        self.standby.crash()
        self._cancel_waits()
        self.standby.revive()
        self._until_followed()

    def _fail_over(self) -> None:
        self.primary.crash()
        self._promote()

    def _lose_both(self) -> None:
        self.standby.crash()
        self._cancel_waits()
        self.primary.crash()
        self.standby.revive()
        self._promote()

    def _promote(self) -> None:
        """The second machine is the first now, gets a standby of its own, and the service is told where it is."""
        standby = self.standby
        standby.promote()
        self.retired.append(self.primary)
        self.primary = self.scene.cluster = standby
        self._follow()
        there = self.scene.addresses
        assert isinstance(there, Addresses)
        self.scene.addresses = standby.addresses(there.url.rpartition("/")[2])
        for victim in self.scene.processes.values():
            victim.kill()

"""A backup under load and its restore elsewhere, for tests of both."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from seal_service.bootstrap import Service, build, restoring
from seal_service.config import Settings
from seal_service.domain.access import PUBLIC_CALLER
from seal_service.domain.backup import Backup
from seal_service.domain.use import SignatureLevel
from seal_service.ports.system import Clock
from seal_service.usecases.apply_seal import AppliedSeal
from seal_service.usecases.authenticate import ClientSecret
from seal_service.usecases.back_up import BackUp
from seal_service.usecases.reset_password import ResetPassword
from seal_service.usecases.sign_in import SignIn
from seal_service.usecases.signing_in import SignedIn
from tests.instance import RealOffice, blank_pdf
from tests.postgresql import empty_database, postgresql_settings

THREADS = 4
ENGINES = ("sqlite", "postgresql")


def office_on(engine: str, root: Path) -> RealOffice:
    """An instance on an engine; the test is skipped where that is not installed."""
    return RealOffice(root / "instance", changes={} if engine == "sqlite" else postgresql_settings())


@dataclass
class Load:
    """Threads that apply the seal until they are told to stop."""

    office: RealOffice
    released: list[AppliedSeal] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._some = threading.Semaphore(0)
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(THREADS)]

    def _work(self, number: int) -> None:
        count = 0
        while not self._stop.is_set():
            count += 1
            try:
                content = blank_pdf(mark=f"{number}.{count}")
                self.released.append(self.office.use(f"load-{number}-{count}", content, SignatureLevel.B_T))
            except Exception as error:
                self.failures.append(error)
                return
            finally:
                self._some.release()

    def wait_for(self, count: int) -> None:
        """Until so many more uses have ended."""
        for _ in range(count):
            assert self._some.acquire(timeout=60)

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join(60)
        assert self.failures == []


@dataclass
class Drill:
    """What the drill left: the instance, its backup, the instance that was restored from it."""

    office: RealOffice
    directory: Path
    backup: Backup
    before: list[AppliedSeal]
    during: list[AppliedSeal]
    settings: Settings
    service: Service
    session: str
    """The token of a session that was open when the backup was made."""

    @property
    def path(self) -> Path:
        return self.directory / self.backup.name


def restore(
    settings: Settings, backup: Path, people: tuple[ClientSecret, ...] = (), clock: Clock | None = None
) -> Backup:
    """Restore a backup, by the people who are named."""
    with restoring(settings, backup, people=people, clock=clock) as act:
        return act()


def examine(settings: Settings, backup: Path) -> Backup:
    """What a restore would do first."""
    with restoring(settings, backup) as act:
        return act.examine()


def place(office: RealOffice, root: Path) -> Settings:
    """Settings of an empty place on the instance's engine, with its master key and nothing else."""
    keys = root / "keys"
    keys.mkdir(parents=True, mode=0o700)
    (keys / "master.key").write_bytes((office.settings.key_directory / "master.key").read_bytes())
    (keys / "master.key").chmod(0o600)
    changes: dict[str, Any] = {}
    if office.settings.database_url is not None:
        changes = empty_database("place").settings
    return Settings(home=root / "home", keys=keys, **changes)


def signed_in(office: RealOffice) -> str:
    """The unit's administrator signs in: the session's token."""
    given = office.service.people.reset_password(
        office.security, ResetPassword(account_id=office.keeper.identity, login_name="keeper")
    )
    answer = office.service.people.sign_in(PUBLIC_CALLER, SignIn(account="keeper", password=given.password))
    assert isinstance(answer, SignedIn)
    return answer.token


def drill(office: RealOffice, root: Path) -> Drill:
    """Back up while four threads seal, restore elsewhere with the same master key alone."""
    load = Load(office)
    directory = root / "backups"
    directory.mkdir()
    session = signed_in(office)
    with load.running():
        load.wait_for(6)
        before = list(load.released)
        backup = office.service.back_up(office.operator, BackUp(directory=directory, with_keys=True))
        load.wait_for(6)
    settings = place(office, root / "restored")
    office.clock.forward(timedelta(minutes=1))
    restore(settings, directory / backup.name, office.people, office.clock)
    service = build(settings, clock=office.clock)
    return Drill(office, directory, backup, before, load.released[len(before) :], settings, service, session)

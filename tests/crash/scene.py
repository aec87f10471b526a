"""An instance with its callers, its registry and its processes, which are killed and started again."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from seal_service.bootstrap import Service, build
from seal_service.config import Settings
from seal_service.domain.access import Caller as Account
from seal_service.domain.access import Role
from seal_service.storage.engine import open_database
from seal_service.usecases.control_act import DecideControlledAct
from seal_service.usecases.create_account import CreateAccount
from seal_service.usecases.grant_use import GrantUse
from seal_service.usecases.initialise_log import InitialiseLog
from seal_service.usecases.make_filing_key import MakeFilingKey
from tests.crash.caller import Caller, Ledger
from tests.crash.quick import SIDE_MM, small_picture
from tests.crash.seen import Seen
from tests.crash.victims import SECONDS, Victim, Zygote
from tests.crash.zygote import ALL
from tests.instance import RealOffice
from tests.postgresql import Addresses, Cluster
from tests.provincial_registry import SYSTEM_ID, ProvincialRegistry
from tests.quick_instances import quick_hashes

MACHINE = Account(account_id=None, name="maintenance", roles=frozenset({Role.SYSTEM_OPERATOR}))


@dataclass(frozen=True)
class Template:
    """A ready instance that is copied: its files, its database, who may call."""

    home: Path
    database: str | None
    """Name of a PostgreSQL database."""
    seal_code: str
    credentials: tuple[str, str]
    report_key: bytes


def template(directory: Path, cluster: Cluster | None) -> Template:
    """Found an instance with an office, a seal, a grant and a key for what is filed."""
    addresses = cluster.create("crash") if cluster else None
    if addresses:
        _migrate(addresses.url, addresses.owner_url)
    changes = {**(addresses.settings if addresses else {}), "log_guard": guard_of(directory / "template")}
    with quick_hashes():
        office = RealOffice(directory / "template", changes=changes, picture=small_picture(), side_mm=SIDE_MM)
        return _furnished(office, addresses.url.rpartition("/")[2] if addresses else None)


def _furnished(office: RealOffice, database: str | None) -> Template:
    try:
        made = office.service.create_account(
            office.security,
            CreateAccount(name="故障演练系统", roles=(Role.BUSINESS_SYSTEM,), unit_id=office.holder.id),
        )
        confirmed = DecideControlledAct(request_id=made.request_id, confirmed=True)
        office.service.decide_controlled_act(office.second, confirmed)
        grant = GrantUse(
            seal_code=office.made.code,
            grantee_id=made.account.id,
            scenario="permit",
            responsible_person="样某",
            approval_number="示例〔2026〕2号",
        )
        office.service.grant_use(office.keeper, grant)
        office.service.transparency.initialise(MACHINE, InitialiseLog())
        report_key = office.service.filing.make_key(office.operator, MakeFilingKey()).public_key_info
    finally:
        office.service.close()
    return Template(office.home, database, office.made.code, (made.account.id, made.secret), report_key)


def guard_of(home: Path) -> Path:
    """Where the log's guard of an instance is: beside it, never restored with it."""
    return home.with_name(f"{home.name}-guard")


def _migrate(url: str, owner_url: str) -> None:
    from seal_service.storage.schema import upgrade

    database = open_database(url, owner_url)
    upgrade(database)
    database.close()


@dataclass
class Scene:
    """A copy of the template, its processes and everything that its callers were ever given."""

    template: Template
    home: Path
    cluster: Cluster | None
    registry: ProvincialRegistry
    zygote: Zygote
    ledger: Ledger = field(default_factory=Ledger)
    processes: dict[str, Victim] = field(default_factory=dict)
    checkpoints: dict[int, bytes] = field(default_factory=dict)
    """Size → root of every checkpoint that was ever seen."""
    served_tasks: Sequence[str] = (ALL,)
    """What `seal serve` does beside serving."""
    seen: Seen = field(default_factory=Seen)
    looks: int = 0
    """How often it was judged."""

    def __post_init__(self) -> None:
        shutil.copytree(self.template.home, self.home)
        shutil.copytree(guard_of(self.template.home), self.guard)
        addresses = None
        if self.cluster is not None:
            addresses = self.cluster.create("crash", self.template.database)
        self.addresses = addresses
        self._settings: tuple[Addresses | None, Settings] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.callers: list[Caller] = []
        self.number = 0

    @property
    def values(self) -> Mapping[str, Any]:
        """Settings of the instance."""
        return {
            "home": self.home,
            "keys": self.home / "keys",
            "requests_per_minute": 10**7,
            "worker_threads": 2,
            "token_seconds": 3600,
            "disk_reserve_bytes": 0,
            "log_guard": self.guard,
            "filing_url": self.registry.url,
            "filing_system_id": SYSTEM_ID,
            "network_timeout_seconds": 2.0,
            **(self.addresses.settings if self.addresses else {}),
        }

    @property
    def settings(self) -> Settings:
        """The same, for a service in this process: kept, since they take as long to read as a round's rows."""
        if self._settings is None or self._settings[0] != self.addresses:
            self._settings = self.addresses, Settings(**self.values)
        return self._settings[1]

    @property
    def environment(self) -> dict[str, str]:
        """The same, as the environment of a process."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SEAL_")}
        return inherited | {f"SEAL_{name.upper()}": str(value) for name, value in self.values.items()}

    @property
    def guard(self) -> Path:
        """Where the log's guard is."""
        return guard_of(self.home)

    @property
    def log(self) -> Path:
        """Where the log is published."""
        return self.home / "log"

    @property
    def output(self) -> Path:
        """What the processes wrote."""
        return self.home.with_suffix(".log")

    def started(self, role: str) -> Victim:
        """A process that is ready: `serve`, or the name of a task."""
        if role in self.processes:
            self.processes[role].kill()
        arguments = ["serve", "--port", str(self.port)]
        victim = self.zygote.fork(role, self.environment, self.output, arguments, self.served_tasks)
        if role != "serve":
            self.processes[role] = victim.begun()  # others may see it now
            return victim
        victim.go()
        until = time.monotonic() + SECONDS
        while not self._answers():
            if not victim.alive or time.monotonic() > until:
                raise AssertionError(f"seal serve does not start:\n{self.last_words()}")
            time.sleep(0.01)
        self.processes[role] = victim
        return victim

    def living(self, role: str) -> Victim:
        """The process, started again if it died."""
        there = self.processes.get(role)
        return there if there is not None and there.alive else self.started(role)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def last_words(self) -> str:
        """The end of what the processes wrote."""
        return "\n".join(self.output.read_text().splitlines()[-30:])

    def caller(self, number: int = 0) -> Caller:
        """One of the callers."""
        while len(self.callers) <= number:
            url = f"http://127.0.0.1:{self.port}"
            self.callers.append(Caller(url, self.template.seal_code, self.template.credentials, self.ledger))
        return self.callers[number]

    def use_with(self, key: str, revived: Callable[[], object]) -> None:
        """A use, while whatever dies is started again."""
        with ThreadPoolExecutor(1) as thread:
            using = thread.submit(self.caller().use, key)
            while not using.done():
                revived()
                wait([using], 0.01)
            using.result()

    def key(self) -> str:
        """A key that was never used."""
        self.number += 1
        return f"key-{self.number}"

    @contextmanager
    def service(self) -> Iterator[Service]:
        """The service in this process, as one that was not there."""
        with quick_hashes():
            service = build(self.settings)
        try:
            yield service
        finally:
            service.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The database, read by nobody else's means than SQL."""
        database = open_database(self.settings.database_address)
        try:
            with database.reader.connect() as connection:
                yield connection
        finally:
            database.close()

    def close(self) -> None:
        """End the processes and remove what they worked on."""
        for caller in self.callers:
            caller.close()
        for victim in self.processes.values():
            victim.kill()
        if self.cluster is not None and self.addresses is not None:
            self.cluster.drop(self.addresses)
        for one in (self.home, self.guard):
            shutil.rmtree(one, ignore_errors=True)


@contextmanager
def scene(
    made: Template,
    home: Path,
    cluster: Cluster | None,
    registry: ProvincialRegistry,
    zygote: Zygote,
    served_tasks: Sequence[str] = (ALL,),
) -> Iterator[Scene]:
    """A fresh copy, until the block ends; the registry knows nothing of an earlier one."""
    registry.lose_everything()
    registry.arrivals.clear()
    registry.public_key_info = made.report_key
    opened = Scene(made, home, cluster, registry, zygote, served_tasks=served_tasks)
    try:
        yield opened
    finally:
        opened.close()

"""A private PostgreSQL cluster from Debian's binaries: started once a test process, gone when the process ends."""

from __future__ import annotations

import atexit
import functools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

OWNER = "seal_owner"
APPLICATION = "seal_application"
_SUPERUSER = "postgres"
_PREFIX = "seal-postgresql-"
_START_SECONDS = 60
_ROOM_NEEDED = 2 << 30
_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "32MB",
    "min_wal_size": "8MB",
    "dynamic_shared_memory_type": "mmap",  # in its directory: nothing stays of a server that is killed
    "listen_addresses": "127.0.0.1",
    "password_encryption": "scram-sha-256",
}


def programs() -> Path | None:
    """The newest PostgreSQL's directory of programs, which Debian keeps off the PATH; None: not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@dataclass(frozen=True)
class Addresses:
    """The two addresses of one database."""

    url: str
    owner_url: str

    @property
    def settings(self) -> dict[str, object]:
        """As settings of an instance."""
        return {"database_url": self.url, "database_owner_url": self.owner_url}


@dataclass
class Cluster:
    """A running server with an owner's and an application's role, each with its password."""

    settings: dict[str, str] = field(default_factory=dict)
    """Of postgresql.conf, beyond the defaults here."""
    place: Path | None = None
    """Where its files go; None: into memory, where that is roomy, for which no commit waits."""
    port: int = field(init=False, default=0)
    directory: Path = field(init=False)
    password: str = field(init=False, default_factory=lambda: secrets.token_hex(12))

    def __post_init__(self) -> None:
        found = programs()
        if found is None:
            pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
        self.programs = found
        place = self.place or _roomy_place()
        _remove_left_behind(place)
        self.directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place))
        self._user = "postgres" if _user_exists("postgres") else "nobody"
        if os.getuid() == 0:
            shutil.chown(self.directory, self._user)
        self._server: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)
        try:
            self._initialise()
            self.start()
            self._make_roles()
        except BaseException:
            self.stop()
            raise

    def start(self) -> None:
        """Start the server, the first time on a free port, and wait until it answers."""
        given = " ".join(f"-c {name}={value!r}" for name, value in (_SETTINGS | self.settings).items())
        with (self.directory / "log").open("ab") as log:
            self.port = self.port or _free_port()
            command = (
                f"exec {self.programs}/postgres -D {self.directory}/data -k {self.directory} -p {self.port} {given}"
            )
            # The server goes when this process is killed, too: nobody would be left to stop it.
            self._server = subprocess.Popen(
                [*self._as_user(pdeathsig=True), "sh", "-c", command], cwd=self.directory, stdout=log, stderr=log
            )
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.superuser().close()
                return
            except psycopg.OperationalError:
                if self._server.poll() is not None or time.monotonic() > until:
                    raise AssertionError((self.directory / "log").read_text()) from None
                time.sleep(0.05)

    def crash(self) -> None:
        """Kill the postmaster, as `kill -9`; its other processes find out by themselves."""
        if self._server is not None:
            self._server.kill()
            self._server.wait(_START_SECONDS)

    def kill(self, pid: int) -> None:
        """Kill one of its other processes, as `kill -9`: the postmaster then ends all others and recovers."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def revive(self) -> None:
        """Start the server again, unless it runs; it may have to wait for what is left of the one that was killed."""
        until = time.monotonic() + _START_SECONDS
        while self._server is None or self._server.poll() is not None:
            try:
                self.start()
            except AssertionError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def recovered(self) -> None:
        """Wait until it answers, which it does not while it recovers from what was done to its processes."""
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                return self.superuser().close()
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server and remove its files."""
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)  # fast: sessions are cut
            try:
                self._server.wait(30)
            except subprocess.TimeoutExpired:
                self._server.send_signal(signal.SIGQUIT)
                self._server.wait(30)
        self._server = None
        shutil.rmtree(self.directory, ignore_errors=True)
        atexit.unregister(self.stop)

    def superuser(self, database: str = "postgres", **options: Any) -> psycopg.Connection[Any]:
        """A connection that may do everything, without transaction."""
        return psycopg.connect(self.address(_SUPERUSER, database, "postgresql"), autocommit=True, **options)

    def address(self, role: str, database: str, scheme: str = "postgresql+psycopg") -> str:
        """The URL of a database for a role."""
        return f"{scheme}://{role}:{self.password}@127.0.0.1:{self.port}/{database}"

    def addresses(self, database: str) -> Addresses:
        """The two URLs of a database."""
        return Addresses(url=self.address(APPLICATION, database), owner_url=self.address(OWNER, database))

    def create(self, name: str, template: str | None = None) -> Addresses:
        """A new database of the owner's, empty or like another one; its name begins with `name`."""
        database = f"{name.lower()[:40]}_{secrets.token_hex(6)}"
        make = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}").format(
            sql.Identifier(database), sql.Identifier(OWNER), sql.Identifier(template or "template0")
        )
        with self.superuser() as connection:
            connection.execute(make)
            if template is not None:  # what a migration takes and gives on the database itself is not copied
                for command in (
                    "REVOKE ALL ON DATABASE {} FROM PUBLIC",
                    f"GRANT CONNECT ON DATABASE {{}} TO {APPLICATION}",
                ):
                    connection.execute(sql.SQL(command).format(sql.Identifier(database)))
        return self.addresses(database)

    def drop(self, addresses: Addresses) -> None:
        """Remove a database, whoever is connected."""
        name = sql.Identifier(addresses.url.rpartition("/")[2])
        with self.superuser() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def _initialise(self) -> None:
        password = self.directory / "password"
        password.write_text(self.password)
        if os.getuid() == 0:
            shutil.chown(password, self._user)
        how = f"--username={_SUPERUSER} --pwfile={password} --auth=scram-sha-256 --locale=C.UTF-8 --encoding=UTF8"
        command = f"{self.programs}/initdb --no-sync --wal-segsize=1 {how} {self.directory}/data"
        made = subprocess.run(
            [*self._as_user(), "sh", "-c", command], cwd=self.directory, capture_output=True, text=True, timeout=120
        )
        assert made.returncode == 0, made.stdout + made.stderr
        password.unlink()

    def _make_roles(self) -> None:
        with self.superuser() as connection:
            for role in (OWNER, APPLICATION):
                given = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                connection.execute(given.format(sql.Identifier(role), sql.Literal(self.password)))

    def _as_user(self, *, pdeathsig: bool = False) -> list[str]:
        """PostgreSQL does not run as root."""
        program = shutil.which("setpriv")
        if os.getuid() != 0:
            return [program, "--pdeathsig", "INT"] if program and pdeathsig else []
        if program is None:
            pytest.skip("setpriv is not installed: PostgreSQL does not run as root")
        user = f"--reuid={self._user} --regid={_group_of(self._user)} --clear-groups"
        return [program, *user.split(), *(["--pdeathsig", "INT"] if pdeathsig else [])]


@functools.cache
def cluster() -> Cluster:
    """This process's cluster; the test is skipped where PostgreSQL is not installed."""
    return Cluster()


def empty_database(name: str = "empty") -> Addresses:
    """A new database without schema."""
    return cluster().create(name)


def migrated_database(name: str = "seal") -> Addresses:
    """A new database with the present schema."""
    return cluster().create(name, _template())


@contextmanager
def lent_database(name: str = "seal") -> Iterator[Addresses]:
    """A new database with the present schema, until the block ends."""
    made = migrated_database(name)
    try:
        yield made
    finally:
        cluster().drop(made)


def postgresql_settings(name: str = "instance") -> dict[str, object]:
    """Settings by which an instance has a new PostgreSQL database: `Instance(home, changes=postgresql_settings())`."""
    return migrated_database(name).settings


@functools.cache
def _template() -> str:
    """The name of a migrated database that nobody is connected to."""
    from seal_service.storage.engine import open_database
    from seal_service.storage.schema import upgrade

    made = empty_database("template")
    database = open_database(made.url, made.owner_url)
    upgrade(database)
    database.close()
    return made.url.rpartition("/")[2]


def _roomy_place() -> Path:
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and shutil.disk_usage(shared).free > _ROOM_NEEDED
    return shared if roomy else Path(tempfile.gettempdir())


def _remove_left_behind(place: Path) -> None:
    """Remove what processes that were killed could not; their servers ended with them."""
    for one in place.glob(f"{_PREFIX}*"):
        pid = one.name.removeprefix(_PREFIX).split("-")[0]
        if pid.isdigit() and not Path("/proc", pid).exists() and Path("/proc/self").exists():
            shutil.rmtree(one, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _user_exists(name: str) -> bool:
    import pwd

    return any(one.pw_name == name for one in pwd.getpwall())


def _group_of(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid

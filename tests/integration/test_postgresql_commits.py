"""A commit is believed only when the server says so: waits for a standby that are broken off, connections that die."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

import seal_service.storage.postgresql as storage
from seal_service.domain.authorization import SealingPermit
from seal_service.domain.errors import AlreadyRegistered, OutcomeUnknown, Unavailable
from seal_service.domain.use import IntentReference
from seal_service.domain.verdict import Indication
from seal_service.ports.documents import DocumentSealer, SealedDocument, Upload
from seal_service.storage.engine import Database, open_database
from seal_service.storage.schema import upgrade
from seal_service.storage.unit_of_work import SqlRecords
from tests.instance import RealOffice
from tests.postgresql import Addresses, Cluster, cluster, lent_database
from tests.storage_samples import unit

WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND wait_event = 'SyncRep'"
PATIENCE = 20.0


@pytest.fixture(scope="module")
def waiting_cluster() -> Iterator[Cluster]:
    """A server whose commits wait for a standby that is not there, once `absent` is set."""
    made = Cluster()
    yield made
    made.stop()


@dataclass
class Server:
    """A database on that server, and what its superuser does to it."""

    cluster: Cluster
    addresses: Addresses
    database: Database
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.addresses.url.rpartition("/")[2]

    def ask(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """A question without transaction, by the superuser."""
        options = "-c synchronous_commit=local"  # it waits for no standby
        with closing(self.cluster.superuser(self.name, options=options)) as connection:
            asked = connection.execute(sql, values)
            return asked.fetchall() if asked.description else []

    def standby(self, name: str) -> None:
        """Which standby every commit waits for."""
        self.ask(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        self.ask("SELECT pg_reload_conf()")
        wait_for(lambda: self.ask("SHOW synchronous_standby_names") == [(name,)])

    def waiting(self) -> int:
        """The backend whose commit waits for the standby."""
        wait_for(lambda: self.ask(WAITING, self.name))
        return int(str(self.ask(WAITING, self.name)[0][0]))

    def end_wait(self, how: str) -> None:
        """Cancel or terminate the backend whose commit waits."""
        backend = self.waiting()
        self.ask(f"SELECT pg_{how}_backend(%s)", backend)
        wait_for(lambda: (backend,) not in self.ask(WAITING, self.name))

    def there(self) -> bool:
        """Whether the row of `write` can be read."""
        return bool(self.ask("SELECT 1 FROM unit"))


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def server(waiting_cluster: Cluster) -> Iterator[Server]:
    addresses = waiting_cluster.create("commits")
    database = open_database(addresses.url, addresses.owner_url)
    upgrade(database)
    made = Server(waiting_cluster, addresses, database)
    made.standby("absent")
    yield made
    made.standby("")
    database.close()
    waiting_cluster.drop(addresses)


@contextmanager
def in_background(work: Callable[[], object]) -> Iterator[Future[object]]:
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(work)


def write(database: Database) -> None:
    with SqlRecords(database).write() as transaction:
        transaction.units.add(unit())
        transaction.commit()


@pytest.mark.parametrize("how", ["cancel", "terminate"])
def test_a_commit_whose_wait_for_the_standby_ends_early_is_of_unknown_outcome(server: Server, how: str) -> None:
    """A cancelled wait gives nothing but WARNING 01000; the row can be read, and would be lost with this machine."""
    with in_background(lambda: write(server.database)) as writing:
        server.end_wait(how)
        with pytest.raises(OutcomeUnknown):
            writing.result(PATIENCE)
    assert server.there()


def test_what_is_of_unknown_outcome_is_confirmed_only_when_the_standby_has_it(server: Server) -> None:
    records = SqlRecords(server.database)
    with in_background(records.confirm) as confirming:
        server.end_wait("cancel")
        with pytest.raises(OutcomeUnknown):
            confirming.result(PATIENCE)
    with in_background(records.confirm) as confirming:
        server.waiting()
        assert not confirming.done()
        server.standby("")
        confirming.result(PATIENCE)


def test_a_wait_without_end_is_broken_off_and_the_connection_is_not_used_again(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "COMMIT_SECONDS", 0.5)
    with pytest.raises(OutcomeUnknown):
        write(server.database)
    assert server.there()
    server.standby("")
    with SqlRecords(server.database).read() as transaction:
        assert transaction.units.get("unit-1") == unit()


def test_the_warning_is_heard_whatever_the_role_is_set_to(server: Server) -> None:
    server.ask("ALTER ROLE seal_application SET client_min_messages = 'error'")
    server.ask("ALTER ROLE seal_application SET synchronous_commit = 'off'")
    try:
        with in_background(lambda: write(server.database)) as writing:
            server.end_wait("cancel")
            with pytest.raises(OutcomeUnknown):
                writing.result(PATIENCE)
    finally:
        server.ask("ALTER ROLE seal_application RESET ALL")


class CutAfterSealing:
    """The real sealer; when it has sealed and checked, the standby goes away."""

    def __init__(self, sealer: DocumentSealer, then: Callable[[], None]) -> None:
        self._sealer = sealer
        self._then = then
        self.media_type = sealer.media_type
        self.seal = sealer.seal
        self.prepare = sealer.prepare
        self.complete = sealer.complete

    def check(self, original: Upload, sealed: SealedDocument, permit: SealingPermit, intent: IntentReference) -> None:
        self._sealer.check(original, sealed, permit, intent)
        self._then()


def test_a_seal_whose_commit_is_not_sure_is_not_released_until_it_is(server: Server, tmp_path: Path) -> None:
    """Sealed, checked, complete in the database: it still goes to nobody before the second machine has it."""
    server.standby("")
    office = RealOffice(tmp_path / "var", changes=server.addresses.settings)
    try:
        sealer = CutAfterSealing(office.applying.sealer, lambda: server.standby("absent"))
        cut = replace(office.applying, sealer=sealer)
        with in_background(lambda: cut(office.system, office.request("k"))) as applying:
            server.end_wait("cancel")  # of the commit that completes the use
            server.end_wait("cancel")  # of the confirmation that reads it again
            with pytest.raises(OutcomeUnknown):
                applying.result(PATIENCE)
        assert server.ask("SELECT state FROM seal_use") == [("completed",)]
        with in_background(lambda: office.use("k")) as asking_again:
            server.end_wait("cancel")
            with pytest.raises(OutcomeUnknown):
                asking_again.result(PATIENCE)
        server.standby("")
        applied = office.use("k")
        assert applied.replayed
        assert applied.content is not None
        assert office.verify(applied.content).indication is Indication.TOTAL_PASSED
        kinds = "SELECT kind, count(*)::int FROM sign_log WHERE kind ~ '^seal[.]' GROUP BY 1 ORDER BY 1"
        assert server.ask(kinds) == [("seal.completed", 1), ("seal.intent", 1)]
    finally:
        office.service.close()


@dataclass
class Proxy:
    """A wire to a server that is cut when the first word is said that it was told to listen for."""

    port: int
    cut_at: bytes
    delivered: bool
    """Whether that word still reaches the server."""
    armed: bool = False
    was_cut: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.own_port: int = self.listener.getsockname()[1]
        self.sockets: list[socket.socket] = [self.listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in self.sockets:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            self.sockets += [client, server]
            threading.Thread(target=self._carry, args=(client, server), daemon=True).start()

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while True:
                for ready in select.select([client, server], [], [], PATIENCE)[0]:
                    data = ready.recv(65536)
                    if not data:
                        raise OSError
                    if self.armed and ready is client and self.cut_at in data:
                        if self.delivered:
                            server.sendall(data)
                            server.recv(65536)  # the answer, which the client never sees
                        self.was_cut.set()
                        raise OSError
                    (server if ready is client else client).sendall(data)
        except (OSError, ValueError):
            for one in (client, server):
                with closing(one):
                    pass


@pytest.mark.parametrize("delivered", [True, False], ids=["after the server heard it", "before the server heard it"])
def test_a_connection_that_dies_during_the_commit_leaves_an_unknown_outcome(delivered: bool) -> None:
    with lent_database() as addresses:
        port = cluster().port
        proxy = Proxy(port, b"COMMIT", delivered)
        database = open_database(addresses.url.replace(f":{port}/", f":{proxy.own_port}/"))
        records = SqlRecords(database)
        try:
            proxy.armed = True
            with pytest.raises(OutcomeUnknown):
                write(database)
            assert proxy.was_cut.is_set()
            proxy.armed = False
            records.confirm()
            with records.read() as transaction:
                found = transaction.units.by_credit_code(unit().credit_code)
            assert (found == unit()) is delivered, "re-reading tells what the commit did not"
        finally:
            database.close()
            proxy.close()


def test_a_connection_that_died_before_the_commit_wrote_nothing() -> None:
    with lent_database() as addresses:
        database = open_database(addresses.url)

        def write_and_die() -> None:
            with SqlRecords(database).write() as transaction:
                transaction.units.add(unit())
                with closing(cluster().superuser()) as superuser:
                    superuser.execute(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
                        [addresses.url.rpartition("/")[2]],
                    )
                transaction.units.by_credit_code("nothing")

        with pytest.raises(Unavailable) as raised:
            write_and_die()
        assert not isinstance(raised.value, OutcomeUnknown)
        write(database)  # the pool gives a connection that lives
        database.close()


def test_a_transaction_in_which_a_statement_failed_is_never_taken_for_committed() -> None:
    """The server answers COMMIT with ROLLBACK there, and the driver does not raise."""
    with lent_database() as addresses, closing(open_database(addresses.url)) as database:
        records = SqlRecords(database)
        with records.write() as transaction:
            transaction.units.add(unit())
            with pytest.raises(AlreadyRegistered):
                transaction.units.add(unit())
            with pytest.raises(RuntimeError, match="can only be left"):
                transaction.commit()
        with records.read() as transaction:
            assert transaction.units.by_credit_code(unit().credit_code) is None


def test_health_says_when_the_server_does_not_keep_commits() -> None:
    with lent_database() as addresses, closing(open_database(addresses.url)) as database:
        assert database.is_durable
        assert "fsync=on" in database.durability
        assert "synchronous_commit=on" in database.durability
    unsafe = Cluster({"fsync": "off"})
    try:
        addresses = unsafe.create("unsafe")
        with closing(open_database(addresses.url)) as database:
            assert not database.is_durable
            assert "set fsync=on" in database.durability
    finally:
        unsafe.stop()


def test_the_commit_after_everything_writes_to_the_log_of_the_server() -> None:
    with lent_database() as addresses, closing(open_database(addresses.url)) as database:
        with database.reader.connect() as connection:
            before = connection.execute(text("SELECT pg_current_wal_insert_lsn()")).scalar_one()
        database.confirm()
        with database.reader.connect() as connection:
            moved = connection.execute(text("SELECT pg_current_wal_flush_lsn() > CAST(:at AS pg_lsn)"), {"at": before})
            assert moved.scalar_one()


def test_nobody_answering_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with closing(open_database(f"postgresql+psycopg://role:geheim@127.0.0.1:{port}/name")) as database:
        for act in (database.confirm, lambda: write(database), lambda: database.ask_durability()):
            with pytest.raises(Unavailable) as raised:
                act()
            assert not isinstance(raised.value, OutcomeUnknown)
            assert "geheim" not in f"{raised.value} {raised.value.__cause__}"


def test_the_driver_is_the_one_whose_notices_are_heard() -> None:
    with lent_database() as addresses, closing(open_database(addresses.url)) as database:
        for engine in (database.writer, database.reader):
            with engine.connect() as connection:
                assert isinstance(connection.connection.driver_connection, psycopg.Connection)

"""Many at once on PostgreSQL: no deadlock, no gap, nothing twice; what has to wait too long is unavailable."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import seal_service.storage.postgresql as storage
from seal_service.bootstrap import build
from seal_service.domain.errors import (
    AuthorizationDenied,
    InvalidInput,
    SealServiceError,
    SelfCheckFailed,
    TransitionRefused,
    Unavailable,
    UseOvertaken,
)
from seal_service.domain.events import EventKind
from seal_service.domain.use import SignatureLevel, UseState
from seal_service.ports.documents import DocumentSealer
from seal_service.storage.engine import Database, open_database
from seal_service.storage.unit_of_work import SqlRecords
from seal_service.usecases.change_status import ReportLoss, ResumeSeal
from seal_service.usecases.create_account import DisableAccount
from seal_service.usecases.grant_use import GrantUse, RevokeGrant
from seal_service.usecases.read_use import ReadUse
from seal_service.usecases.reconcile import Reconcile
from tests.instance import RealOffice, blank_pdf
from tests.postgresql import Addresses, cluster, lent_database
from tests.storage_samples import CODE, add_seal_with_grant, grant, unit

WORKERS = 8


@pytest.fixture
def addresses() -> Iterator[Addresses]:
    with lent_database("at_once") as lent:
        yield lent


@pytest.fixture
def office(tmp_path: Path, addresses: Addresses) -> Iterator[RealOffice]:
    made = RealOffice(tmp_path / "var", changes={**addresses.settings, "reservation_seconds": 30})
    yield made
    made.service.close()


@pytest.fixture
def database(addresses: Addresses) -> Iterator[Database]:
    with closing(open_database(addresses.url)) as opened:
        yield opened


def ask(addresses: Addresses, sql: str) -> list[tuple[object, ...]]:
    with closing(cluster().superuser(addresses.url.rpartition("/")[2])) as connection:
        return connection.execute(sql.encode()).fetchall()


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each act gave or raised, all of them begun together."""
    together = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        together.wait(30)
        try:
            return act()
        except SealServiceError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts, timeout=120))


def test_no_deadlock_and_no_contradiction_in_a_storm_of_everything(office: RealOffice, addresses: Addresses) -> None:
    """Uses that succeed and fail, acknowledgements, reconciling, losses, resumptions, grants and refusals at once."""
    other = build(office.settings, clock=office.clock)  # as a second process would
    failing = replace(office.applying, sealer=FailsAtTheEnd(office.applying.sealer))
    # InvalidInput: a seal that is lost is granted to nobody
    refused = (AuthorizationDenied, UseOvertaken, TransitionRefused, SelfCheckFailed, InvalidInput)
    told: Counter[str] = Counter()

    def storm(worker: int) -> None:
        chance = random.Random(worker)
        service = (office.service, other)[worker % 2]
        for number in range(12):
            request = office.request(f"{worker}-{number}", blank_pdf(mark=f"{worker}-{number}"), SignatureLevel.B_B)
            act = chance.choice(
                ["apply"] * 5 + ["fail", "fail", "lose", "resume", "resume", "reconcile", "regrant", "regrant"]
            )
            try:
                if act == "apply":
                    use = service.apply_seal(office.system, request).use
                    acknowledge = ReadUse(seal_code=use.seal_code, use_id=use.id)
                    service.acknowledge_document(office.system, acknowledge)
                elif act == "fail":
                    failing(office.system, request)
                elif act == "lose":
                    service.report_loss(office.keeper, ReportLoss(seal_code=office.made.code, reason="介质丢失"))
                elif act == "resume":
                    service.resume_seal(office.maker, ResumeSeal(seal_code=office.made.code, reason="已找回"))
                elif act == "reconcile":
                    office.clock.forward(timedelta(seconds=31))
                    service.reconcile(office.operator, Reconcile())
                else:
                    given = service.grant_use(office.keeper, granting(office))
                    service.revoke_grant(office.keeper, RevokeGrant(grant_id=given.id, reason="重新授权"))
            except refused as error:
                told[f"{act}: {error.code()}"] += 1
            else:
                told[f"{act}: done"] += 1

    failures = [one for one in at_once(*(lambda worker=worker: storm(worker) for worker in range(WORKERS))) if one]
    assert failures == []
    assert told["apply: done"] > 0, told
    office.clock.forward(timedelta(hours=1))
    office.service.reconcile(office.operator, Reconcile())
    for service in (office.service, other):
        service.close()  # a server process reports its deadlocks at its end, if not before
    name = addresses.url.rpartition("/")[2]
    assert ask(addresses, f"SELECT deadlocks FROM pg_stat_database WHERE datname = '{name}'") == [(0,)]
    assert_no_contradiction(office, addresses)


def assert_no_contradiction(office: RealOffice, addresses: Addresses) -> None:
    """The seal's counter has no gap, every use has one intent and one end, nothing is completed while lost."""
    log = ask(addresses, f"SELECT seq, kind, use_id FROM sign_log WHERE seal_code = '{office.made.code}' ORDER BY seq")
    assert [seq for seq, _, _ in log] == list(range(1, len(log) + 1))
    ends = Counter(use for _, kind, use in log if kind in {"seal.completed", "seal.failed", "seal.abandoned"})
    intents = Counter(use for _, kind, use in log if kind == "seal.intent")
    assert ends == intents
    assert set(ends.values()) == {1}
    states = Counter(state for (state,) in ask(addresses, "SELECT state FROM seal_use"))
    assert states[UseState.RESERVED.value] == 0
    assert states[UseState.COMPLETED.value] == sum(kind == "seal.completed" for _, kind, _ in log)
    lost = False
    for _, kind, _ in log:
        lost = kind == "sealmgmt.suspended" or (lost and kind != "sealmgmt.resumed")
        assert not (lost and kind == "seal.completed")


class FailsAtTheEnd:
    """The real sealer, whose own check finds fault with everything."""

    def __init__(self, sealer: DocumentSealer) -> None:
        self._sealer = sealer
        self.media_type = sealer.media_type
        self.seal = sealer.seal
        self.prepare = sealer.prepare
        self.complete = sealer.complete

    def check(self, *_: object) -> None:
        raise SelfCheckFailed


def granting(office: RealOffice, key: str | None = None) -> GrantUse:
    """A further grant of what is applied."""
    return GrantUse(
        seal_code=office.made.code,
        grantee_id=office.system.identity,
        scenario="permit",
        responsible_person="样某",
        approval_number="示例〔2026〕2号",
        idempotency_key=key,
    )


def test_the_same_request_of_any_kind_made_at_once_is_done_once_and_answered_to_all(office: RealOffice) -> None:
    granted = at_once(*[lambda: office.service.grant_use(office.keeper, granting(office, "g"))] * WORKERS)
    assert len({str(one) for one in granted}) == 1
    lost = ReportLoss(seal_code=office.made.code, reason="介质丢失", idempotency_key="l")
    reported = at_once(*[lambda: office.service.report_loss(office.keeper, lost)] * WORKERS)
    assert {getattr(getattr(one, "seal", one), "state", one) for one in reported} == {"suspended"}
    with closing(open_database(office.settings.database_address)) as opened, SqlRecords(opened).read() as transaction:
        changes = transaction.log.status_changes(office.made.code)
    assert [one.state.value for one in changes].count("suspended") == 1


def test_an_account_disabled_by_many_at_once_is_disabled_once(office: RealOffice, addresses: Addresses) -> None:
    """Whoever loses the race for the row is told to try again, and then finds it done."""
    disable = DisableAccount(account_id=office.auditor.identity)
    for answer in at_once(*[lambda: office.service.disable_account(office.security, disable)] * 4):
        if isinstance(answer, Unavailable):
            office.service.disable_account(office.security, disable)
        else:
            assert not isinstance(answer, Exception)
    assert ask(addresses, f"SELECT count(*) FROM sign_log WHERE kind = '{EventKind.ACCOUNT_DISABLED.value}'") == [(1,)]


def test_who_waits_too_long_for_a_row_may_try_again(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(storage._SESSION, "lock_timeout", "100ms")
    with closing(open_database(addresses.url)) as database:
        records = SqlRecords(database)
        with records.write() as transaction:
            add_seal_with_grant(transaction)
            transaction.commit()
        with records.write() as holding:
            holding.seals.lock(CODE)
            with records.write() as other:
                other.grants.add(grant("grant-2"))  # what refers to a locked row does not wait for it
                other.commit()
            with pytest.raises(Unavailable), records.write() as waiting:
                waiting.seals.lock(CODE)
            holding.log.next_seq(CODE)
            with pytest.raises(Unavailable), records.write() as waiting:
                waiting.log.next_seq(CODE)
        with records.write() as again:
            assert again.seals.lock(CODE).code == CODE


def test_of_two_who_wait_for_each_other_one_may_try_again(database: Database) -> None:
    records = SqlRecords(database)
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        transaction.grants.add(grant("grant-2"))
        transaction.commit()
    both_hold = threading.Barrier(2)

    def lock(first: str, second: str) -> str:
        with records.write() as transaction:
            transaction.grants.lock(first)
            both_hold.wait(10)
            return transaction.grants.lock(second).id

    answers = at_once(lambda: lock("grant-1", "grant-2"), lambda: lock("grant-2", "grant-1"))
    assert sorted(type(one).__name__ for one in answers) == ["Unavailable", "str"]


def test_a_transaction_that_does_nothing_for_too_long_is_ended(
    addresses: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that hangs in the middle of a transaction does not hold a seal for good."""
    monkeypatch.setitem(storage._SESSION, "idle_in_transaction_session_timeout", "50ms")
    with closing(open_database(addresses.url)) as database:

        def hang() -> None:
            with SqlRecords(database).write() as transaction:
                transaction.units.add(unit())
                threading.Event().wait(0.5)
                transaction.commit()

        with pytest.raises(Unavailable):
            hang()
        with SqlRecords(database).read() as transaction:
            assert transaction.units.by_credit_code(unit().credit_code) is None


def test_more_threads_than_connections_wait_for_one(addresses: Addresses) -> None:
    with closing(open_database(addresses.url, connections=2)) as database:
        records = SqlRecords(database)

        def count(_: int) -> int:
            with records.write() as transaction:
                given = transaction.seals.next_serial("999900")
                transaction.commit()
            return given

        with ThreadPoolExecutor(WORKERS) as pool:
            assert sorted(pool.map(count, range(40))) == list(range(1, 41))


@pytest.mark.parametrize("name", ["示例\0局", "\ud800", "\0"], ids=["NUL", "half a pair", "only NUL"])
def test_text_that_the_server_cannot_keep_is_invalid_input(database: Database, name: str) -> None:
    with pytest.raises(InvalidInput), SqlRecords(database).write() as transaction:
        transaction.units.add(replace(unit(), name=name))
    with pytest.raises(InvalidInput), SqlRecords(database).read() as transaction:
        transaction.units.by_credit_code(name)


@pytest.mark.parametrize("uses", [2**63, 2**80])
def test_a_number_that_the_server_cannot_keep_is_invalid_input(database: Database, uses: int) -> None:
    with pytest.raises(InvalidInput), SqlRecords(database).write() as transaction:
        add_seal_with_grant(transaction, maximum_uses=uses)


def test_addresses_that_let_one_role_do_everything_or_set_the_session_are_refused() -> None:
    owner = "postgresql://role:geheim@127.0.0.1/name"
    for url, owner_url in [
        (owner, owner),
        (f"{owner}?options=-csearch_path=away", None),
        ("postgresql+psycopg2://role:geheim@127.0.0.1/name", None),
        ("postgresql+psycopg://127.0.0.1/name", None),
        ("postgresql://role:geheim@127.0.0.1:port/name", None),
        (owner, "sqlite:////tmp/geheim.db"),
        (owner, "geheim"),
    ]:
        with pytest.raises(InvalidInput) as raised:
            open_database(url, owner_url)
        assert "heim" not in f"{raised.value!r} {raised.value.__cause__!r} {raised.value.details}"

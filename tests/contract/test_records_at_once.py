"""What `ports.records` promises when many write at once, on every engine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from seal_service.domain.errors import (
    Conflict,
    IdempotencyKeyReused,
)
from seal_service.ports.records import Records
from tests.storage_samples import (
    CODE,
    add_seal_with_grant,
    completed,
    failed,
    log_row,
    unit,
    use,
)

THREADS = 6


def test_a_reading_transaction_sees_one_state_while_another_commits(records: Records) -> None:
    def write() -> None:
        with records.write() as transaction:
            transaction.units.add(unit())
            transaction.commit()

    writer = threading.Thread(target=write)
    with records.read() as transaction:
        assert transaction.units.by_credit_code("credit-unit-1") is None
        writer.start()
        writer.join(timeout=0.3)
        assert transaction.units.by_credit_code("credit-unit-1") is None
    writer.join()
    with records.read() as transaction:
        assert transaction.units.by_credit_code("credit-unit-1") == unit()


def in_threads(work: Callable[[int], object]) -> list[object]:
    """What `work` gave or raised in each of several threads that start together."""
    together = threading.Barrier(THREADS)

    def run(number: int) -> object:
        together.wait()
        try:
            return work(number)
        except Conflict as error:
            return type(error)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_a_quota_counted_under_the_lock_is_met_exactly(records: Records) -> None:
    with records.write() as transaction:
        add_seal_with_grant(transaction, maximum_uses=7)
        transaction.commit()

    def use_up(thread: int) -> int:
        reserved = 0
        for number in range(4):
            with records.write() as transaction:
                quota = transaction.grants.lock("grant-1").maximum_uses
                assert quota is not None
                if transaction.uses.counted("grant-1") < quota:
                    transaction.uses.add(use(f"use-{thread}-{number}"))
                    transaction.commit()
                    reserved += 1
        return reserved

    assert sum(int(str(one)) for one in in_threads(use_up)) == 7
    with records.read() as transaction:
        assert transaction.uses.counted("grant-1") == 7


def test_of_many_uses_with_one_key_one_is_reserved(records: Records) -> None:
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        transaction.commit()

    def reserve(thread: int) -> str:
        with records.write() as transaction:
            transaction.uses.add(use(f"use-{thread}", key="the same"))
            transaction.commit()
        return "reserved"

    outcomes = in_threads(reserve)
    assert sorted(str(one) for one in outcomes) == sorted(
        ["reserved", *[str(IdempotencyKeyReused)] * (THREADS - 1)], key=str
    )


def test_of_many_ends_of_one_use_one_wins(records: Records) -> None:
    with records.write() as transaction:
        add_seal_with_grant(transaction)
        transaction.uses.add(use())
        transaction.commit()

    def end(thread: int) -> bool:
        with records.write() as transaction:
            won = transaction.uses.end(completed(use()) if thread % 2 else failed(use()))
            transaction.commit()
        return won

    assert in_threads(end).count(True) == 1


def test_serial_and_sequence_numbers_never_double_and_have_no_gap(records: Records) -> None:
    def count(thread: int) -> list[int]:
        serials = []
        for number in range(5):
            with records.write() as transaction:
                seq = transaction.log.next_seq(CODE)
                transaction.log.insert(log_row(f"e{thread}-{number}", seq=seq, seal_code=CODE))
                serials.append(transaction.seals.next_serial("999900"))
                if number % 2 == 0:
                    transaction.commit()
        return serials[::2]

    given = [serial for one in in_threads(count) for serial in (one if isinstance(one, list) else [])]
    assert sorted(given) == list(range(1, THREADS * 3 + 1))
    with records.write() as transaction:
        assert transaction.log.next_seq(CODE) == THREADS * 3 + 1
        assert transaction.seals.next_serial("999900") == THREADS * 3 + 1

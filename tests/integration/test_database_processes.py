"""Several processes write one database, and some are killed while they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seal_service.storage.engine import open_database
from seal_service.storage.schema import upgrade
from seal_service.storage.unit_of_work import SqlRecords
from tests.engines import ENGINES, SQLITE
from tests.postgresql import lent_database
from tests.storage_samples import CODE

ROOT = Path(__file__).parents[2]

WRITER = """
import sqlite3.dbapi2, sys
sys.path.insert(0, {root!r})
from seal_service.storage.engine import open_database
from seal_service.storage.unit_of_work import SqlRecords
from tests.storage_samples import CODE, log_row

records = SqlRecords(open_database({url!r}, sqlite=sqlite3.dbapi2 if {own!r} else None))
for number in range({count}):
    with records.write() as transaction:
        seq = transaction.log.next_seq(CODE)
        transaction.log.insert(log_row(f"{name}-{{number}}", seq=seq, seal_code=CODE))
        serial = transaction.seals.next_serial("999900")
        transaction.commit()
    print(seq, serial, flush=True)
"""


@contextmanager
def migrated(engine: str, directory: Path) -> Iterator[str]:
    """The address of an empty database on an engine."""
    if engine == "postgresql":
        with lent_database() as addresses:
            yield addresses.url
        return
    url = f"sqlite:///{directory / 'seal.db'}"
    database = open_database(url, sqlite=SQLITE[engine])
    upgrade(database)
    database.close()
    yield url


def start(url: str, engine: str, name: str, count: int) -> subprocess.Popen[str]:
    own = SQLITE.get(engine) is not None
    program = WRITER.format(root=str(ROOT), url=url, own=own, name=name, count=count)
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("engine", ENGINES)
def test_processes_share_counters_without_gap_or_double(tmp_path: Path, engine: str) -> None:
    with migrated(engine, tmp_path) as url:
        writers = [start(url, engine, name, 40) for name in "ab"]
        outputs = [writer.communicate(timeout=120)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    given = [tuple(map(int, line.split())) for output in outputs for line in output.splitlines()]
    assert sorted(given) == [(number, number) for number in range(1, 81)]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_killed_process_committed_is_there_and_whole(tmp_path: Path, engine: str) -> None:
    """Readers that come first after a kill must be able to roll back what was left half written."""
    with migrated(engine, tmp_path) as url:
        committed = 0
        for life in range(2):
            writer = start(url, engine, f"life {life}", 100_000)
            assert writer.stdout is not None
            for _ in range(30 + 7 * life):
                committed = int(writer.stdout.readline().split()[0])
            os.kill(writer.pid, signal.SIGKILL)
            rest = writer.stdout.read().splitlines()
            writer.wait()
            writer.stdout.close()
            whole = [line for line in rest if len(line.split()) == 2]
            committed = int(whole[-1].split()[0]) if whole else committed
            database = open_database(url, sqlite=SQLITE.get(engine))
            records = SqlRecords(database)
            with records.write() as transaction:  # waits for what the dead process's session may still hold
                following = transaction.log.next_seq(CODE)
                assert committed < following <= committed + 2  # one more may be committed and not yet told
                assert transaction.seals.next_serial("999900") == following
            with database.reader.connect() as connection:
                pending = connection.exec_driver_sql("SELECT count(*) FROM log_pending").scalar()
            assert pending == following - 1
            database.close()
